// A slider over a walk, or over two walks at once. While one drags, the worker is asked for the
// newest place again and again. The next question is sent shortly before the last one's answer is
// due, so that the worker need not wait for it, but no more than two are under way at a time, so that
// nothing queues up.
// Where no worker answers at once, the exact picture is asked for when the slider rests, and the
// nearest finished frame is shown meanwhile, faint.
//
// Beside the slider, the prompts that are being typed are painted.

const REST = 150                          // milliseconds without a move before the slow question
const TYPING = 80                         // milliseconds without a key before a prompt is painted
const MOST_TRIP = 20000                   // milliseconds until an answer is not waited for any more
const AGAIN = 5000                        // milliseconds from a question without picture to the next
const AGAIN_SLOWLY = 30000                // the same of the slow question
const MIDDLE = 0.5
const TOLERANCE = 0.0049                  // half a step of the slider
const NEAR = 0.04                         // pictures farther away are faint, while one drags
const RECENT = 100                        // milliseconds of moves that tell where a drag leads
const AHEAD = 60                          // milliseconds from the next question to the last answer
const SPARE = 60                          // milliseconds that an answer may take longer than the last
const FORESIGHT = 300                     // most milliseconds that a drag is thought ahead
const MAX_PIXELS = 12e6                   // of all pictures in memory
const AT_ONCE = 4                         // pictures in a question ahead of a drag
const MOST_AHEAD = 15000                  // most milliseconds of painting ahead of drags over a draft
const REFUSED = [404, 422]                // a worker would not paint these either
const scrubbers = new WeakMap()

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".scrubber")
  let scrubber = scrubbers.get(parentElement)
  if (scrubber?.id !== data.id) {
    scrubber?.close()
    scrubber = new Scrubber(root, data)
    scrubbers.set(parentElement, scrubber)
  } else {
    scrubber.update(data)
  }
  scrubber.choose = as_end => setTriggerValue("chosen", { position: scrubber.position, as_end })
  return () => { scrubber.close(); scrubbers.delete(parentElement) }
}

class Scrubber {
  constructor(root, data) {
    this.root = root
    for (const part of ["way", "at", "now", "here", "empty"]) this[part] = root.querySelector(`.${part}`)
    this.slider = root.querySelector(".spot")
    this.screens = data.tracks.map(() => new Screen())
    root.classList.toggle("duo", this.screens.length > 1)
    root.querySelector(".screens").replaceChildren(...this.screens.map(screen => screen.element))
    this.trip = REST                      // milliseconds that the last answers took
    this.underWay = []                    // of questions: the answer to come, and its places
    this.directAgain = 0                  // when the worker may be asked directly again
    this.reason = ""                      // why the worker paints nothing at once, if it was said
    this.isAway = false                   // whether that keeps the slow way waiting, too
    this.take(data)
    this.slider.value = this.nearestFrame(MIDDLE) ?? MIDDLE
    this.label()
    this.slider.oninput = () => this.onMove()
    for (const name of ["begin", "end"]) {
      root.querySelector(`.${name}`).onclick = () => this.choose(name === "end")
    }
    this.onInput = event => this.onTyped(event)
    if (this.stops.length) document.addEventListener("input", this.onInput, true)
    // In a closed expander, or below what is seen, nothing is loaded.
    this.observer = new IntersectionObserver(entries => {
      this.isVisible = entries.at(-1).isIntersecting  // a busy page hears of several changes at once
      if (this.isVisible) this.onSight()
    })
    this.observer.observe(root)
  }

