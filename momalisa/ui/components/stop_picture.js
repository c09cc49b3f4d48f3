// A stop's picture: its frame, in which it is moved and made larger, and the dialog in which one is
// chosen, from a file or from a museum. The server takes pictures in and answers with their fields,
// which are passed on to Python with the id of the stop that they were chosen for.

const UNREACHABLE = "The server does not answer just now. Please try again in a moment."
const EXPLAINED = [404, 408, 413, 422, 429, 502, 503]   // responses whose text is for the visitor
const KEY_REST = 400                      // milliseconds after a move or key before Python is told

const stops = new WeakMap()

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".stop")
  let stop = stops.get(parentElement)
  if (stop?.root !== root) {
    stop?.close()
    stop = new Stop(root)
    stops.set(parentElement, stop)
  }
  stop.update(data, value => setTriggerValue("sent", { ...value, stop: stop.id }))
  return () => { stop.close(); stops.delete(parentElement) }
}

class Stop {
  constructor(root) {
    this.root = root
    this.blank = root.querySelector(".blank")
    this.shown = root.querySelector(".shown")
    this.message = root.querySelector(":scope > .message")
    this.frame = new Frame(root, crop => this.send({ crop }))
    this.whose = root.querySelector(".whose")
    this.written = new Set()              // names of fields that were typed in, of this picture
    for (const input of this.whose.querySelectorAll("input")) {
      input.onchange = () => this.sign()
      // While one types, too: a tap on Walk leaves the field and submits at the same moment.
      input.oninput = () => {
        this.written.add(input.name)
        clearTimeout(this.typing)
        this.typing = setTimeout(() => this.sign(), KEY_REST)
      }
    }
    this.picker = new Picker(root.querySelector("dialog"), answer => this.send({ answer }))
    for (const button of root.querySelectorAll(".open")) button.onclick = () => this.picker.open()
    root.querySelector(".remove").onclick = () => this.send({ removed: true })
    this.listen()
  }

  update(data, send) {
    this.id = data.stop
    this.send = send
    this.picker.update(data)
    const [choose, change] = this.root.querySelectorAll(".open")
    choose.textContent = "Or a picture"
    choose.setAttribute("aria-label", `${data.label}: or a picture`)
    change.textContent = "Another picture"
    change.setAttribute("aria-label", `${data.label}: another picture`)
    const remove = this.root.querySelector(".remove")
    remove.textContent = "Remove it"
    remove.setAttribute("aria-label", `${data.label}: remove it`)
    this.blank.hidden = Boolean(data.picture || data.frame)
    this.shown.hidden = !this.blank.hidden
    this.shown.classList.toggle("alone", !data.picture)
    for (const part of [".frame", ".crop"]) this.root.querySelector(part).hidden = !data.picture
    const credit = this.root.querySelector(".credit")
    credit.replaceChildren(data.picture ? data.picture.credit : data.frame)
    // What a museum's record says is not typed.
    this.whose.hidden = !data.picture || Boolean(data.picture.page)
    if (!data.picture) return
    this.frame.update(data)
    const picture = `${data.stop} ${data.picture.url}`
    if (picture !== this.picture) this.written.clear()
    this.picture = picture
    // An answer may be to what stood there some keys ago: a field that was left since would lose them.
    for (const input of this.whose.querySelectorAll("input")) {
      if (input.matches(":focus") || this.written.has(input.name)) continue
      input.value = data.picture.typed[input.name]
    }
    if (data.picture.page) {
      const link = document.createElement("a")
      Object.assign(link, { href: data.picture.page, target: "_blank", rel: "noreferrer" })
      link.textContent = "Its record"
      credit.append(" ", link)
    }
  }

  // Tells Python whose work the picture is.
  sign() {
    clearTimeout(this.typing)
    const inputs = [...this.whose.querySelectorAll("input")]
    this.send({ credit: Object.fromEntries(inputs.map(input => [input.name, input.value])) })
  }

  // A file that is dropped here, or anywhere on the page while the dialog is open.
  listen() {
    const controller = this.controller = new AbortController()
    const listen = (name, action) => addEventListener(name, action, { signal: controller.signal })
    const hasFiles = event => event.dataTransfer?.types.includes("Files")
    const isHere = event => this.picker.dialog.open || event.composedPath().includes(this.root)
    const show = (dragged, above) => {
      this.root.classList.toggle("dragged", dragged)
      this.root.classList.toggle("above", above)
    }
    listen("dragover", event => {
      if (!hasFiles(event)) return
      event.preventDefault()
      show(true, isHere(event))
    })
    listen("dragleave", event => event.relatedTarget || show(false, false))
    listen("drop", event => {
      if (!hasFiles(event)) return
      event.preventDefault()              // keeps the browser from opening the picture
      show(false, false)
      if (isHere(event)) this.takeFile(event.dataTransfer.files[0])
    })
  }

