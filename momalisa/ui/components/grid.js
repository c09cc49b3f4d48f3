// Posters on a wall. A film is fetched only when its poster is looked at for a moment.

const PAUSE = 150                         // milliseconds: passing over a poster asks for nothing
const AGAIN = 5000                        // milliseconds until posters out of reach are tried again
const still = matchMedia("(prefers-reduced-motion: reduce)")
const walls = new WeakMap()

export default function ({ parentElement, data, setTriggerValue }) {
  const list = parentElement.querySelector(".grid")
  const open = id => setTriggerValue("opened", id)
  const wanted = JSON.stringify(data.cards)
  if (walls.get(parentElement) !== wanted) {
    walls.set(parentElement, wanted)
    list.replaceChildren(...data.cards.map(card => hung(card)))
    seek(list, parentElement.querySelector(".sorry"))
  }
  list.onclick = event => {
    const card = event.target.closest(".card")
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey
    if (!card || elsewhere) return        // a new tab or window follows the link itself
    event.preventDefault()
    document.querySelector('[data-testid="stMain"]')?.scrollTo(0, 0)  // where the film will hang
    open(card.dataset.id)
  }
  return () => walls.delete(parentElement)
}

function hung(card) {
  const link = made("a", "card")
  link.href = card.href
  link.dataset.id = card.id
  const picture = made("div", "picture")
  const poster = made("img", "poster")
  poster.loading = "lazy"
  poster.decoding = "async"
  poster.alt = card.alt
  if (card.poster) poster.src = card.poster
  picture.append(poster)
  link.append(picture, made("div", "title", card.title), made("div", "meta", card.meta))
  link.onpointerenter = event => event.pointerType === "mouse" && roll(picture, card.film)
  link.onfocus = () => link.matches(":focus-visible") && roll(picture, card.film)
  link.onpointerleave = link.onblur = () => halt(picture)
  const item = made("li")
  item.append(link)
  return item
}

// Say when posters are out of reach, and ask for them again until they are there.
function seek(list, sorry) {
  const missing = new Set()
  const tell = () => {
    sorry.textContent = missing.size ? "Some posters are out of reach just now." : ""
  }
  for (const poster of list.querySelectorAll(".poster")) {
    const again = () => { if (poster.isConnected) poster.src = poster.src }
    poster.onerror = () => { missing.add(poster); tell(); setTimeout(again, AGAIN) }
    poster.onload = () => { missing.delete(poster); tell() }
  }
  tell()
}

function roll(picture, url) {
  if (still.matches || !url || picture.querySelector(".film")) return
  clearTimeout(picture.wait)
  picture.wait = setTimeout(() => {
    const film = made("img", "film")
    film.alt = ""
    film.onload = () => film.classList.add("ready")
    film.src = url
    picture.append(film)
  }, PAUSE)
}

function halt(picture) {
  clearTimeout(picture.wait)
  picture.querySelector(".film")?.remove()
}

function made(tag, name = "", text = "") {
  const element = document.createElement(tag)
  if (name) element.className = name
  if (text) element.textContent = text
  return element
}