  take(data) {
    this.data = data
    this.root.style.setProperty("--ratio", data.ratio)
    this.id = data.id
    this.legs = data.legs                 // [from, to], as prompts; none before both are typed
    this.frames = data.frames             // [position, URL]
    this.stillUrl = data.still_url        // of the slow way; blank if it is not open
    this.liveUrl = data.live_url          // of the direct way, likewise
    this.stops = data.stops               // {field, prompt, seed} of each prompt that can be typed
    this.startsAlone = this.stops.length > 0
    this.hint = data.hint                 // shown below while there is no other message
    this.tracks = data.tracks             // {title, curve}: what `t` each screen shows on a leg
    this.pictures = new Map()             // by position; the last one was used last
    this.rough = new Set()                // positions of those that were decoded roughly
    this.missing = new Set()              // positions of frames that the cache has lost
    this.explored = new Set()             // legs that the worker was asked to explore
    this.ahead = data.ahead ?? []         // [leg, t]: places to paint while nothing else is asked for
    this.aheadIsHere = new Set()          // those of them that were painted, by position
    this.aheadTook = 0                    // milliseconds
    this.moves = []
    this.painted = undefined              // the stop whose picture is shown by itself
    this.slider.max = Math.max(1, this.legs.length)
    this.settleTyped()
    this.clearIfEmpty()
    this.way.hidden = !this.legs.length
    this.here.hidden = !data.begins
    this.screens.forEach((screen, n) => screen.setTitle(this.tracks[n].title))
    this.label()
  }

  // The walk may be a draft that is being edited: then its picture is asked for again.
  update(data) {
    const changed = ["still_url", "live_url", "frames", "tracks", "stops", "legs"]
      .some(part => JSON.stringify(data[part]) !== JSON.stringify(this.data?.[part]))
    if (!changed) {
      this.ahead = data.ahead ?? []       // which the number of frames changes, and their pacing
      this.prepare()
      return
    }
    this.cancelSlow()
    this.take(data)
    this.show()
    if (this.wasAsked || this.startsAlone) this.isDirect ? this.ask() : this.askAtRest()
  }

  get position() { return Number(this.slider.value) }

  get isDirect() { return this.liveUrl && performance.now() >= this.directAgain }

  // Where a track is at a position of the slider; both count whole legs.
  onTrack({ curve }, position) {
    if (!curve.length) return round(position)
    const leg = Math.min(Math.floor(position), Math.max(0, this.legs.length - 1))
    const part = (position - leg) * (curve.length - 1)
    const low = Math.min(Math.floor(part), curve.length - 2)
    return round(leg + curve[low] + (part - low) * (curve[low + 1] - curve[low]))
  }

  placesAt(position) { return this.tracks.map(track => this.onTrack(track, position)) }

  nearestFrame(position) { return nearest(this.frames.map(([at]) => at), position) }

  label() {
    if (!this.legs.length) return
    this.slider.setAttribute("aria-valuetext", this.describe(this.position))
    this.placesAt(this.position).forEach((place, n) => {
      this.screens[n].setLabel(`Picture at ${this.describe(place)}`)
    })
    this.at.textContent = this.position.toFixed(2)
  }

  describe(position) {
    const leg = Math.min(Math.floor(position), this.legs.length - 1)
    const [from, to] = this.legs[leg]
    return `${Math.round((position - leg) * 100)} % of the way from ${from} to ${to}`
  }

  // Says that the wall is empty where nothing was shown yet, or what was is gone.
  clearIfEmpty() {
    if (!this.legs.length && !this.stopAlone) {
      this.painted = undefined
      this.screens.forEach(screen => screen.clear())
    }
    if (!this.screens.some(screen => screen.shown)) this.empty.textContent = this.data.empty
  }

  // Shows what is nearest to the slider's place, on each screen.
  show() {
    if (this.typed && this.liveUrl) return
    const faintFrom = this.isDirect ? NEAR : TOLERANCE
    this.placesAt(Number(this.slider.value)).forEach((place, n) => {
      const frame = this.nearestFrame(place)
      if (frame !== undefined && !this.missing.has(frame)) this.loadFrame(frame)
      const found = nearest([...this.pictures.keys()], place)
      if (found === undefined) return this.screens[n].setFaint(true)
      this.empty.textContent = ""
      this.screens[n].show(this.pictures.get(found), found)
      this.screens[n].setFaint(Math.abs(found - place) > faintFrom)
      this.keep(found, this.pictures.get(found))
    })
  }

  loadFrame(position) {
    if (!this.isVisible || this.pictures.has(position)) return
    this.missing.add(position)            // until it is there
    const pictures = this.pictures
    const [, url] = this.frames.find(([at]) => at === position)
    fetch(url).then(response => response.ok ? response.blob() : Promise.reject(response.status))
      .then(createImageBitmap)
      .then(picture => { if (pictures === this.pictures) { this.keep(position, picture, false); this.show() } })
      .catch(() => {})
  }

