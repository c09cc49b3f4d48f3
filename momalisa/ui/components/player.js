// Plays one film, or two in sync: play, pause, speed, slider, arrow keys. Two films are shown side
// by side, or as one picture: with a wipe between them, or as their difference.
//
// A film is a WebP or a GIF, whose frames are decoded once, with ImageDecoder. Without it (older
// browsers, pages without https) the films themselves are shown; they pause on their first frame.
// Where the WebP cannot be had, or is cut short, its GIF is shown instead.

const MAX_PIXELS = 48e6                   // decoded pixels in memory, of all films together
const GONE = [404, 410]                   // any other refusal of a bucket or a server may pass
const RETRY = 5000                        // milliseconds until a failed film is loaded again
const PARTS = [
  "play", "place", "count", "message", "both", "handle", "legend", "curves", "choices", "speed",
]
const VIEWS = ["side", "wipe", "difference"]
const players = new WeakMap()
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)")

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".player")
  const films = JSON.stringify(data.films)
  let player = players.get(parentElement)
  if (player?.films !== films) {
    player?.close()
    player = new Player(root, data.films)
    player.films = films
    players.set(parentElement, player)
  }
  return () => { player.close(); players.delete(parentElement) }
}

class Player {
  constructor(root, films) {
    this.root = root
    for (const part of PARTS) this[part] = root.querySelector(`.${part}`)
    this.isPair = films.length === 2
    this.message.textContent = ""
    root.classList.remove("plain")
    root.classList.toggle("duo", this.isPair)
    // Of the widest, so that none is higher than the controls leave room for.
    root.style.setProperty("--ratio", Math.max(...films.map(film => film.width / film.height)))
    this.screens = films.map(film => new Screen(film))
    root.querySelector(".screens").replaceChildren(...this.screens.map(screen => screen.element))
    this.time = 0                         // 0 at the start of the film, 1 at its end
    this.setPlaying(!reducedMotion.matches)
    this.play.onclick = () => this.setPlaying(!this.playing)
    this.place.oninput = () => this.seek(Number(this.place.value))
    this.speed.onchange = () => this.setPlaying(this.playing)
    root.onkeydown = event => this.onKey(event)
    this.choices.hidden = !this.isPair
    if (this.isPair) this.setUpPair(films)
    this.load()
  }

  setUpPair(films) {
    this.context = this.both.querySelector("canvas").getContext("2d")
    this.context.canvas.setAttribute("aria-label", films.map(film => film.alt).join("; "))
    this.handle.oninput = () => this.draw()
    this.choices.onchange = ({ target }) => {
      if (target.name !== "view") return
      saveViewInUrl(target.value)
      this.setView(target.value)
    }
    const view = new URLSearchParams(location.search).get("view")
    this.setView(VIEWS.includes(view) ? view : VIEWS[0])
    this.drawCurves(films.map(film => film.changes))
  }

  async load() {
    try {
      const share = MAX_PIXELS / this.screens.length
      await Promise.all(this.screens.map(screen => screen.decode(share)))
    } catch (error) {
      if (this.closed) return
      if (!(error instanceof Missing)) return this.showPlain()
      this.message.textContent = error.message
      if (error instanceof Unreachable) this.retry = setTimeout(() => this.load(), RETRY)
      return
    }
    if (this.closed) return this.close()
    this.message.textContent = ""
    this.frames = Math.max(...this.screens.map(screen => screen.frames.length))
    this.seconds = Math.max(...this.screens.map(screen => screen.seconds))
    this.once = this.screens.every(screen => screen.once)
    this.place.max = String(this.frames - 1)
    if (this.isPair) {
      this.context.canvas.width = Math.max(...this.screens.map(screen => screen.canvas.width))
      this.context.canvas.height = Math.max(...this.screens.map(screen => screen.canvas.height))
    }
    this.draw()
    this.setPlaying(this.playing)
  }

  showPlain() {
    this.root.classList.add("plain")
    for (const screen of this.screens) screen.showPlain(this.playing)
    if (!this.isPair) return
    this.setView("side")
    this.choices.hidden = this.curves.hidden = true
    this.message.textContent =
      "This browser cannot take films apart, so they play only side by side, each on its own clock."
  }

