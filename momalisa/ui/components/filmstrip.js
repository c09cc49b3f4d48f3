// A walk being made: its frames at their places on a strip, and above it the rough film that
// they already are. It plays back and forth in the same time however few its frames are, so it
// does not get faster as it fills: it gets smoother.

const ROUND = 2600                        // milliseconds from one end to the other
const QUICKEST = 80                       // milliseconds a frame
const MOST_CELLS = 96
const still = matchMedia("(prefers-reduced-motion: reduce)")
const strips = new WeakMap()

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".making")
  let strip = strips.get(parentElement)
  if (strip?.id !== data.id) {
    strip?.close()
    strip = new Strip(root, data)
    strips.set(parentElement, strip)
  }
  strip.add(data.frames)
  return () => { strip.close(); strips.delete(parentElement) }
}

class Strip {
  constructor(root, { id, total, alt }) {
    this.id = id
    this.total = total
    this.alt = alt
    this.pictures = new Map()             // place -> a picture that has arrived
    this.asked = new Map()                // place -> the address asked for last
    this.way = 1
    this.now = root.querySelector(".now")
    this.now.removeAttribute("src")
    this.button = root.querySelector(".play")
    this.button.onclick = () => this.set(!this.playing)
    this.button.hidden = true             // until there are two frames to play
    this.strip = root.querySelector(".strip")
    this.cells = Array.from({ length: Math.min(total, MOST_CELLS) }, () => {
      const cell = document.createElement("div")
      cell.className = "cell"
      return cell
    })
    this.strip.classList.toggle("dense", this.cells.length > 48)
    this.strip.replaceChildren(...this.cells)
    this.set(!still.matches)
  }

  add(frames) {
    const ready = frames.filter(([, , rough]) => !rough).length
    this.strip.setAttribute("aria-label", `${ready} of ${this.total} frames are ready`)
    for (const [place, url, rough] of frames) {
      if (this.asked.get(place) === url) continue
      this.asked.set(place, url)
      const picture = new Image()
      picture.alt = ""
      picture.className = rough ? "rough" : ""
      picture.onload = () => this.asked.get(place) === url && this.arrived(place, picture)
      picture.src = url
    }
  }

  arrived(place, picture) {
    this.pictures.set(place, picture)
    this.places = [...this.pictures.keys()].sort((a, b) => a - b)
    this.button.hidden = this.places.length < 2
    const cell = this.cells[Math.floor(place * this.cells.length / this.total)]
    if (cell && (!cell.firstChild || cell.place === place)) {
      cell.place = place
      cell.replaceChildren(picture.cloneNode())
    }
    if (this.at === undefined || !this.playing) this.show(place)
  }

  show(place) {
    this.at = place
    this.now.src = this.pictures.get(place).src
    this.now.alt = this.alt
  }

  set(playing) {
    this.playing = playing
    this.button.classList.toggle("paused", !playing)
    this.button.setAttribute("aria-label", playing ? "Pause the rough film" : "Play the rough film")
    clearTimeout(this.timer)
    if (playing) this.step()
  }

  step() {
    const { places } = this
    if (places?.length > 1) {
      // Frames arrive between the steps, so the next one is looked for by place, not by number.
      let next = this.beyond(this.way)
      if (next === undefined) next = this.beyond(this.way = -this.way)
      this.show(next)
    }
    const pause = Math.max(QUICKEST, ROUND / Math.max(1, (places?.length ?? 1) - 1))
    this.timer = setTimeout(() => this.step(), pause)
  }

  beyond(way) {
    return way > 0
      ? this.places.find(place => place > this.at)
      : this.places.findLast(place => place < this.at)
  }

  close() {
    clearTimeout(this.timer)
  }
}
