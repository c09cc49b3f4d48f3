// A film's file, chosen here or dropped anywhere on the page, is sent to the server; what that
// answers goes to the page, or is said below.

const unreached = "The server does not answer just now. Please try again in a moment."

const listening = new WeakMap()

export default function ({ parentElement, data, setTriggerValue }) {
  const label = parentElement.querySelector(".drop")
  const input = parentElement.querySelector("input")
  const sorry = parentElement.querySelector(".sorry")

  async function send(file) {
    if (!file) return
    sorry.textContent = "Reading the file"
    const address = `${data.address}?name=${encodeURIComponent(file.name)}`
    try {
      const answer = await fetch(address, { method: "POST", body: file })
      const text = await answer.text()
      sorry.textContent = answer.ok ? "" : answer.status === 422 ? text : unreached
      if (answer.ok) setTriggerValue("answer", text)
    } catch {
      sorry.textContent = unreached
    }
    input.value = ""                      // so that the same file can be chosen again
  }

  listening.get(parentElement)?.abort()   // else a change of the theme would leave two
  const gone = new AbortController()
  listening.set(parentElement, gone)
  const listen = (name, action) => addEventListener(name, action, { signal: gone.signal })
  const files = event => event.dataTransfer?.types.includes("Files")
  input.onchange = () => send(input.files[0])
  listen("dragover", event => {
    if (!files(event)) return
    event.preventDefault()
    label.classList.add("over")
  })
  listen("dragleave", event => event.relatedTarget || label.classList.remove("over"))
  listen("drop", event => {
    if (!files(event)) return
    event.preventDefault()                // else the browser leaves the page for the film
    label.classList.remove("over")
    send(event.dataTransfer.files[0])
  })
  return () => gone.abort()
}
