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
  } else {
    scrubber.follow(data)
  }
  return () => { scrubber.close(); scrubbers.delete(parentElement) }
}

class Scrubber {
  constructor(root, data) {
    this.take(data)
    this.picture = root.querySelector(".picture")
    this.picture.loading = "lazy"
    // The cache lets go of frames that nobody has looked at for long.
    this.picture.onerror = () => this.picture.removeAttribute("src")
    this.at = root.querySelector(".at")
    this.now = root.querySelector(".now")
    this.slider = root.querySelector(".spot")
    this.slider.max = this.legs.length
    this.slider.value = this.nearest(MIDDLE)?.[0] ?? MIDDLE
    this.slider.oninput = () => this.moved()
    this.look()
  }

  take({ id, legs, frames, exact, said }) {
    this.id = id
    this.legs = legs                      // [from, to], as prompts
    this.frames = frames                  // [place on the way, address]
    this.exact = exact                    // where to ask for a place's own picture, if anywhere
    this.said = said                      // what stands below while nothing else is to be said
  }

  // The walk is still being thought out: a picture that was asked for changes with it.
  follow(data) {
    const other = data.exact !== this.exact
    this.take(data)
    this.slider.max = this.legs.length
    if (other && this.asked) this.moved()
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
    const known = this.nearest(way)
    if (known) this.show(known[1], Math.abs(known[0] - way) > ROUNDING)
    else this.picture.classList.add("near")
  }

  nearest(way) {
    const away = frame => Math.abs(frame[0] - way)
    return this.frames.toSorted((one, other) => away(one) - away(other))[0]
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
      const answer = await fetch(`${this.exact}&leg=${leg}&t=${t}`, { signal: asked.signal })
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
