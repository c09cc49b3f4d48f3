// Any place on a walk's way: at once the finished frame nearest to it, faint, and once the hand
// rests, the picture of the place itself, if there is somebody to paint it.

const REST = 150                          // milliseconds without a move before a picture is asked for
const MIDDLE = 0.5
const ROUNDING = 0.005                    // half a step of the slider
const scrubbers = new WeakMap()

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".scrubber")
  let scrubber = scrubbers.get(parentElement)
  if (scrubber?.id !== data.id) {
    scrubber?.close()
    scrubber = new Scrubber(root, data)
    scrubbers.set(parentElement, scrubber)
  }
  scrubber.exact = data.exact
  return () => { scrubber.close(); scrubbers.delete(parentElement) }
}

class Scrubber {
  constructor(root, { id, legs, frames, said }) {
    this.id = id
    this.legs = legs                      // [from, to], as prompts
    this.frames = frames                  // [place on the way, address]
    this.said = said                      // what stands below while nothing else is to be said
    this.picture = root.querySelector(".picture")
    this.picture.loading = "lazy"
    // The cache lets go of frames that nobody has looked at for long.
    this.picture.onerror = () => this.picture.removeAttribute("src")
    this.at = root.querySelector(".at")
    this.now = root.querySelector(".now")
    this.slider = root.querySelector(".spot")
    this.slider.max = legs.length
    this.slider.value = this.nearest(MIDDLE)[0]
    this.slider.oninput = () => this.moved()
    this.look()
  }

  get place() {
    const way = Number(this.slider.value)
    const leg = Math.min(Math.floor(way), this.legs.length - 1)
    return { way, leg, t: (way - leg).toFixed(2) }
  }

  look() {
    const { way, leg, t } = this.place
    const [from, to] = this.legs[leg]
    const words = `${Math.round(t * 100)} % of the way from ${from} to ${to}`
    this.slider.setAttribute("aria-valuetext", words)
    this.picture.alt = `Picture at ${words}`
    this.at.textContent = way.toFixed(2)
    this.now.textContent = this.said
    const [there, url] = this.nearest(way)
    this.show(url, Math.abs(there - way) > ROUNDING)
  }

  nearest(way) {
    const away = frame => Math.abs(frame[0] - way)
    return this.frames.reduce((best, frame) => away(frame) < away(best) ? frame : best)
  }

  show(url, near) {
    this.picture.src = url
    this.picture.classList.toggle("near", near)
  }

  moved() {
    this.close()
    this.look()
    if (this.exact && this.picture.classList.contains("near")) {
      this.timer = setTimeout(() => this.ask(), REST)
    }
  }

  async ask() {
    const { leg, t } = this.place
    const asked = this.asked = new AbortController()
    this.now.textContent = "Painting this very place …"
    try {
      const answer = await fetch(`${this.exact}${leg}/${t}`, { signal: asked.signal })
      if (answer.ok) this.show(answer.url, false)
      this.now.textContent = answer.ok ? this.said : await answer.text()
    } catch {
      if (!asked.signal.aborted) this.now.textContent = "The app cannot be reached just now."
    }
  }

  close() {
    clearTimeout(this.timer)
    this.asked?.abort()
  }
}
