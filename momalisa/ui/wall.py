"""The Gallery's wall: which posters hang there, and the way to older ones."""

from typing import NamedTuple

import streamlit as st

from db import walks
from db.models import Walk
from momalisa.ui import exhibit, history
from momalisa.ui.components.grid import Card, grid

PAGE = 24
ANY = "any"


class Wanted(NamedTuple):
    """What the visitor looks for."""

    search: str
    model: str
    pacing: str


def filters() -> Wanted:
    """Search and filters, kept in the URL."""
    with history.reading() as session:
        choices = walks.choices(session=session)
    words, models, pacings = st.columns([4, 1, 1])
    search = words.text_input(
        "Search",
        key="q",
        type="search",
        live=True,
        bind="query-params",
        placeholder="Words of a title, a number, a note",
        on_change=_first_page,
    )
    chosen = [
        column.selectbox(
            name.capitalize(),
            [ANY, *choices[name]],
            key=f"by_{name}",
            bind="query-params",
            on_change=_first_page,
        )
        for column, name in ((models, "model"), (pacings, "pacing"))
    ]
    model, pacing = ("" if choice in (None, ANY) else str(choice) for choice in chosen)
    return Wanted(search or "", model, pacing)


def hang(found: list[Walk]) -> None:
    """The posters; opening one puts its walk into the URL."""
    opened = grid([_card(walk) for walk in found], key="wall")
    if opened:
        st.query_params["walk"] = opened
        st.rerun()


def _card(walk: Walk) -> Card:
    return Card(
        id=walk.id,
        title=walk.title,
        meta=f"{walk.created_at.year}, {walk.pacing}, {walk.accession}{' ★' if walk.star else ''}",
        alt=f"Poster: {exhibit.described(walk)}",
        poster=history.address(walk.files.get("poster", "")),
        film=history.address(walk.files.get("gif", "")),
        href=f"/gallery?walk={walk.id}",
    )


def look(wanted: Wanted) -> tuple[list[Walk], int]:
    """The page of films that the URL asks for, and how many there are on all pages."""
    before = st.query_params.get("before")
    with history.reading() as session:
        found = walks.page(session=session, **wanted._asdict(), limit=PAGE + 1, before=before)
        return found, walks.count(session=session, **wanted._asdict())


def turn_pages(found: list[Walk]) -> None:
    """Newer and older films."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if "before" in st.query_params:
            st.button("Newer", key="newer", icon=":material/arrow_back:", on_click=_newer)
        if len(found) > PAGE:
            st.button(
                "Older",
                key="older",
                icon=":material/arrow_forward:",
                icon_position="right",
                on_click=_older,
                args=(found[PAGE - 1].id,),
            )


def _older(last: str) -> None:
    st.session_state.setdefault("pages", []).append(st.query_params.get("before"))
    st.query_params["before"] = last


def _newer() -> None:
    pages = st.session_state.get("pages") or [None]
    before = pages.pop()
    if before is None:
        _first_page()
    else:
        st.query_params["before"] = before


def _first_page() -> None:
    st.session_state.pages = []
    st.query_params.pop("before", None)


def empty(wanted: Wanted) -> str:
    """The line on a wall without posters."""
    return "Nothing here goes by that description." if any(wanted) else "The walls are still bare."
