// Posts a file, chosen here or dropped anywhere on the page, to the server. The response is passed
// to Python; errors are shown below the field.

const UNREACHABLE = "The server does not answer just now. Please try again in a moment."

const EXPLAINED = [408, 422, 429]            // responses whose text is for the visitor

const listeners = new WeakMap()

export default function ({ parentElement, data, setTriggerValue }) {
  const label = parentElement.querySelector(".drop")
  const input = parentElement.querySelector("input")
  const message = parentElement.querySelector(".message")

  async function upload(file) {
    if (!file) return
    message.textContent = "Reading the file"
    const url = `${data.url}?name=${encodeURIComponent(file.name)}`
    try {
      const response = await fetch(url, { method: "POST", body: file })
      const text = await response.text()
      message.textContent = response.ok ? "" : EXPLAINED.includes(response.status) ? text : UNREACHABLE
      if (response.ok) setTriggerValue("answer", text)
    } catch {
      message.textContent = UNREACHABLE
    }
    input.value = ""                      // lets the same file be chosen again
  }

  listeners.get(parentElement)?.abort()   // a change of the theme mounts again without cleanup
  const controller = new AbortController()
  listeners.set(parentElement, controller)
  const listen = (name, action) => addEventListener(name, action, { signal: controller.signal })
  const hasFiles = event => event.dataTransfer?.types.includes("Files")
  input.onchange = () => upload(input.files[0])
  listen("dragover", event => {
    if (!hasFiles(event)) return
    event.preventDefault()
    label.classList.add("over")
  })
  listen("dragleave", event => event.relatedTarget || label.classList.remove("over"))
  listen("drop", event => {
    if (!hasFiles(event)) return
    event.preventDefault()                // keeps the browser from opening the film
    label.classList.remove("over")
    upload(event.dataTransfer.files[0])
  })
  return () => controller.abort()
}
