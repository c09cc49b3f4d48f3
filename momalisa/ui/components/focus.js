// Leads the keyboard's focus into a popover that is opened by keyboard, and sends what is typed in a
// field that loses the focus because it is disabled. On every page.

const POPOVER = '[data-testid="stPopoverBody"]'
let mounted = false

export default function () {
  if (mounted) return                     // other runs and a change of theme call again
  mounted = true
  addEventListener("keydown", onKey, true)
  addEventListener("focusin", event => watchField(event.target))
}

// While the app cannot be reached Streamlit disables all fields. React, which does so, hears nothing
// of the focus that is lost by that: what was typed stood there and was never sent.
const disabling = new MutationObserver(([{ target }]) => {
  if (target.disabled) target.dispatchEvent(new FocusEvent("focusout", { bubbles: true }))
})

function watchField(field) {
  disabling.disconnect()
  if (field.matches("input, textarea")) disabling.observe(field, { attributeFilter: ["disabled"] })
}

// A popover comes last in the order of the page, so that Tab led through all that follows its button.
function onKey({ key, target }) {
  if ((key !== "Enter" && key !== " ") || !target.closest?.('[data-testid="stPopover"]')) return
  if (document.querySelector(POPOVER)) return  // the key closes it
  const opening = new MutationObserver(() => {
    const popover = document.querySelector(POPOVER)
    if (!popover) return
    opening.disconnect()
    popover.tabIndex = -1                 // not the first button in it, which the same key would press
    popover.focus({ preventScroll: true })
  })
  opening.observe(document.body, { childList: true, subtree: true })
  setTimeout(() => opening.disconnect(), 2000)
}