  // Keeps a picture; those that were not looked at for longest are dropped.
  keep(position, picture, isRough = this.rough.has(position)) {
    isRough ? this.rough.add(position) : this.rough.delete(position)
    this.pictures.delete(position)
    this.pictures.set(position, picture)
    this.most = Math.max(8, MAX_PIXELS / (picture.width * picture.height))
    for (const old of this.pictures.keys()) {
      if (this.pictures.size <= this.most) break
      this.pictures.delete(old)
      this.missing.delete(old)
      this.rough.delete(old)
    }
  }

  onSight() {
    this.show()
    if (this.isDirect && (this.startsAlone || this.data.explores)) this.ask()
    else if (this.startsAlone && this.askedSlowly !== this.position) this.askAtRest()
  }

  onMove() {
    const now = performance.now()
    this.moves = this.moves.filter(([time]) => now - time < RECENT)
    this.moves.push([now, Number(this.slider.value)])
    this.typed = undefined
    this.now.textContent = this.hint
    this.label()
    this.show()
    this.isDirect ? this.ask() : this.askAtRest()
    // An answer that came during the drag may have been the last: then nothing else asks exactly.
    clearTimeout(this.settling)
    this.settling = setTimeout(() => { if (this.isDirect) this.ask() }, REST)
  }

  // Where the slider will be so many milliseconds from now, if the drag goes on as it does.
  foresee(milliseconds) {
    const now = performance.now(), position = Number(this.slider.value)
    const moves = this.moves.filter(([time]) => now - time < RECENT)
    if (moves.length < 2) return position
    const [[since, from], [last, to]] = [moves[0], moves.at(-1)]
    const speed = last > since ? (to - from) / (last - since) : 0
    return Math.min(this.legs.length, Math.max(0, position + speed * milliseconds))
  }

  // Milliseconds between two questions.
  get pause() { return Math.max(this.trip / 2, this.trip - AHEAD) }

  // The places to ask for now: of a drag where it will be when the answer is there for sure, and half
  // way to the next answer, and rough pictures will do; else the slider's own. A place that the drag
  // has passed by then would be painted in vain. Those whose pictures are here or under way are left
  // out.
  wanted() {
    const here = Number(this.slider.value), trip = Math.min(this.trip, FORESIGHT) + SPARE
    const positions = [this.foresee(trip)]
    const isMoving = Math.abs(positions[0] - here) > TOLERANCE
    if (isMoving && this.tracks.length === 1) positions.push(this.foresee(trip + this.pause / 2))
    const places = (isMoving ? positions : [here]).flatMap(position => this.placesAt(position))
    const missing = [...new Set(places)].filter(place =>
      !this.isKnown(place, isMoving) && !this.isAsked(place, isMoving))
    return { places: missing, isRough: isMoving }
  }

  isKnown(place, isRoughEnough = false) {
    const found = nearest([...this.pictures.keys()], place) ?? Infinity
    return Math.abs(found - place) < TOLERANCE && (isRoughEnough || !this.rough.has(found))
  }

  isAsked(place, isRoughEnough) {
    return this.underWay.some(({ places, isRough, pictures }) => pictures === this.pictures &&
      (isRoughEnough || !isRough) && places.some(one => Math.abs(one - place) < TOLERANCE))
  }

  // Asks the worker until the picture of the slider's place, or of the typed prompt, is here.
  async ask() {
    this.wasAsked = true
    if (this.asking || !this.isVisible) return
    const asking = this.asking = new AbortController()
    let isAnswered = false
    this.underWay = []
    try {
      while (!asking.signal.aborted && this.isDirect) {
        const question = this.underWay.length < 2 && this.nextQuestion()
        isAnswered = !question && !this.underWay.length
        if (isAnswered) return
        if (question) this.send(question, asking)
        const next = this.underWay.map(({ answer }) => answer)
        if (question && next.length < 2) next.push(wait(this.pause))
        if (await Promise.race(next) === "refused") return
      }
    } catch {
      if (asking.signal.aborted) return
      this.now.textContent = "The app cannot be reached just now."
      this.waitToAsk()
    } finally {
      if (this.asking === asking) this.asking = undefined
      if (isAnswered) {
        this.forgetReason()
        this.prepare()
      }
    }
  }

