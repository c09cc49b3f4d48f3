// Strips of frames with their names and sentences; it has no controls.

const WIDTH = 8, HEIGHT = 1               // frames in a strip, which keeps its place while it loads
const rendered = new WeakMap()

export default function ({ parentElement, data }) {
  const shown = JSON.stringify(data.strips)
  if (rendered.get(parentElement) === shown) return
  rendered.set(parentElement, shown)
  parentElement.querySelector(".strips").replaceChildren(...data.strips.map(createFigure))
}

function createFigure({ name, text, url, alt }) {
  const figure = document.createElement("figure")
  if (url) {
    const image = document.createElement("img")
    image.style.aspectRatio = `${WIDTH} / ${HEIGHT}`
    image.loading = "lazy"
    image.alt = alt
    image.src = url
    figure.append(image)
  }
  const caption = document.createElement("figcaption")
  const title = document.createElement("span")
  title.className = "name"
  title.textContent = `${name}. `
  caption.append(title, text)
  figure.append(caption)
  return figure
}