  setView(view) {
    this.view = view
    this.choices.querySelector(`[value=${view}]`).checked = true
    this.root.classList.toggle("single", view !== "side")
    this.both.hidden = view === "side"
    this.both.classList.toggle("difference", view === "difference")
    this.legend.hidden = view !== "difference"
    this.draw()
  }

  drawCurves(changes) {
    const largest = Math.max(...changes.flat())
    this.curves.hidden = !(largest > 0)
    this.root.classList.toggle("curved", largest > 0)
    if (this.curves.hidden) return
    this.curves.querySelectorAll("polyline").forEach((line, n) => {
      const points = changes[n].map((change, i) => [(i + 0.5) / changes[n].length, 1 - change / largest])
      line.setAttribute("points", points.join(" "))
    })
    this.curves.querySelector("p").textContent =
      `Change from frame to frame, at most ${largest.toPrecision(2)}`
  }

  setPlaying(playing) {
    this.playing = playing
    this.play.classList.toggle("paused", !playing)
    this.play.setAttribute("aria-label", playing ? "Pause" : "Play")
    this.stopTicking()
    if (this.root.classList.contains("plain")) return this.showPlain()
    if (!playing || !this.frames) return
    if (this.once && this.time >= 1) this.time = 0
    this.last = performance.now()
    this.waitForFrame()
  }

  // Sleeps until the next frame is due, and then until the screen is drawn: to look sixty times a
  // second at films of ten frames took a tenth of a core.
  waitForFrame() {
    const ends = this.screens.map(screen => screen.endOfFrame(this.time))
    const due = Math.min((this.shown + 1) / this.frames, ...ends)
    const seconds = (due - this.time) * this.seconds / Number(this.speed.value)
    this.sleep = setTimeout(() => {
      this.timer = requestAnimationFrame(now => this.tick(now))
    }, 1000 * seconds)
  }

  stopTicking() {
    clearTimeout(this.sleep)
    cancelAnimationFrame(this.timer)
  }

  tick(now) {
    this.time += (now - this.last) / 1000 / this.seconds * Number(this.speed.value)
    this.last = now
    if (this.time >= 1) {
      this.time = this.once ? 1 : this.time % 1
      if (this.once) this.setPlaying(false)
    }
    this.draw()
    if (this.playing) this.waitForFrame()
  }

  seek(place) {
    this.setPlaying(false)
    if (!this.frames) return
    this.time = (Math.max(0, Math.min(this.frames - 1, place)) + 0.5) / this.frames
    this.draw()
  }

  onKey(event) {
    const { key, target } = event
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key]
    // On other elements these keys have another meaning.
    if (key === " " && target.matches("[type=range]")) this.setPlaying(!this.playing)
    else if (step && target === this.play) this.seek(this.shown + step)
    else return
    event.preventDefault()
  }

  draw() {
    if (!this.frames) return
    const place = Math.min(this.frames - 1, Math.floor(this.time * this.frames))
    const pictures = this.screens.map(screen => screen.draw(this.time))
    if (this.isPair && this.view !== "side") this.overlay(pictures)
    if (this.shown === place) return
    this.shown = place
    this.place.value = String(place)
    this.place.setAttribute("aria-valuetext", `Frame ${place + 1} of ${this.frames}`)
    this.count.textContent = `${place + 1} / ${this.frames}`
    const way = place / Math.max(1, this.frames - 1)
    this.curves.querySelector(".mark").setAttribute("d", `M${way} 0V1`)
  }

  overlay([first, second]) {
    const { width, height } = this.context.canvas
    const split = this.handle.value / 100
    this.both.style.setProperty("--at", `${100 * split}%`)
    this.context.save()
    this.context.fillRect(0, 0, width, height)
    drawFitted(this.context, first)
    if (this.view === "difference") {
      this.context.globalCompositeOperation = "difference"
    } else {
      this.context.beginPath()
      this.context.rect(split * width, 0, width, height)
      this.context.clip()
      this.context.fillRect(0, 0, width, height)
    }
    drawFitted(this.context, second)
    this.context.restore()
  }

  close() {
    this.closed = true
    clearTimeout(this.retry)
    this.stopTicking()
    for (const screen of this.screens) screen.close()
  }
}

// Draws a picture centred and as large as the canvas allows.
function drawFitted(context, picture) {
  const { canvas } = context
  const scale = Math.min(canvas.width / picture.width, canvas.height / picture.height)
  const [width, height] = [picture.width * scale, picture.height * scale]
  const [x, y] = [(canvas.width - width) / 2, (canvas.height - height) / 2]
  context.drawImage(picture, x, y, width, height)
}

