// A walk being rendered: its frames at their positions on a strip, and above it a rough film of
// them. The film plays back and forth with a constant duration, so that it gets smoother, not
// longer, as frames arrive.

const DURATION = 2600                     // milliseconds from one end to the other
const MIN_DELAY = 80                      // milliseconds between frames
const MAX_CELLS = 96
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)")
const isPhone = matchMedia("(max-width: 640px)")
const strips = new WeakMap()

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".making")
  let strip = strips.get(parentElement)
  if (strip?.id !== data.id) {
    strip?.close()
    strip = new Strip(root, data)
    strips.set(parentElement, strip)
    if (isPhone.matches) requestAnimationFrame(() => scrollTo(root))
  }
  strip.update(data.frames)
  return () => { strip.close(); strips.delete(parentElement) }
}

// Where the page is one column, whoever starts a walk may see no more than the strip's upper edge.
function scrollTo(root) {
  root.scrollIntoView({ block: "nearest", behavior: reducedMotion.matches ? "auto" : "smooth" })
}

class Strip {
  constructor(root, { id, total, alt, ratio }) {
    root.style.setProperty("--ratio", ratio)
    this.id = id
    this.total = total
    this.alt = alt
    this.images = new Map()               // index -> loaded image
    this.urls = new Map()                 // index -> URL requested last
    this.direction = 1
    this.now = root.querySelector(".now")
    this.now.removeAttribute("src")
    this.button = root.querySelector(".play")
    this.button.onclick = () => this.setPlaying(!this.playing)
    this.button.hidden = true             // until there are two frames to play
    this.strip = root.querySelector(".strip")
    this.cells = Array.from({ length: Math.min(total, MAX_CELLS) }, () => {
      const cell = document.createElement("div")
      cell.className = "cell"
      return cell
    })
    this.strip.classList.toggle("dense", this.cells.length > 48)
    this.strip.replaceChildren(...this.cells)
    this.setPlaying(!reducedMotion.matches)
  }

  update(frames) {
    const ready = frames.filter(([, , rough]) => !rough).length
    this.strip.setAttribute("aria-label", `${ready} of ${this.total} frames are ready`)
    for (const [index, url, rough] of frames) {
      if (this.urls.get(index) === url) continue
      this.urls.set(index, url)
      const image = new Image()
      image.alt = ""
      image.className = rough ? "rough" : ""
      image.onload = () => this.urls.get(index) === url && this.addImage(index, image)
      image.src = url
    }
  }

  addImage(index, image) {
    this.images.set(index, image)
    this.indices = [...this.images.keys()].sort((a, b) => a - b)
    this.button.hidden = this.indices.length < 2
    const cell = this.cells[Math.floor(index * this.cells.length / this.total)]
    if (cell && (!cell.firstChild || cell.index === index)) {
      cell.index = index
      cell.replaceChildren(image.cloneNode())
    }
    if (this.at === undefined || !this.playing) this.show(index)
  }

  show(index) {
    this.at = index
    this.now.src = this.images.get(index).src
    this.now.alt = this.alt
  }

  setPlaying(playing) {
    this.playing = playing
    this.button.classList.toggle("paused", !playing)
    this.button.setAttribute("aria-label", playing ? "Pause the rough film" : "Play the rough film")
    clearTimeout(this.timer)
    if (playing) this.step()
  }

  step() {
    const { indices } = this
    if (indices?.length > 1) {
      // Frames arrive between steps, so the next one is the next finished index.
      let next = this.nextIndex(this.direction)
      if (next === undefined) next = this.nextIndex(this.direction = -this.direction)
      this.show(next)
    }
    const delay = Math.max(MIN_DELAY, DURATION / Math.max(1, (indices?.length ?? 1) - 1))
    this.timer = setTimeout(() => this.step(), delay)
  }

  nextIndex(direction) {
    return direction > 0
      ? this.indices.find(index => index > this.at)
      : this.indices.findLast(index => index < this.at)
  }

  close() {
    clearTimeout(this.timer)
  }
}
