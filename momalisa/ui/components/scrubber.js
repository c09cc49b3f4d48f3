// A slider over a walk. It shows the nearest finished frame at once, faint, and the exact picture
// once the slider rests, if the server can be asked for it.

const DEBOUNCE = 150                      // milliseconds without a move before a request
const MIDDLE = 0.5
const TOLERANCE = 0.005                   // half a step of the slider
const scrubbers = new WeakMap()

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".scrubber")
  let scrubber = scrubbers.get(parentElement)
  if (scrubber?.id !== data.id) {
    scrubber?.close()
    scrubber = new Scrubber(root, data)
    scrubbers.set(parentElement, scrubber)
  } else {
    scrubber.update(data)
  }
  return () => { scrubber.close(); scrubbers.delete(parentElement) }
}

class Scrubber {
  constructor(root, data) {
    this.setData(data)
    this.picture = root.querySelector(".picture")
    this.picture.loading = "lazy"
    // The frame may have been evicted from the cache.
    this.picture.onerror = () => this.picture.removeAttribute("src")
    this.at = root.querySelector(".at")
    this.now = root.querySelector(".now")
    this.slider = root.querySelector(".spot")
    this.slider.max = this.legs.length
    this.slider.value = this.nearest(MIDDLE)?.[0] ?? MIDDLE
    this.slider.oninput = () => this.onMove()
    this.showNearest()
  }

  setData({ id, legs, frames, still_url: stillUrl, hint }) {
    this.id = id
    this.legs = legs                      // [from, to], as prompts
    this.frames = frames                  // [position, URL]
    this.stillUrl = stillUrl              // base URL of exact pictures; blank if unavailable
    this.hint = hint                      // shown below while there is no other message
  }

  // The walk may be a draft that is being edited: then the picture is requested again.
  update(data) {
    const changed = data.still_url !== this.stillUrl
    this.setData(data)
    this.slider.max = this.legs.length
    if (changed && this.request) this.onMove()
  }

  get place() {
    const position = Number(this.slider.value)
    const leg = Math.min(Math.floor(position), this.legs.length - 1)
    return { position, leg, t: (position - leg).toFixed(2) }
  }

  showNearest() {
    const { position, leg, t } = this.place
    const [from, to] = this.legs[leg]
    const label = `${Math.round(t * 100)} % of the way from ${from} to ${to}`
    this.slider.setAttribute("aria-valuetext", label)
    this.picture.alt = `Picture at ${label}`
    this.at.textContent = position.toFixed(2)
    this.now.textContent = this.hint
    const frame = this.nearest(position)
    if (frame) this.show(frame[1], Math.abs(frame[0] - position) > TOLERANCE)
    else this.picture.classList.add("near")
  }

  nearest(position) {
    const distance = frame => Math.abs(frame[0] - position)
    return this.frames.toSorted((one, other) => distance(one) - distance(other))[0]
  }

  show(url, near) {
    this.picture.src = url
    this.picture.classList.toggle("near", near)
  }

  onMove() {
    this.close()
    this.showNearest()
    if (this.stillUrl && this.picture.classList.contains("near")) {
      this.timer = setTimeout(() => this.loadExact(), DEBOUNCE)
    }
  }

  async loadExact() {
    const { leg, t } = this.place
    const request = this.request = new AbortController()
    this.now.textContent = "Painting this very place …"
    try {
      const response = await fetch(`${this.stillUrl}&leg=${leg}&t=${t}`, { signal: request.signal })
      if (response.ok) this.show(response.url, false)
      this.now.textContent = response.ok ? this.hint : await response.text()
    } catch {
      if (!request.signal.aborted) this.now.textContent = "The app cannot be reached just now."
    }
  }

  close() {
    clearTimeout(this.timer)
    this.request?.abort()
  }
}
