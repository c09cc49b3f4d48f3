// Opens pages with one entry in the browser's history each.

const EMBED_PARAMETERS = ["embed", "embed_options"]  // must stay while the app is embedded
const PATIENCE = 2000  // milliseconds to wait for a page before clicks count again
const opened = new Set()
let leaving = false
let moved = ""  // "link" or "history" (Back, Forward) while the visitor has done nothing since
const push = history.pushState.bind(history)
const replace = history.replaceState.bind(history)

// Opens an address. The popstate event makes Streamlit load it as after Back, without a new entry.
export default function ({ data }) {
  if (!data.address) leaving = false  // the run of the next page has begun
  if (!data.address || opened.has(data.id)) return  // other runs and a change of theme call again
  opened.add(data.id)
  const next = withEmbedParameters(new URL(data.address, location.href))
  if (data.replace && moved === "history" && !isHere(next)) return  // of a page that one has left
  leaving = !data.replace
  if (leaving) setTimeout(() => leaving = false, PATIENCE)
  if (data.replace) replace({}, "", next)
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
  addEventListener(kind, () => moved = "", true)
}

// When a link is clicked, Streamlit pushes this page's address without the parameters that are bound
// to fields. They are removed until it has read the address, so that it pushes nothing.
addEventListener("click", ({ target }) => {
  const link = target.closest?.("a[href]")
  const here = location.href
  const bare = withEmbedParameters(new URL(location.pathname, here)).href
  if (!link || link.origin !== location.origin || here === bare) return
  if (link.pathname === location.pathname) return
  moved = "link"
  replace(history.state, "", bare)
  setTimeout(() => location.href === bare && replace(history.state, "", here))
}, true)

addEventListener("popstate", event => { if (event.isTrusted) moved = "history" }, true)

// When a run begins whose page is not the address's, Streamlit pushes that page; when one ends with
// other parameters, it pushes or replaces these. Of a run that one has left by now that is wrong: an
// entry too many, which cuts off those ahead. Such a run may begin or end any time, but what the
// visitor does ends or follows it. After Back or Forward the address is right as it is.
history.pushState = (state, title, address) => {
  if (!moved || (moved === "link" && !isHere(address))) return push(state, title, address)
  // The run's page may have been asked for last, by a component of it: the address's is asked for again.
  if (!isHere(address)) setTimeout(() => dispatchEvent(new PopStateEvent("popstate", { state: {} })))
}
history.replaceState = (state, title, address) => {
  if (moved !== "history") replace(state, title, address)
}

function isHere(address) {
  return new URL(address, location.href).pathname === location.pathname
}

function withEmbedParameters(address) {
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (EMBED_PARAMETERS.includes(name)) address.searchParams.append(name, value)
  }
  return address
}