  takeFile(file) {
    this.picker.takeFile(file, this.picker.dialog.open ? undefined : this.message)
  }

  close() {
    clearTimeout(this.typing)
    this.controller.abort()
    this.picker.close()
  }
}

// The picture behind a window of the film's shape. Of the centre and the zoom, which Python keeps,
// the window's place follows as in `stop.Crop.box`.
class Frame {
  constructor(root, send) {
    this.frame = root.querySelector(".frame")
    this.image = root.querySelector(".frame img")
    this.inputs = Object.fromEntries(["x", "y", "zoom"].map(n => [n, root.querySelector(`.${n}`)]))
    this.send = send
    this.image.onload = () => this.place()
    for (const [name, input] of Object.entries(this.inputs)) {
      input.oninput = () => this.move({ [name]: Number(input.value) })
      input.onchange = () => this.tell()
    }
    this.frame.onpointerdown = event => this.drag(event)
  }

  update({ picture, shape }) {
    this.shape = shape
    const isOther = this.image.getAttribute("src") !== picture.url
    if (isOther) this.image.src = picture.url
    this.image.alt = picture.alt
    // While one moves on, an answer to an earlier move is out of date.
    const isLate = this.waiting && JSON.stringify(picture.crop) !== this.waiting
    if (isOther || !isLate) {
      this.crop = { ...picture.crop }
      this.waiting = undefined
    }
    this.place()
  }

  // The parts of the picture's width and height that the window shows.
  parts() {
    const { naturalWidth: wide, naturalHeight: high } = this.image
    const [across, down] = this.shape
    const scale = Math.min(wide / across, high / down) / this.crop.zoom
    return [across * scale / wide, down * scale / high]
  }

  place() {
    this.frame.style.aspectRatio = this.shape.join(" / ")
    if (!this.image.naturalWidth) return
    const style = this.image.style, [across, down] = this.parts()
    const inside = (centre, part) => Math.min(Math.max(centre - part / 2, 0), 1 - part)
    style.width = `${100 / across}%`
    style.height = `${100 / down}%`
    style.left = `${-100 * inside(this.crop.x, across) / across}%`
    style.top = `${-100 * inside(this.crop.y, down) / down}%`
    const bounds = { x: across, y: down }
    for (const [name, input] of Object.entries(this.inputs)) {
      if (name in bounds) {
        input.min = bounds[name] / 2
        input.max = 1 - bounds[name] / 2
        input.disabled = bounds[name] > 0.995
      }
      input.value = this.crop[name]
    }
  }

  move(changes) {
    const held = (value, part) => Math.min(Math.max(value, part / 2), 1 - part / 2)
    Object.assign(this.crop, changes)
    const [across, down] = this.parts()
    this.crop.x = held(this.crop.x, across)
    this.crop.y = held(this.crop.y, down)
    this.place()
  }

  drag(event) {
    if (event.button || !this.image.naturalWidth) return
    const { frame } = this, box = frame.getBoundingClientRect(), began = { ...this.crop }
    frame.setPointerCapture(event.pointerId)
    frame.classList.add("moved")
    frame.onpointermove = ({ clientX, clientY }) => {
      const [across, down] = this.parts()
      this.move({
        x: began.x - across * (clientX - event.clientX) / box.width,
        y: began.y - down * (clientY - event.clientY) / box.height,
      })
    }
    frame.onpointerup = frame.onpointercancel = () => {
      frame.onpointermove = frame.onpointerup = frame.onpointercancel = null
      frame.classList.remove("moved")
      this.tell()
    }
  }

  // Once the moves rest: each costs a run of the page.
  tell() {
    const round = value => Math.round(value * 1e4) / 1e4
    const { x, y, zoom } = this.crop
    this.crop = { x: round(x), y: round(y), zoom: round(zoom) }
    this.waiting = JSON.stringify(this.crop)
    clearTimeout(this.resting)
    this.resting = setTimeout(() => this.send(this.crop), KEY_REST)
  }
}

// The dialog: a file, or a search in museums, each of which answers in its own time.
class Picker {
  constructor(dialog, take) {
    this.dialog = dialog
    this.take = take
    for (const part of ["form", "select", ".results", ".message", "h2"]) {
      this[part.replace(".", "")] = dialog.querySelector(part)
    }
    this.file = dialog.querySelector("input[type=file]")
    this.words = dialog.querySelector("input[type=search]")
    this.file.onchange = () => this.takeFile(this.file.files[0])
    this.form.onsubmit = event => { event.preventDefault(); this.search() }
    dialog.querySelector(".close").onclick = () => dialog.close()
    dialog.onclick = event => { if (event.target === dialog) dialog.close() }
  }

