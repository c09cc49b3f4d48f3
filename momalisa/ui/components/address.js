// Keeps the browser's history in step with the pages: one entry for each that the visitor opens.

const KEPT = ["embed", "embed_options"]   // of an app that is shown inside another page
let last

// Open an address. Streamlit follows as it does after Back and Forward, without an entry of its own.
export default function ({ data }) {
  if (!data.address || data.id === last) return  // the second: called for a change of the theme
  last = data.id
  const next = embedded(new URL(data.address, location.href))
  history[data.replace ? "replaceState" : "pushState"]({}, "", next)
  dispatchEvent(new PopStateEvent("popstate", { state: {} }))
}

// When a link is clicked, Streamlit takes the parameters of this page's fields along and then pushes
// this page's address without them. It finds none, for they are away until it has looked.
addEventListener("click", ({ target }) => {
  const link = target.closest?.("a[href]")
  const here = location.href
  const bare = embedded(new URL(location.pathname, here)).href
  if (!link || link.origin !== location.origin || here === bare) return
  if (link.pathname === location.pathname) return
  history.replaceState(history.state, "", bare)
  setTimeout(() => location.href === bare && history.replaceState(history.state, "", here))
}, true)

function embedded(address) {
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (KEPT.includes(name)) address.searchParams.append(name, value)
  }
  return address
}
