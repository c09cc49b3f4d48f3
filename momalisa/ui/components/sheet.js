// A contact sheet of films. A film is loaded when its poster is hovered, tapped or pressed.

const HOVER_DELAY = 150                   // milliseconds until a hovered poster loads its film
const WIDTH = 16                          // rem of a column, at most
const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)")
const rendered = new WeakMap()

export default function ({ parentElement, data }) {
  const shown = JSON.stringify(data)
  if (rendered.get(parentElement) === shown) return
  rendered.set(parentElement, shown)
  const head = element("thead"), names = element("tr")
  for (const name of data.columns) names.append(header(name, "col"))
  head.append(names)
  const rows = data.rows.map(row => createRow(row, data.columns.length))
  const table = parentElement.querySelector(".sheet")
  table.style.maxWidth = `${WIDTH * data.columns.length}rem`
  table.replaceChildren(head, ...rows)
}

function createRow({ name, prints }, columns) {
  const body = element("tbody"), title = element("tr"), cells = element("tr")
  const heading = header(name, "rowgroup")
  heading.colSpan = columns
  title.append(heading)
  cells.append(...prints.map(createCell))
  body.append(title, cells)
  return body
}

function createCell(print) {
  const cell = element("td")
  if (!print.film) {
    cell.append(element("div", "picture", print.state))
    return cell
  }
  const button = element("button", "picture")
  button.type = "button"
  button.setAttribute("aria-label", `Play ${print.name}`)
  button.setAttribute("aria-pressed", "false")
  const poster = element("img")
  poster.alt = ""
  poster.loading = "lazy"
  poster.src = print.poster
  button.append(poster)
  const films = [print.film, print.fallback].filter(Boolean)
  button.onpointerenter = ({ pointerType }) => {
    if (pointerType !== "mouse" || reducedMotion.matches) return
    button.wait = setTimeout(() => play(button, films), HOVER_DELAY)
  }
  button.onpointerleave = ({ pointerType }) => {
    clearTimeout(button.wait)
    if (pointerType === "mouse" && button.getAttribute("aria-pressed") === "false") stop(button)
  }
  button.onclick = () => {                // stays until it is pressed again
    const pressed = button.getAttribute("aria-pressed") === "true"
    button.setAttribute("aria-pressed", String(!pressed))
    if (pressed) stop(button)
    else play(button, films)
  }
  const link = element("a", "", print.caption)
  link.href = print.href
  cell.append(button, link)
  return cell
}

// Plays the first of these films that can be loaded.
function play(button, films) {
  if (button.querySelector(".film")) return
  const film = element("img", "film")
  film.alt = ""
  film.onload = () => film.classList.add("ready")
  const [url, ...others] = films
  film.onerror = () => { if (others.length) film.src = others.shift() }
  film.src = url
  button.append(film)
}

function stop(button) {
  button.querySelector(".film")?.remove()
}

function header(name, scope) {
  const cell = element("th", "", name)
  cell.scope = scope
  return cell
}

function element(tag, className = "", text = "") {
  const made = document.createElement(tag)
  if (className) made.className = className
  if (text) made.textContent = text
  return made
}