  // While nothing else is asked for, has the worker find what it needs of the slider's leg, so that
  // the first picture of a drag need not wait for that; then paint the draft's own frames on it, which
  // a drag finds here, and the walk in the cache. The worker drops these for any other question.
  async prepare() {
    clearTimeout(this.retryAhead)
    if (this.preparing === this.pictures) return
    const pictures = this.preparing = this.pictures
    const rests = () => pictures === this.pictures && this.isVisible && this.isDirect &&
      this.legs.length && !this.asking && !this.typed && !this.closed
    try {
      while (rests() && await this.askAhead()) { /* until all is here */ }
    } catch {
      // Whoever drags next sees that the app cannot be reached.
    } finally {
      if (this.preparing === pictures) this.preparing = undefined
    }
  }

  // Asks for one thing ahead of a drag; returns whether it came, and there may be another.
  async askAhead() {
    const [leg] = this.leg(this.position), pictures = this.pictures
    const explores = this.data.explores && !this.explored.has(leg)
    const places = explores ? [[leg, MIDDLE]] : this.nextAhead(leg), began = performance.now()
    if (!places.length) return false
    const at = places.map(([leg, t]) => `${leg}:${t}`)
    const response = await fetch(`${this.liveUrl}&at=${at}&ahead=1${explores ? "&rough=1&explores=1" : ""}`)
    if (pictures !== this.pictures || this.closed) return false
    if (response.status !== 200) {        // another question came, or the worker has a walk to paint
      if (REFUSED.includes(response.status)) this.aheadTook = Infinity
      else this.retryAhead = setTimeout(() => this.prepare(), AGAIN)
      return false
    }
    this.explored.add(leg)
    if (explores) return true
    this.aheadTook += performance.now() - began
    const cut = await cutSheet(await createImageBitmap(await response.blob()), places.length)
    if (pictures !== this.pictures) return false
    places.forEach(([leg, t], n) => {
      this.aheadIsHere.add(leg + t)
      this.keep(leg + t, cut[n], false)
    })
    this.show()
    return true
  }

  // The next places to paint on a leg ahead of a drag, nearest to the slider first; none once they
  // took long, or would take other pictures' memory.
  nextAhead(leg) {
    const here = this.position, room = (this.most ?? AT_ONCE) - this.pictures.size
    if (this.aheadTook > MOST_AHEAD || room < AT_ONCE) return []
    const distance = ([leg, t]) => Math.abs(leg + t - here)
    return this.ahead.filter(place => place[0] === leg && !this.aheadIsHere.has(leg + place[1]))
      .sort((one, other) => distance(one) - distance(other)).slice(0, AT_ONCE)
  }

  send(question, asking) {
    question.told = this.data
    const ended = question.ended = new AbortController(), end = () => ended.abort()
    const late = setTimeout(end, MOST_TRIP)
    asking.signal.addEventListener("abort", end)
    question.answer = this.fetchAnswer(question, asking).finally(() => {
      clearTimeout(late)
      asking.signal.removeEventListener("abort", end)
      this.underWay = this.underWay.filter(one => one !== question)
    })
    this.underWay.push(question)
  }

  async fetchAnswer(question, asking) {
    const began = performance.now()
    const response = await fetch(`${this.liveUrl}&${question.query}`, { signal: question.ended.signal })
    if (asking.signal.aborted) return undefined
    if (response.headers.has("X-Prompt")) return this.onNoPrompt(question, response)
    if (response.status !== 200) {
      // A newer question takes the place of one that still waits.
      if (this.underWay.at(-1) !== question) return undefined
      if (question.told !== this.data) return "outdated"
      this.underWay.pop()
      await this.onRefused(response, asking, performance.now() - began)
      return "refused"
    }
    await question.keep(await createImageBitmap(await response.blob()))
    this.trip += 0.3 * (performance.now() - began - this.trip)
    this.forgetReason()
    this.now.textContent = this.hint
    return "kept"
  }

  // The stop whose picture is shown by itself: there is no way yet, or its prompt is being typed.
  get stopAlone() {
    return this.typed ?? (this.legs.length ? undefined : this.stops.find(one => one.prompt.trim()))
  }

