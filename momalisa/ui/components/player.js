// One or two films on one clock: play, pause, speed, scrub, arrow keys. Two are shown side by side,
// or as one picture: with a wipe from one to the other, or as their difference.
//
// The frames are taken out of each GIF once, with ImageDecoder. A browser without it (or an
// address without https) shows the GIFs themselves, and pauses on their first frame.

const BUDGET = 48e6                       // decoded pixels kept, all films together
const AGAIN = 5000                        // milliseconds until a film out of reach is tried again
const PARTS = [
  "play", "place", "count", "sorry", "both", "handle", "legend", "curves", "choices", "speed",
]
const VIEWS = ["side", "wipe", "difference"]
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
    for (const part of PARTS) this[part] = root.querySelector(`.${part}`)
    this.duo = films.length === 2
    this.sorry.textContent = ""
    root.classList.remove("plain")
    root.classList.toggle("duo", this.duo)
    this.screens = films.map(film => new Screen(film))
    root.querySelector(".screens").replaceChildren(...this.screens.map(screen => screen.element))
    this.at = 0                           // the clock: 0 at the start of a round, 1 at its end
    this.set(!still.matches)
    this.play.onclick = () => this.set(!this.playing)
    this.place.oninput = () => this.seek(Number(this.place.value))
    root.onkeydown = event => this.press(event)
    this.choices.hidden = !this.duo
    if (this.duo) this.pair(films)
    this.load()
  }

  pair(films) {
    this.pen = this.both.querySelector("canvas").getContext("2d")
    this.pen.canvas.setAttribute("aria-label", films.map(film => film.alt).join("; "))
    this.handle.oninput = () => this.draw()
    this.choices.onchange = ({ target }) => {
      if (target.name !== "view") return
      remember(target.value)
      this.look(target.value)
    }
    const named = new URLSearchParams(location.search).get("view")
    this.look(VIEWS.includes(named) ? named : VIEWS[0])
    this.plot(films.map(film => film.changes))
  }

  async load() {
    try {
      const share = BUDGET / this.screens.length
      await Promise.all(this.screens.map(screen => screen.decode(share)))
    } catch (problem) {
      if (this.closed) return
      if (!(problem instanceof Missing)) return this.plainly()
      this.sorry.textContent = problem.message
      if (problem instanceof Away) this.again = setTimeout(() => this.load(), AGAIN)
      return
    }
    if (this.closed) return this.close()
    this.sorry.textContent = ""
    this.frames = Math.max(...this.screens.map(screen => screen.frames.length))
    this.seconds = Math.max(...this.screens.map(screen => screen.seconds))
    this.once = this.screens.every(screen => screen.once)
    this.place.max = String(this.frames - 1)
    if (this.duo) {
      this.pen.canvas.width = Math.max(...this.screens.map(screen => screen.canvas.width))
      this.pen.canvas.height = Math.max(...this.screens.map(screen => screen.canvas.height))
    }
    this.draw()
    this.set(this.playing)
  }

  plainly() {
    this.root.classList.add("plain")
    for (const screen of this.screens) screen.plain(this.playing)
    if (!this.duo) return
    this.look("side")
    this.choices.hidden = this.curves.hidden = true
    this.sorry.textContent =
      "This browser cannot take films apart, so they play only side by side, each on its own clock."
  }

  look(view) {
    this.view = view
    this.choices.querySelector(`[value=${view}]`).checked = true
    this.root.classList.toggle("single", view !== "side")
    this.both.hidden = view === "side"
    this.both.classList.toggle("difference", view === "difference")
    this.legend.hidden = view !== "difference"
    this.draw()
  }

  plot(changes) {
    const most = Math.max(...changes.flat())
    this.curves.hidden = !(most > 0)
    this.root.classList.toggle("curved", most > 0)
    if (this.curves.hidden) return
    this.curves.querySelectorAll("polyline").forEach((line, n) => {
      const points = changes[n].map((change, i) => [(i + 0.5) / changes[n].length, 1 - change / most])
      line.setAttribute("points", points.join(" "))
    })
    this.curves.querySelector("p").textContent =
      `Change from frame to frame, at most ${most.toPrecision(2)}`
  }

  set(playing) {
    this.playing = playing
    this.play.classList.toggle("paused", !playing)
    this.play.setAttribute("aria-label", playing ? "Pause" : "Play")
    cancelAnimationFrame(this.timer)
    if (this.root.classList.contains("plain")) return this.plainly()
    if (!playing || !this.frames) return
    if (this.once && this.at >= 1) this.at = 0
    this.last = performance.now()
    this.timer = requestAnimationFrame(now => this.tick(now))
  }

  tick(now) {
    this.at += (now - this.last) / 1000 / this.seconds * Number(this.speed.value)
    this.last = now
    if (this.at >= 1) {
      this.at = this.once ? 1 : this.at % 1
      if (this.once) this.set(false)
    }
    this.draw()
    if (this.playing) this.timer = requestAnimationFrame(next => this.tick(next))
  }

  seek(place) {
    this.set(false)
    if (!this.frames) return
    this.at = (Math.max(0, Math.min(this.frames - 1, place)) + 0.5) / this.frames
    this.draw()
  }

  press(event) {
    const { key, target } = event
    const step = { ArrowLeft: -1, ArrowRight: 1 }[key]
    // Elsewhere these keys have a meaning of their own.
    if (key === " " && target.matches("[type=range]")) this.set(!this.playing)
    else if (step && target === this.play) this.seek(this.shown + step)
    else return
    event.preventDefault()
  }

  draw() {
    if (!this.frames) return
    const place = Math.min(this.frames - 1, Math.floor(this.at * this.frames))
    const pictures = this.screens.map(screen => screen.draw(this.at))
    if (this.duo && this.view !== "side") this.overlay(pictures)
    if (this.shown === place) return
    this.shown = place
    this.place.value = String(place)
    this.place.setAttribute("aria-valuetext", `Frame ${place + 1} of ${this.frames}`)
    this.count.textContent = `${place + 1} / ${this.frames}`
    const way = place / Math.max(1, this.frames - 1)
    this.curves.querySelector(".mark").setAttribute("d", `M${way} 0V1`)
  }

  overlay([first, second]) {
    const { width, height } = this.pen.canvas
    const wiped = this.handle.value / 100
    this.both.style.setProperty("--at", `${100 * wiped}%`)
    this.pen.save()
    this.pen.fillRect(0, 0, width, height)
    fit(this.pen, first)
    if (this.view === "difference") {
      this.pen.globalCompositeOperation = "difference"
    } else {
      this.pen.beginPath()
      this.pen.rect(wiped * width, 0, width, height)
      this.pen.clip()
      this.pen.fillRect(0, 0, width, height)
    }
    fit(this.pen, second)
    this.pen.restore()
  }

  close() {
    this.closed = true
    clearTimeout(this.again)
    cancelAnimationFrame(this.timer)
    for (const screen of this.screens) screen.close()
  }
}

