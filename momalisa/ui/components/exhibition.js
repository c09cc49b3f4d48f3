// Films one after another, over the whole window. Only the film that is shown is on the page, and
// for a moment the one it fades from: a night takes no more memory than a minute.

const FADE = 1500                         // milliseconds from one film to the next
const IDLE = 3000                         // milliseconds until cursor and controls are gone
const PATIENCE = 30_000                   // milliseconds that a film may take to arrive
const AGAIN = 5000                        // milliseconds until films out of reach are tried again
const still = matchMedia("(prefers-reduced-motion: reduce)")
const exhibitions = new WeakMap()

export default function ({ parentElement, data, setTriggerValue }) {
  let exhibition = exhibitions.get(parentElement)
  if (!exhibition) {
    exhibition = new Exhibition(parentElement.querySelector(".exhibition"))
    exhibitions.set(parentElement, exhibition)
  }
  exhibition.leave = () => { exhibition.close(); setTriggerValue("left", true) }
  exhibition.hang(data.slides)
  return () => { exhibition.close(); exhibitions.delete(parentElement) }
}

class Exhibition {
  constructor(dialog) {
    this.dialog = dialog
    this.hall = dialog.querySelector(".hall")
    this.stage = dialog.querySelector(".stage")
    this.sorry = dialog.querySelector(".sorry")
    this.slides = []
    this.place = -1                       // of the film that is shown, in `slides`
    const press = (name, action) => { dialog.querySelector(name).onclick = action }
    press(".back", () => this.turn(-1))
    press(".on", () => this.turn(1))
    press(".play", () => this.set(!this.playing))
    press(".full", () => this.fill())
    press(".leave", () => this.leave())
    dialog.querySelector(".full").hidden = !this.hall.requestFullscreen  // on an iPhone
    dialog.oncancel = event => { event.preventDefault(); this.leave() }
    dialog.onkeydown = event => this.key(event)
    // A browser also says so when things move under a cursor that rests.
    dialog.onpointerdown = () => this.wake()
    dialog.onpointermove = event => (event.movementX || event.movementY) && this.wake()
    // In full screen the browser keeps the Escape key to itself.
    this.hall.onfullscreenchange = () => document.fullscreenElement || this.closed || this.leave()
    dialog.showModal()
    dialog.focus()                        // not its first button, whose outline would stay
    if (navigator.userActivation?.isActive) this.fill()
    this.watch = new AbortController()
    document.addEventListener("visibilitychange", () => this.stayAwake(), this.watch)
    this.stayAwake()
    this.wake()
    this.set(true)
  }

  hang(slides) {
    const shown = this.slides[this.place]?.id
    const place = slides.findIndex(slide => slide.id === shown)
    if (place >= 0) this.place = place
    // After a film that was taken down comes the one that followed it.
    else if (shown) this.place = Math.min(this.place, slides.length) - 1
    this.slides = slides
    if (!this.turning && !this.stage.firstChild) this.turn(1)
  }

  async turn(step) {
    const turning = this.turning = {}     // a later turn takes the place of this one
    clearTimeout(this.timer)
    for (let tried = 0; tried < this.slides.length; tried++) {
      this.place = (this.place + step + this.slides.length) % this.slides.length
      const slide = this.slides[this.place]
      const figure = await hung(slide, this.playing)
      if (this.turning !== turning) return
      if (figure) return this.show(figure, slide)
      step ||= 1
    }
    if (!this.stage.firstChild) this.sorry.textContent = "The films are out of reach just now."
    this.timer = setTimeout(() => this.turn(step), AGAIN)
  }

  show(figure, slide) {
    const before = [...this.stage.children]
    this.sorry.textContent = ""
    this.stage.append(figure)
    figure.getBoundingClientRect()        // so that it fades in
    figure.classList.add("shown")
    for (const other of before) other.classList.remove("shown")
    setTimeout(() => before.forEach(other => other.remove()), FADE)
    if (this.playing) this.timer = setTimeout(() => this.turn(1), 1000 * slide.seconds)
  }

  set(playing) {
    const before = this.playing
    this.playing = playing
    this.dialog.querySelector(".play").textContent = playing ? "Pause" : "Play"
    if (before !== undefined) this.turn(0)
  }

  key(event) {
    this.wake()
    const steps = { ArrowLeft: -1, ArrowRight: 1 }
    if (event.key in steps) this.turn(steps[event.key])
    else if (event.key === " " && event.target === this.dialog) this.set(!this.playing)
    else return
    event.preventDefault()
  }

  wake() {
    clearTimeout(this.idle)
    this.dialog.classList.remove("idle")
    this.idle = setTimeout(() => this.dialog.classList.add("idle"), IDLE)
  }

  fill() {
    this.hall.requestFullscreen?.().catch(() => {})
  }

  // A browser lets go of the lock whenever the page is out of sight.
  stayAwake() {
    if (document.visibilityState !== "visible") return
    this.lock = navigator.wakeLock?.request("screen").catch(() => {})
  }

  close() {
    if (this.closed) return
    this.closed = true
    this.turning = undefined
    clearTimeout(this.timer)
    clearTimeout(this.idle)
    this.watch.abort()
    this.lock?.then(lock => lock?.release())
    if (document.fullscreenElement) document.exitFullscreen()
    this.dialog.close()
    this.stage.replaceChildren()
  }
}

async function hung({ title, lines, alt, film, poster }, moving) {
  const picture = made("img")
  picture.alt = alt
  picture.src = moving && !still.matches ? film : poster
  const timer = setTimeout(() => picture.removeAttribute("src"), PATIENCE)
  try {
    await picture.decode()                // fails also when its address is taken away
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
  const label = made("figcaption")
  label.append(made("p", "title", title), ...lines.map(line => made("p", "line", line)))
  const figure = made("figure")
  figure.append(picture, label)
  return figure
}

function made(tag, name = "", text = "") {
  const element = document.createElement(tag)
  if (name) element.className = name
  if (text) element.textContent = text
  return element
}
