// One or two films on one clock: play, pause, scrub, arrow keys.
//
// The frames are taken out of each GIF once, with ImageDecoder. A browser without it (or an
// address without https) shows the GIFs themselves, and pauses on their first frame.

const BUDGET = 48e6                       // decoded pixels kept, all films together
const players = new WeakMap()
const still = matchMedia("(prefers-reduced-motion: reduce)")

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".player")
  const wanted = JSON.stringify(data.films)
  let player = players.get(parentElement)
  if (player?.wanted !== wanted) {
    player?.close()
    player = new Player(root, data.films)
    player.wanted = wanted
    players.set(parentElement, player)
  }
  return () => { player.close(); players.delete(parentElement) }
}

class Player {
  constructor(root, films) {
    this.root = root
    this.button = root.querySelector(".play")
    this.range = root.querySelector(".place")
    this.count = root.querySelector(".count")
    this.sorry = root.querySelector(".sorry")
    this.sorry.textContent = ""
    root.classList.remove("plain")
    root.classList.toggle("duo", films.length === 2)
    this.screens = films.map(film => new Screen(film))
    root.querySelector(".screens").replaceChildren(...this.screens.map(screen => screen.element))
    this.at = 0                           // the clock: 0 at the start of a round, 1 at its end
    this.set(!still.matches)
    this.button.onclick = () => this.set(!this.playing)
    this.range.oninput = () => { this.set(false); this.seek(Number(this.range.value)) }
    this.load()
  }

  async load() {
    try {
      const share = BUDGET / this.screens.length
      await Promise.all(this.screens.map(screen => screen.decode(share)))
    } catch (problem) {
      if (this.closed) return
      if (problem instanceof Missing) this.sorry.textContent = problem.message
      else this.plainly()
      return
    }
    if (this.closed) return this.close()
    this.frames = Math.max(...this.screens.map(screen => screen.frames.length))
    this.seconds = Math.max(...this.screens.map(screen => screen.seconds))
    this.once = this.screens.every(screen => screen.once)
    this.range.max = String(this.frames - 1)
    this.draw()
    this.set(this.playing)
  }

  plainly() {
    this.root.classList.add("plain")
    for (const screen of this.screens) screen.plain(this.playing)
  }

  set(playing) {
    this.playing = playing
    this.button.classList.toggle("paused", !playing)
    this.button.setAttribute("aria-label", playing ? "Pause" : "Play")
    cancelAnimationFrame(this.timer)
    if (this.root.classList.contains("plain")) return this.plainly()
    if (!playing || !this.frames) return
    if (this.once && this.at >= 1) this.at = 0
    this.last = performance.now()
    this.timer = requestAnimationFrame(now => this.tick(now))
  }

  tick(now) {
    this.at += (now - this.last) / 1000 / this.seconds
    this.last = now
    if (this.at >= 1) {
      this.at = this.once ? 1 : this.at % 1
      if (this.once) this.set(false)
    }
    this.draw()
    if (this.playing) this.timer = requestAnimationFrame(next => this.tick(next))
  }

  seek(place) {
    this.at = (place + 0.5) / this.frames
    this.draw()
  }

  draw() {
    const place = Math.min(this.frames - 1, Math.floor(this.at * this.frames))
    for (const screen of this.screens) screen.draw(this.at)
    if (this.shown === place) return
    this.shown = place
    this.range.value = String(place)
    this.range.setAttribute("aria-valuetext", `Frame ${place + 1} of ${this.frames}`)
    this.count.textContent = `${place + 1} / ${this.frames}`
  }

  close() {
    this.closed = true
    cancelAnimationFrame(this.timer)
    for (const screen of this.screens) screen.close()
  }
}

class Missing extends Error {}

class Screen {
  constructor({ url, alt, title, poster, size }) {
    this.url = url
    this.alt = alt
    this.frames = []
    this.element = document.createElement("figure")
    this.element.className = "screen"
    this.canvas = document.createElement("canvas")
    this.canvas.width = this.canvas.height = size
    this.canvas.setAttribute("role", "img")
    this.canvas.setAttribute("aria-label", alt)
    if (poster) this.canvas.style.backgroundImage = `url("${poster}")`
    this.element.append(this.canvas)
    if (title) {
      const caption = document.createElement("figcaption")
      caption.textContent = title
      this.element.append(caption)
    }
  }

  async decode(budget) {
    const answer = await fetch(this.url)
    if (answer.status === 503) {
      throw new Missing("The storage is out of reach just now. Please try again in a moment.")
    }
    if (!answer.ok) throw new Missing("The film's file is not where it should be.")
    const decoder = new ImageDecoder({ data: await answer.arrayBuffer(), type: "image/gif" })
    await decoder.tracks.ready
    await decoder.completed
    const track = decoder.tracks.selectedTrack
    this.once = track.repetitionCount === 0
    this.ends = []
    this.seconds = 0
    for (let frameIndex = 0; frameIndex < track.frameCount && !this.closed; frameIndex++) {
      const { image } = await decoder.decode({ frameIndex })
      const { displayWidth: width, displayHeight: height } = image
      // A long, large film is kept smaller than it is stored: memory is finite.
      const scale = Math.min(1, Math.sqrt(budget / (width * height * track.frameCount)))
      this.seconds += (image.duration || 1e5) / 1e6
      this.ends.push(this.seconds)
      this.frames.push(await createImageBitmap(image, {
        resizeWidth: Math.max(1, Math.round(width * scale)), resizeQuality: "high",
      }))
      image.close()
    }
    decoder.close()
    this.canvas.width = this.frames[0].width
    this.canvas.height = this.frames[0].height
    this.pen = this.canvas.getContext("2d")
  }

  draw(at) {
    let place = this.ends.findIndex(end => at * this.seconds < end)
    if (place < 0) place = this.frames.length - 1
    if (this.shown === place) return
    this.shown = place
    this.pen.drawImage(this.frames[place], 0, 0)
  }

  plain(playing) {
    if (!this.image) {
      this.image = document.createElement("img")
      this.image.alt = this.alt
      this.image.onload = () => this.freeze()
      this.image.src = this.url
      this.canvas.before(this.image)
    }
    this.image.hidden = !playing
    this.canvas.hidden = playing
    this.image.style.display = playing ? "block" : "none"
    this.canvas.style.display = playing ? "none" : "block"
  }

  freeze() {
    // Drawing an animated picture draws its first frame.
    this.canvas.width = this.image.naturalWidth
    this.canvas.height = this.image.naturalHeight
    this.canvas.getContext("2d").drawImage(this.image, 0, 0)
  }

  close() {
    this.closed = true
    for (const frame of this.frames) frame.close()
    this.frames = []
  }
}
