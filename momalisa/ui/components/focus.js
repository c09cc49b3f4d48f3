// Leads the keyboard's focus into a popover and to a film that are opened by keyboard, and sends what
// is typed in a field that loses the focus because it is disabled. On every page.

const FIELD = "input, textarea"
const POPOVER = '[data-testid="stPopoverBody"]'
const TITLE = '[class*="st-key-title_"]'  // of a film
const PATIENCE = 30000                    // milliseconds for a film to open
let mounted = false

export default function () {
  if (mounted) return                     // other runs and a change of theme call again
  mounted = true
  addEventListener("keydown", onKey, true)
  addEventListener("pointerdown", () => opening.disconnect(), true)
  addEventListener("focusin", event => watchField(event.target))
}

// While the app cannot be reached Streamlit disables all fields. React, which does so, hears nothing
// of the focus that is lost by that: what was typed stood there and was never sent.
const disabling = new MutationObserver(([{ target }]) => {
  if (target.disabled) target.dispatchEvent(new FocusEvent("focusout", { bubbles: true }))
})

function watchField(field) {
  disabling.disconnect()
  if (field.matches(FIELD)) disabling.observe(field, { attributeFilter: ["disabled"] })
}

// What opened a film is gone then, or disabled as is "Newer" at the newest one. The title of the film
// before may be there for a moment, so that the focus can be lost again.
const opening = new MutationObserver(() => {
  const now = document.activeElement
  const isLost = now === document.body || now.disabled
  if (isLost && /[?&]walk=/.test(location.search)) focus(document.querySelector(TITLE))
})

function leadToFilm() {
  opening.disconnect()
  if (!location.pathname.endsWith("/gallery")) return
  opening.observe(document.body, { attributeFilter: ["disabled"], childList: true, subtree: true })
  setTimeout(() => opening.disconnect(), PATIENCE)
}

function focus(element) {
  if (!element) return
  element.tabIndex = -1
  element.focus({ preventScroll: true })
}

// A popover comes last in the order of the page, so that Tab led through all that follows its button.
function onKey({ key, target }) {
  opening.disconnect()
  if (key !== "Enter" && key !== " ") return
  if (target.closest?.('[data-testid="stPopover"]')) leadIntoPopover()
  else if (!target.matches?.(FIELD)) leadToFilm()
}

function leadIntoPopover() {
  if (document.querySelector(POPOVER)) return  // the key closes it
  const appearing = new MutationObserver(() => {
    const popover = document.querySelector(POPOVER)
    if (!popover) return
    appearing.disconnect()
    focus(popover)                        // not the first button in it, which the same key would press
  })
  appearing.observe(document.body, { childList: true, subtree: true })
  setTimeout(() => appearing.disconnect(), 2000)
}
