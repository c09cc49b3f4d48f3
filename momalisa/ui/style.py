"""The little CSS that the theme cannot say: wall labels, doors, sentences beside fields."""

import streamlit as st

CSS = """
<style>
/* Wall labels. The title is a work's, so it stands in italics. */
[class*="st-key-title"] [data-testid="stText"] {
  font: italic 400 1.35rem/1.3 "Source Serif", Georgia, serif; overflow-wrap: anywhere;
}
[class*="st-key-line"] [data-testid="stText"] { font-size: .95rem; line-height: 1.5; }
[class*="st-key-facts"] {
  display: grid; grid-template-columns: max-content 1fr; gap: .3rem 1.5rem;
}
[class*="st-key-facts3"] { grid-template-columns: max-content 1fr 1fr; }
[class*="st-key-facts"] > div { width: auto; min-width: 0; }
[class*="st-key-facts"] [data-testid="stText"] {
  font-size: .9rem; line-height: 1.45; overflow-wrap: anywhere;
}

/* What is wrong stands right under its field. */
[class*="st-key-problem"] { margin-top: -.7rem; }
[class*="st-key-problem"] [data-testid="stText"] {
  font-size: .9rem; line-height: 1.4; color: var(--problem);
}

/* An empty place on the wall. */
.st-key-empty_wall { aspect-ratio: 1; max-height: 32rem; display: grid; place-content: center; }

@media (prefers-color-scheme: dark) { }
</style>
"""


def hang() -> None:
    """Put the style on the page."""
    st.html(CSS)