  // The next question: its query, its places, and what to do with its sheet of pictures; or nothing.
  nextQuestion() {
    const stop = this.stopAlone
    if (stop) {
      if (this.painted === key(stop)) return undefined
      const query = String(new URLSearchParams({ prompt: stop.prompt, seed: stop.seed }))
      const url = this.liveUrl            // which has the settings
      if (this.underWay.some(one => one.query === query && one.url === url)) return undefined
      const keep = sheet => {
        if (!this.stopAlone) return       // the way is shown by now, and may have been faster
        if (url !== this.liveUrl) return
        this.painted = key(stop)
        this.empty.textContent = ""
        this.screens[0].show(sheet, stop.prompt)
        this.screens[0].setLabel(`Picture of ${stop.prompt}`)
        this.screens[0].setFaint(false)
      }
      return { query, keep, stop, url, places: [] }
    }
    this.painted = undefined
    if (!this.legs.length) return undefined
    const { places, isRough } = this.wanted(), pictures = this.pictures
    if (!places.length) return undefined
    const at = places.map(place => this.leg(place).join(":"))
    const query = `at=${at}${isRough ? "&rough=1" : ""}`
    return { query, places, isRough, pictures, keep: async sheet => {
      const cut = await cutSheet(sheet, places.length)
      if (pictures !== this.pictures) return
      places.forEach((place, n) => this.keep(place, cut[n], isRough))
      this.show()
    } }
  }

  // A prompt that is too long, say: not painted, but the next one may be.
  onNoPrompt({ stop, url }, response) {
    if (url !== this.liveUrl || key(stop) !== key(this.stopAlone ?? {})) return "outdated"
    this.painted = key(stop)
    this.screens[0].setFaint(true)
    // Once its field is left, the form says so beside it.
    this.now.textContent = this.typed ? response.headers.get("X-Reason") : this.hint
    return "kept"
  }

  async onRefused(response, asking, took) {
    const message = await response.text()
    if (asking.signal.aborted) return
    if (REFUSED.includes(response.status)) {
      this.now.textContent = message
      return
    }
    this.waitToAsk(AGAIN - took)          // at once after a long wait: it may be ready any moment
    const isSlow = !this.typed && this.legs.length && this.stillUrl
    this.isAway = response.headers.has("X-Worker")
    this.reason = this.isAway || !isSlow ? response.headers.get("X-Reason") ?? message : ""
    if (this.reason) this.now.textContent = this.reason
    // The slow question may still be under way, or was answered with why there is no picture.
    if (isSlow && this.askedSlowly !== this.position) this.askAtRest()
  }

  // Once nothing is missing, or the worker paints.
  forgetReason() {
    if (this.reason && this.now.textContent === this.reason) this.now.textContent = this.hint
    this.reason = ""
    this.isAway = false
  }

  // Leaves the worker alone for some seconds, and then asks again, unless a drag does.
  waitToAsk(pause = AGAIN) {
    this.directAgain = performance.now() + pause
    clearTimeout(this.retry)
    if (this.startsAlone) this.retry = setTimeout(() => this.ask(), Math.max(0, pause) + 100)
  }

  // The slow way, by the history: one question once the slider rests, which replaces the last.
  askAtRest() {
    this.wasAsked = true
    this.cancelSlow()
    if (!this.stillUrl || !this.legs.length) return
    if (this.wanted().places.length) this.resting = setTimeout(() => this.askSlowly(), REST)
  }

  cancelSlow() {
    clearTimeout(this.resting)
    this.slow?.abort()
    this.askedSlowly = undefined
  }

  async askSlowly() {
    const slow = this.slow = new AbortController(), pictures = this.pictures
    this.askedSlowly = this.position
    try {
      for (const place of this.placesAt(Number(this.slider.value))) {
        if (this.isKnown(place)) continue // a finished frame that was still being loaded
        this.now.textContent = this.isAway ? this.reason : "Painting this very place …"
        const [leg, t] = this.leg(place)
        const url = `${this.stillUrl}&leg=${leg}&t=${t}`
        const response = await fetch(url, { signal: slow.signal })
        if (response.ok) this.forgetReason()
        this.now.textContent = response.ok ? this.hint : await response.text()
        if (response.status >= 500) this.askSlowlyAgain()
        if (!response.ok) return
        const picture = await createImageBitmap(await response.blob())
        if (slow.signal.aborted || pictures !== this.pictures) return
        this.keep(place, picture, false)
        this.show()
      }
    } catch {
      if (slow.signal.aborted) return
      this.now.textContent = "The app cannot be reached just now."
      this.askSlowlyAgain()
    }
  }

