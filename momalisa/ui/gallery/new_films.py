"""The Gallery's offer of films that were finished while its page is open.

Each open page looks now and then. The posters stay as they are until the visitor asks for the new
ones, so that nothing moves under the pointer; only bare walls are hung at once.
"""

import streamlit as st

from db import walks
from db.error_messages import HistoryError
from db.gallery_query import Filters
from momalisa.ui import history
from momalisa.ui.gallery.filters import FilmQuery, show_newest
from momalisa.ui.gallery.poster_grid import Found

LOOK = "30s"
"""Time between two looks, each of one query that reads only the films finished since."""


@st.fragment(run_every=LOOK)
def show_offer(query: FilmQuery, found: Found) -> None:
    """Show a button for the films that match and were finished since the page was drawn."""
    new = count_new_films(query, found)
    if not new:
        return
    if not found.films:
        st.rerun()
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button(
            f"Show {new:,} new film{'s' if new > 1 else ''}",
            key="show_new",
            type="tertiary",
            icon=":material/arrow_upward:",
            on_click=show_newest,
        ):
            st.rerun()


def count_new_films(query: FilmQuery, found: Found) -> int:
    """Count the films that match and were finished since the page was drawn; 0 if not known."""
    filters: Filters = {**query.filters, "after": found.newest}
    try:
        with history.reading() as session:
            return walks.count(session=session, **filters)
    except HistoryError:
        return 0  # the next run of the page says so
