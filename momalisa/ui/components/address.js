// Opens pages with one entry in the browser's history each.

const EMBED_PARAMETERS = ["embed", "embed_options"]  // must stay while the app is embedded
const PATIENCE = 2000  // milliseconds to wait for a page before clicks count again
const opened = new Set()
let leaving = false
let moved = false  // by a link, Back or Forward, and the visitor has done nothing since

// Opens an address. The popstate event makes Streamlit load it as after Back, without a new entry.
export default function ({ data }) {
  if (!data.address) leaving = false  // the run of the next page has begun
  if (!data.address || opened.has(data.id)) return  // other runs and a change of theme call again
  opened.add(data.id)
  leaving = !data.replace
  if (leaving) setTimeout(() => leaving = false, PATIENCE)
  const next = withEmbedParameters(new URL(data.address, location.href))
  if (data.replace) history.replaceState({}, "", next)
  else push({}, "", next)
  dispatchEvent(new PopStateEvent("popstate", { state: {} }))
}

// Ignores clicks until the next page has begun: Streamlit would answer them with the page before,
// but with the next one's parameters.
addEventListener("click", event => {
  if (!leaving) return
  event.stopImmediatePropagation()
  event.preventDefault()
}, true)

for (const kind of ["pointerdown", "keydown", "input", "click"]) {
  addEventListener(kind, () => moved = false, true)
}

// When a link is clicked, Streamlit pushes this page's address without the parameters that are bound
// to fields. They are removed until it has read the address, so that it pushes nothing.
addEventListener("click", ({ target }) => {
  const link = target.closest?.("a[href]")
  const here = location.href
  const bare = withEmbedParameters(new URL(location.pathname, here)).href
  if (!link || link.origin !== location.origin || here === bare) return
  if (link.pathname === location.pathname) return
  moved = true
  history.replaceState(history.state, "", bare)
  setTimeout(() => location.href === bare && history.replaceState(history.state, "", here))
}, true)

addEventListener("popstate", event => { if (event.isTrusted) moved = true }, true)

// When a run ends whose parameters are not those of the address, Streamlit pushes the page again with
// these. Of a run that one has left by now that entry is one too many, and cuts off those ahead. Such
// a run may end any time, but what the visitor does ends or follows it.
const push = history.pushState.bind(history)
history.pushState = (state, title, address) => {
  const isHere = new URL(address, location.href).pathname === location.pathname
  if (!isHere || !moved) push(state, title, address)
}

function withEmbedParameters(address) {
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (EMBED_PARAMETERS.includes(name)) address.searchParams.append(name, value)
  }
  return address
}