  // Late enough that one can read why there is no picture.
  askSlowlyAgain() {
    this.resting = setTimeout(() => this.wanted().places.length && this.askSlowly(), AGAIN_SLOWLY)
  }

  // The leg of a position, and how far it is on that, as the server reads them.
  leg(position) {
    const leg = Math.min(Math.floor(position), this.legs.length - 1)
    return [leg, (position - leg).toFixed(2)]
  }

  // A prompt's field gives its text to the page when it is left; here it is seen key by key. Also
  // where none is painted meanwhile: the end that was typed last is where the slider goes.
  onTyped({ target }) {
    const stop = this.stops.find(({ field }) => field && target.closest?.(`.st-key-${field}`))
    if (!stop) return
    clearTimeout(this.typing)
    this.typing = setTimeout(() => {
      const prompt = target.value.trim()
      this.typed = prompt ? { ...stop, prompt } : undefined
      this.settleTyped()                  // the page may have been faster
      this.clearIfEmpty()
      this.label()
      this.show()
      if (this.isDirect) this.ask()
      else if (!this.typed) this.askAtRest()
    }, TYPING)
  }

  // The page knows what was typed by now, unless the visitor types on. Stops may have changed places,
  // or given way to others.
  settleTyped() {
    if (!this.typed) return
    const number = this.stops.findIndex(({ field }) => field === this.typed.field)
    if (number >= 0 && this.stops[number].prompt.trim() !== this.typed.prompt) return
    this.typed = undefined
    this.now.textContent = this.hint
    if (number >= 0 && this.legs.length) this.slider.value = number
  }

  close() {
    this.closed = true
    for (const timer of [this.typing, this.retry, this.settling, this.retryAhead]) clearTimeout(timer)
    this.cancelSlow()
    this.asking?.abort()
    this.observer.disconnect()
    document.removeEventListener("input", this.onInput, true)
  }
}

// One picture, and its title where there are several.
class Screen {
  constructor() {
    this.element = document.createElement("figure")
    this.canvas = document.createElement("canvas")
    this.canvas.className = "picture near"
    this.canvas.setAttribute("role", "img")
    this.setLabel("Picture to come")
    this.title = document.createElement("figcaption")
    this.element.append(this.canvas, this.title)
  }

  // As when the only prompt was taken away.
  clear() {
    this.shown = undefined
    this.canvas.width = this.canvas.width
    delete this.canvas.dataset.place
    this.setLabel("Picture to come")
    this.setFaint(true)
  }

  setTitle(title) { this.title.textContent = title }

  setLabel(label) { this.canvas.setAttribute("aria-label", label) }

  setFaint(isFaint) { this.canvas.classList.toggle("near", isFaint) }

  show(picture, place) {
    if (this.shown === picture) return
    this.shown = picture
    if (this.canvas.width !== picture.width || this.canvas.height !== picture.height) {
      this.canvas.width = picture.width
      this.canvas.height = picture.height
    }
    this.canvas.getContext("2d").drawImage(picture, 0, 0)
    this.canvas.dataset.place = String(place)
  }
}

function wait(milliseconds) { return new Promise(done => setTimeout(done, milliseconds)) }

// The pictures of a sheet, which stand one below the other.
function cutSheet(sheet, count) {
  const side = sheet.height / count, width = sheet.width
  return Promise.all(Array.from({ length: count }, (_, n) =>
    createImageBitmap(sheet, 0, n * side, width, side)))
}

function key({ prompt, seed }) { return `${seed} ${prompt}` }

function round(position) { return Math.round(100 * position) / 100 }

function nearest(positions, position) {
  const distance = one => Math.abs(one - position)
  return positions.reduce((best, one) => best === undefined || distance(one) < distance(best) ? one : best, undefined)
}
