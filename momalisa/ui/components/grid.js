// A grid of posters. A film is loaded only after its poster was hovered or focused for a moment.

const HOVER_DELAY = 150                   // milliseconds until a hovered poster loads its film
const RETRY = 5000                        // milliseconds until failed posters are loaded again
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)")
const rendered = new WeakMap()
let left = ""                             // the film whose card was opened by keyboard

export default function ({ parentElement, data, setTriggerValue }) {
  const list = parentElement.querySelector(".grid")
  const open = id => setTriggerValue("opened", id)
  const cards = JSON.stringify(data.cards)
  if (rendered.get(parentElement) !== cards) {
    rendered.set(parentElement, cards)
    list.replaceChildren(...data.cards.map(card => createItem(card)))
    retryPosters(list, parentElement.querySelector(".message"))
    if (isFocusFree()) list.querySelector(`[data-id="${CSS.escape(left)}"]`)?.focus()
    left = ""
  }
  list.onclick = event => {
    const card = event.target.closest(".card")
    const newTab = event.ctrlKey || event.metaKey || event.shiftKey
    if (!card || newTab) return           // the browser follows the link
    event.preventDefault()
    if (!event.detail) left = card.dataset.id
    document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0)  // where the film appears
    open(card.dataset.id)
  }
  return () => rendered.delete(parentElement)
}

// Whether nothing has the focus, or what led back to the posters.
function isFocusFree() {
  const now = document.activeElement
  return !now || now === document.body || now.closest(".st-key-way_back")
}

function createItem(card) {
  const link = createElement("a", "card")
  link.href = card.href
  link.dataset.id = card.id
  const picture = createElement("div", "picture")
  const poster = createElement("img", "poster")
  poster.loading = "lazy"
  poster.decoding = "async"
  poster.alt = card.alt
  if (card.poster) poster.src = card.poster
  picture.append(poster)
  link.append(picture, createElement("div", "title", card.title), createElement("div", "meta", card.meta))
  const films = [card.film, card.fallback].filter(Boolean)
  link.onpointerenter = event => event.pointerType === "mouse" && play(picture, films)
  link.onfocus = () => link.matches(":focus-visible") && play(picture, films)
  link.onpointerleave = link.onblur = () => stop(picture)
  const item = createElement("li")
  item.append(link)
  return item
}

// Show a message while posters fail to load, and load them again until they succeed.
function retryPosters(list, message) {
  const missing = new Set()
  const update = () => {
    message.textContent = missing.size ? "Some posters are out of reach just now." : ""
  }
  for (const poster of list.querySelectorAll(".poster")) {
    const retry = () => { if (poster.isConnected) poster.src = poster.src }
    poster.onerror = () => { missing.add(poster); update(); setTimeout(retry, RETRY) }
    poster.onload = () => { missing.delete(poster); update() }
  }
  update()
}

// Plays the first of these films that can be loaded.
function play(picture, films) {
  if (reducedMotion.matches || !films.length || picture.querySelector(".film")) return
  clearTimeout(picture.wait)
  picture.wait = setTimeout(() => {
    const film = createElement("img", "film")
    film.alt = ""
    film.onload = () => film.classList.add("ready")
    const [url, ...others] = films
    film.onerror = () => { if (others.length) film.src = others.shift() }
    film.src = url
    picture.append(film)
  }, HOVER_DELAY)
}

function stop(picture) {
  clearTimeout(picture.wait)
  picture.querySelector(".film")?.remove()
}

function createElement(tag, className = "", text = "") {
  const element = document.createElement(tag)
  if (className) element.className = className
  if (text) element.textContent = text
  return element
}
