// Slide show of films over the entire window. Only the current film is in the document, and the
// previous one while it fades out, so that memory stays constant.

const FADE = 1500                         // milliseconds from one film to the next
const IDLE = 3000                         // milliseconds until cursor and controls are hidden
const LOAD_TIMEOUT = 30_000               // milliseconds
const RETRY = 5000                        // milliseconds until failed films are loaded again
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)")
const exhibitions = new WeakMap()

export default function ({ parentElement, data, setTriggerValue }) {
  let exhibition = exhibitions.get(parentElement)
  if (!exhibition) {
    exhibition = new Exhibition(parentElement.querySelector(".exhibition"))
    exhibitions.set(parentElement, exhibition)
  }
  exhibition.leave = () => { exhibition.close(); setTriggerValue("left", true) }
  exhibition.setSlides(data.slides)
  return () => { exhibition.close(); exhibitions.delete(parentElement) }
}

class Exhibition {
  constructor(dialog) {
    this.dialog = dialog
    this.hall = dialog.querySelector(".hall")
    this.stage = dialog.querySelector(".stage")
    this.message = dialog.querySelector(".message")
    this.slides = []
    this.index = -1                       // of the current slide
    const press = (name, action) => { dialog.querySelector(name).onclick = action }
    press(".back", () => this.turn(-1))
    press(".on", () => this.turn(1))
    press(".play", () => this.setPlaying(!this.playing))
    press(".full", () => this.enterFullscreen())
    press(".leave", () => this.leave())
    dialog.querySelector(".full").hidden = !this.hall.requestFullscreen  // not supported on iPhones
    dialog.oncancel = event => { event.preventDefault(); this.leave() }
    dialog.onkeydown = event => this.key(event)
    // The event also fires when elements move under a resting cursor.
    dialog.onpointerdown = () => this.wake()
    dialog.onpointermove = event => (event.movementX || event.movementY) && this.wake()
    // In full screen the page does not receive the Escape key.
    this.hall.onfullscreenchange = () => document.fullscreenElement || this.closed || this.leave()
    dialog.showModal()
    dialog.focus()                        // not its first button, which would show an outline
    if (navigator.userActivation?.isActive) this.enterFullscreen()
    this.visibility = new AbortController()
    document.addEventListener("visibilitychange", () => this.keepAwake(), this.visibility)
    this.keepAwake()
    this.wake()
    this.setPlaying(true)
  }

  setSlides(slides) {
    const shown = this.slides[this.index]?.id
    const index = slides.findIndex(slide => slide.id === shown)
    if (index >= 0) this.index = index
    // A deleted slide is followed by the slide that came after it.
    else if (shown) this.index = Math.min(this.index, slides.length) - 1
    this.slides = slides
    if (!this.turning && !this.stage.firstChild) this.turn(1)
  }

  async turn(step) {
    const turning = this.turning = {}     // a later call supersedes this one
    clearTimeout(this.timer)
    for (let attempt = 0; attempt < this.slides.length; attempt++) {
      this.index = (this.index + step + this.slides.length) % this.slides.length
      const slide = this.slides[this.index]
      const figure = await loadFigure(slide, this.playing)
      if (this.turning !== turning) return
      if (figure) return this.show(figure, slide)
      step ||= 1
    }
    if (!this.stage.firstChild) this.message.textContent = "The films are out of reach just now."
    this.timer = setTimeout(() => this.turn(step), RETRY)
  }

  show(figure, slide) {
    const previous = [...this.stage.children]
    this.message.textContent = ""
    this.stage.append(figure)
    figure.getBoundingClientRect()        // forces layout, so that the transition runs
    figure.classList.add("shown")
    for (const other of previous) other.classList.remove("shown")
    setTimeout(() => previous.forEach(other => other.remove()), FADE)
    if (this.playing) this.timer = setTimeout(() => this.turn(1), 1000 * slide.seconds)
  }

  setPlaying(playing) {
    const wasPlaying = this.playing
    this.playing = playing
    this.dialog.querySelector(".play").textContent = playing ? "Pause" : "Play"
    if (wasPlaying !== undefined) this.turn(0)
  }

  key(event) {
    this.wake()
    const steps = { ArrowLeft: -1, ArrowRight: 1 }
    if (event.key in steps) this.turn(steps[event.key])
    else if (event.key === " " && event.target === this.dialog) this.setPlaying(!this.playing)
    else return
    event.preventDefault()
  }

  wake() {
    clearTimeout(this.idle)
    this.dialog.classList.remove("idle")
    this.idle = setTimeout(() => this.dialog.classList.add("idle"), IDLE)
  }

  enterFullscreen() {
    this.hall.requestFullscreen?.().catch(() => {})
  }

  // Browsers release the wake lock whenever the page is hidden.
  keepAwake() {
    if (document.visibilityState !== "visible") return
    this.lock = navigator.wakeLock?.request("screen").catch(() => {})
  }

  close() {
    if (this.closed) return
    this.closed = true
    this.turning = undefined
    clearTimeout(this.timer)
    clearTimeout(this.idle)
    this.visibility.abort()
    this.lock?.then(lock => lock?.release())
    if (document.fullscreenElement) document.exitFullscreen()
    this.dialog.close()
    this.stage.replaceChildren()
  }
}

async function loadFigure({ title, lines, alt, film, fallback, poster }, playing) {
  const picture = createElement("img")
  picture.alt = alt
  const moves = playing && !reducedMotion.matches
  if (!await load(picture, moves ? film : poster) && !(moves && fallback && await load(picture, fallback))) {
    return undefined
  }
  picture.style.setProperty("--ratio", picture.naturalWidth / picture.naturalHeight)
  const label = createElement("figcaption")
  label.append(createElement("p", "title", title), ...lines.map(line => createElement("p", "line", line)))
  const figure = createElement("figure")
  figure.append(picture, label)
  return figure
}

// Loads a picture; returns whether that worked.
async function load(picture, url) {
  picture.src = url
  const timer = setTimeout(() => picture.removeAttribute("src"), LOAD_TIMEOUT)
  try {
    await picture.decode()                // also rejects when `src` is removed
    return true
  } catch {
    return false
  } finally {
    clearTimeout(timer)
  }
}

function createElement(tag, className = "", text = "") {
  const element = document.createElement(tag)
  if (className) element.className = className
  if (text) element.textContent = text
  return element
}