// Stores the view in the URL, so that a shared link shows it.
function saveViewInUrl(view) {
  const url = new URL(location)
  url.searchParams.set("view", view)
  history.replaceState(history.state, "", url)
}

// The type of a film by its first bytes: a GIF's are "GIF8", a WebP's "RIFF".
function typeOf(data) {
  return new Uint8Array(data)[0] === "R".charCodeAt(0) ? "image/webp" : "image/gif"
}

// Whether a WebP has as many bytes as it says.
function isWhole(data) {
  return data.byteLength >= 12 && typeOf(data) === "image/webp" &&
    new DataView(data).getUint32(4, true) + 8 <= data.byteLength
}

class Missing extends Error {}

class Unreachable extends Missing {
  message = "The storage is out of reach just now. The film plays once it is back."
}

// Fetches a film's bytes. Throws Unreachable if the storage or the server does not respond: a
// response that CORS withholds from scripts can still be shown as an image.
async function fetchFilm(url, cache = "default") {
  let response
  try {
    response = await fetch(url, { cache })
  } catch (error) {
    await fetch(url, { method: "HEAD", mode: "no-cors" }).catch(() => { throw new Unreachable() })
    throw error
  }
  if (GONE.includes(response.status)) throw new Missing("The film's file is not where it should be.")
  if (!response.ok) throw new Unreachable()
  return response.arrayBuffer()
}

// Fetches a film's WebP, anew if the one in the browser's cache is cut short; else its GIF.
async function fetchFirst([url, fallback]) {
  if (!fallback) return fetchFilm(url)
  for (const cache of ["default", "reload"]) {
    try {
      const data = await fetchFilm(url, cache)
      if (isWhole(data)) return data
    } catch (error) {
      if (!(error instanceof Missing) || error instanceof Unreachable) throw error
      break
    }
  }
  return fetchFilm(fallback)
}

class Screen {
  constructor({ url, fallback, alt, title, poster, width, height }) {
    this.urls = fallback ? [url, fallback] : [url]
    this.alt = alt
    this.frames = []
    this.element = document.createElement("figure")
    this.element.className = "screen"
    this.canvas = document.createElement("canvas")
    this.canvas.width = width
    this.canvas.height = height
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

  // Decodes once; a failed attempt can be repeated.
  decode(maxPixels) {
    this.decoding ??= this.decodeFrames(maxPixels).catch(error => {
      this.decoding = undefined
      throw error
    })
    return this.decoding
  }

  async decodeFrames(maxPixels) {
    const data = await fetchFirst(this.urls)
    const decoder = new ImageDecoder({ data, type: typeOf(data) })
    await decoder.tracks.ready
    await decoder.completed
    const track = decoder.tracks.selectedTrack
    this.once = track.repetitionCount === 0
    this.ends = []
    this.seconds = 0
    for (let frameIndex = 0; frameIndex < track.frameCount && !this.closed; frameIndex++) {
      const { image } = await decoder.decode({ frameIndex })
      const { displayWidth: width, displayHeight: height } = image
      // Long and large films are scaled down to limit memory.
      const scale = Math.min(1, Math.sqrt(maxPixels / (width * height * track.frameCount)))
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
    this.context = this.canvas.getContext("2d")
  }

  // The time, 0 to 1, at which the frame that is shown at another ends.
  endOfFrame(time) {
    return this.ends[this.placeAt(time)] / this.seconds
  }

  placeAt(time) {
    const place = this.ends.findIndex(end => time * this.seconds < end)
    return place < 0 ? this.frames.length - 1 : place
  }

  draw(time) {
    const place = this.placeAt(time)
    const picture = this.frames[place]
    if (this.shown !== place) this.context.drawImage(picture, 0, 0)
    this.shown = place
    return picture
  }

  showPlain(playing) {
    if (!this.image) {
      this.image = document.createElement("img")
      this.image.alt = this.alt
      this.image.onload = () => this.freeze()
      const [url, ...others] = this.urls
      this.image.onerror = () => { if (others.length) this.image.src = others.shift() }
      this.image.src = url
      this.canvas.before(this.image)
    }
    this.image.hidden = !playing
    this.canvas.hidden = playing
  }

  freeze() {
    // Drawing an animated image draws its first frame.
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