// Draw a picture as large as the canvas allows, in its middle.
function fit(pen, picture) {
  const scale = Math.min(pen.canvas.width / picture.width, pen.canvas.height / picture.height)
  const [wide, high] = [picture.width * scale, picture.height * scale]
  pen.drawImage(picture, (pen.canvas.width - wide) / 2, (pen.canvas.height - high) / 2, wide, high)
}

// Keep the view in the URL, for whoever the link is sent to.
function remember(view) {
  const here = new URL(location)
  here.searchParams.set("view", view)
  history.replaceState(history.state, "", here)
}

class Missing extends Error {}

class Away extends Missing {
  message = "The storage is out of reach just now. The film plays once it is back."
}

// An address that answers, only not to a script, is no reason to wait: the film plays as a picture.
async function fetched(url) {
  try {
    return await fetch(url)
  } catch (problem) {
    await fetch(url, { method: "HEAD", mode: "no-cors" }).catch(() => { throw new Away() })
    throw problem
  }
}

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

  // Once; after a failure, anew.
  decode(budget) {
    this.decoding ??= this.taken(budget).catch(problem => {
      this.decoding = undefined
      throw problem
    })
    return this.decoding
  }

  async taken(budget) {
    const answer = await fetched(this.url)
    if (answer.status === 503) throw new Away()
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
    const picture = this.frames[place]
    if (this.shown !== place) this.pen.drawImage(picture, 0, 0)
    this.shown = place
    return picture
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
