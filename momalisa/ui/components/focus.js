// Leads the keyboard's focus into a popover that is opened by keyboard, on every page.

const POPOVER = '[data-testid="stPopoverBody"]'
let mounted = false

export default function () {
  if (mounted) return                     // other runs and a change of theme call again
  mounted = true
  addEventListener("keydown", onKey, true)
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