  update({ label, museums, paths }) {
    this.paths = paths
    this.h2.textContent = `A picture for “${label}”`
    if (this.select.options.length) return
    this.museums = museums
    this.select.append(new Option("All museums", ""), ...museums.map(([k, name]) => new Option(name, k)))
  }

  open() {
    this.say("")
    this.dialog.showModal()
    this.words.focus()
  }

  say(text, isBusy = false, place = this.message) {
    place.textContent = text
    place.classList.toggle("busy", isBusy)
  }

  takeFile(file, place) {
    if (file) this.post(`${this.paths.upload}?name=${encodeURIComponent(file.name)}`, file, place)
    this.file.value = ""                  // lets the same file be chosen again
  }

  // Has the server take a picture in, and passes on what it says of it.
  async post(url, body, place) {
    if (this.posting) return
    this.posting = true
    this.say("Taking in the picture …", true, place)
    try {
      const response = await fetch(url, { method: "POST", body })
      if (!response.ok) return this.say(await explain(response), false, place)
      this.take(await response.json())
      this.say("", false, place)
      this.dialog.close()
    } catch {
      this.say(UNREACHABLE, false, place)
    } finally {
      this.posting = false
    }
  }

  search() {
    const words = this.words.value.trim()
    this.stop?.abort()
    this.stop = new AbortController()
    if (/^https?:\/\//.test(words)) {    // a picture's address
      this.results.replaceChildren()
      return this.post(`${this.paths.work}?${new URLSearchParams({ address: words })}`, "")
    }
    this.say(words ? "" : "What shall be looked for?")
    const asked = this.museums.filter(([key]) => words && [key, ""].includes(this.select.value))
    const sections = asked.map(([key, name]) => {
      const section = new Section(key, name, words, this.paths, this.stop.signal)
      section.choose = id => this.chooseWork(key, id)
      return section
    })
    this.results.replaceChildren(...sections.map(section => section.element))
    for (const section of sections) section.ask(0)
  }

  chooseWork(museum, id) {
    this.post(`${this.paths.work}?${new URLSearchParams({ museum, id })}`, "")
    this.message.scrollIntoView({ block: "nearest" })
  }

  close() {
    this.stop?.abort()
    this.dialog.close()
  }
}

// What one museum finds.
class Section {
  constructor(key, name, words, paths, signal) {
    Object.assign(this, { key, name, words, paths, signal })
    this.element = element("section", "museum")
    this.said = element("p", "said")
    this.said.setAttribute("role", "status")
    this.works = element("ul", "works")
    this.withheld = element("p", "said")
    this.more = element("button", "more", `More from ${name}`)
    this.more.type = "button"
    this.more.hidden = true
    this.element.append(element("h3", "", name), this.works, this.withheld, this.said, this.more)
  }

  async ask(first) {
    this.more.hidden = true
    this.said.textContent = "Asking …"
    const query = new URLSearchParams({ museum: this.key, q: this.words, first })
    try {
      const response = await fetch(`${this.paths.search}?${query}`, { signal: this.signal })
      if (!response.ok) return this.fail(await explain(response), first)
      const { works, following } = await response.json()
      this.show(works)
      this.said.textContent = first || works.length ? "" : "Nothing found. Other words, or English ones, may find more."
      this.more.hidden = !following
      this.more.textContent = `More from ${this.name}`
      this.more.onclick = () => this.ask(following)
    } catch {
      if (!this.signal.aborted) this.fail(UNREACHABLE, first)
    }
  }

  fail(sentence, first) {
    this.said.textContent = sentence
    this.more.textContent = "Try again"
    this.more.onclick = () => this.ask(first)
    this.more.hidden = false
  }

  show(works) {
    const reasons = works.filter(work => work.withheld).map(({ caption, withheld }) => `${caption}: ${withheld}.`)
    if (reasons.length) this.withheld.textContent += `${this.withheld.textContent ? " " : "Not offered: "}${reasons.join(" ")}`
    for (const work of works.filter(one => !one.withheld)) {
      const button = element("button", "work"), image = element("img"), item = element("li")
      Object.assign(image, { src: work.thumbnail, alt: "", loading: "lazy" })
      button.type = "button"
      button.append(image, element("span", "", work.caption), element("span", "licence", work.licence))
      button.onclick = () => this.choose(work.id)
      item.append(button)
      this.works.append(item)
    }
  }
}

async function explain(response) {
  return EXPLAINED.includes(response.status) ? await response.text() : UNREACHABLE
}

function element(name, className = "", text = "") {
  return Object.assign(document.createElement(name), { className, textContent: text })
}
