"""CSS that the theme cannot express: wall labels, link buttons, messages below fields."""

import streamlit as st

CSS = """
<style>
/* Wall labels: the title of a work is set in italics. */
[class*="st-key-title"] [data-testid="stText"] span {
  font: italic 400 1.4rem/1.3 "Source Serif", Georgia, serif; overflow-wrap: anywhere;
}
[class*="st-key-line"] [data-testid="stText"] span { font-size: .95rem; line-height: 1.55; }

/* Tables of names and values. */
[class*="st-key-facts"] {
  display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem;
}
[class*="st-key-facts3"] { grid-template-columns: max-content 1fr 1fr; }
[class*="st-key-facts"] > div { width: auto; min-width: 0; }
[class*="st-key-facts"] [data-testid="stText"] span {
  font-size: .9rem; line-height: 1.45; overflow-wrap: anywhere;
}
[class*="st-key-facts_"] > div:nth-child(odd) span,
[class*="st-key-facts3"] > div:nth-child(3n + 1) span,
[class*="st-key-quiet"] [data-testid="stText"] span { color: light-dark(#6b665e, #a39e95); }
[class*="st-key-quiet"] [data-testid="stText"] span { font-size: .9rem; line-height: 1.45; }

/* An error message is close to its field. */
[class*="st-key-problem"] { margin-top: -.7rem; }
[class*="st-key-problem"] [data-testid="stText"] span {
  font-size: .9rem; line-height: 1.4; color: light-dark(#a3271c, #f08a7c);
}

/* Links with the size of buttons. */
[class*="st-key-door"] a {
  min-height: 2.5rem; padding: .25rem 1rem; border: 1px solid light-dark(#d9d5cd, #343332);
}
[class*="st-key-door"] a:hover { border-color: currentColor; background: transparent; }
.st-key-doors > div:first-child a, .st-key-doors > div:first-child a:hover {
  color: light-dark(#fcfbf9, #0d0d0e); background: light-dark(#1c1a17, #e9e5dd);
}
.st-key-doors > div:first-child a * { color: inherit; }

/* Fields and components that only keep state in the browser. */
.st-key-shape, .st-key-focus, [class*="st-key-address"], [class*="st-key-baseline"] {
  display: none;
}

/* Links show the keyboard's focus as buttons do: by more than a shade. */
[data-testid="stPageLink"] a:focus-visible, [data-testid="stTopNavLink"]:focus-visible {
  outline: 2px solid currentColor; outline-offset: 2px;
}

/* Small buttons for presets. */
.st-key-ideas button, .st-key-at_once button { min-height: 2rem; padding: .1rem .6rem; }
.st-key-ideas button p, .st-key-at_once button p { font-size: .9rem; }

/* Buttons with the size of links. */
.st-key-elsewhere button { min-height: 1.75rem; padding: 0 .5rem; }
.st-key-elsewhere button p { font-weight: 600; }

/* A page's title, with a button beside it, stands where it does by itself. */
.st-key-head h1 { padding-top: 1.25rem; }

/* Icon buttons beside a stop: the label is for screen readers only. */
[class*="st-key-order_"] button { padding: .25rem; }
[class*="st-key-order_"] button p {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
}

/* A stop's picture is close to its prompt. */
[class*="st-key-picture_"] { margin-top: -.5rem; }

/* While a page reruns, a field with a new key precedes its old version: show only the first. */
[class*="st-key-quality_"] ~ [class*="st-key-quality_"],
[class*="st-key-prompt_"] ~ [class*="st-key-prompt_"],
[class*="st-key-walk_frames"] ~ [class*="st-key-walk_frames"],
[class*="st-key-walk_steps"] ~ [class*="st-key-walk_steps"],
[class*="st-key-walk_guidance"] ~ [class*="st-key-walk_guidance"],
[class*="st-key-walk_size"] ~ [class*="st-key-walk_size"] { display: none; }

/* No full-screen button for the pacing curve. */
.st-key-curve [data-testid="stElementToolbar"] { display: none; }

/* In dark mode the primary button and the tags are light, so their text is dark. */
button[kind="primary"] p, [data-testid="stMultiSelect"] [data-tag] * {
  color: light-dark(#fcfbf9, #0d0d0e);
}

/* On Create the wall stays in sight beside a form that is longer than the window. Below this width
   Streamlit sets columns one below the other. */
@media (min-width: 640.02px) {
  [data-testid="stColumn"]:has(.st-key-wall) {
    position: sticky; top: 4.5rem; align-self: flex-start;
  }
}

/* On a phone it hangs below the prompts and the button, and the settings come last: below these
   nobody saw a prompt as it is painted, nor that a walk had begun. The keyboard goes as on wide
   screens, since `reading-flow` keeps the children of a box with `display: contents` together. */
@media (max-width: 640px) {
  [data-testid="stHorizontalBlock"]:has(> [data-testid="stColumn"] .st-key-wall) {
    flex-flow: column; gap: 1rem;
  }
  [data-testid="stColumn"]:has(.st-key-begin), [data-testid="stColumn"]:has(.st-key-begin) > div {
    display: contents;
  }
  [data-testid="stColumn"]:has(.st-key-wall) { order: 1; }
  [data-testid="stColumn"]:has(.st-key-begin) > div > :not(:has(h1, .st-key-stops, .st-key-begin)) {
    order: 2;
  }
}

/* The placeholder for the first film. */
.st-key-empty_wall {
  aspect-ratio: 1; max-width: min(66vh, 40rem); display: grid; place-content: center;
}
</style>
"""


def apply_style() -> None:
    """Add the style sheet to the page."""
    st.html(CSS)
