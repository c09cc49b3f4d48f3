"""The Gallery's wall: which posters hang there, and the way to the next ones."""

import streamlit as st

from db import walks
from db.gallery_query import Sort
from db.models import Walk
from momalisa.ui import example_film, film_detail, history, page_paths, playlist, wall_label
from momalisa.ui.components.grid import Card, grid
from momalisa.ui.gallery.filters import Wanted, asked, first_page, in_url, told

PAGE = 24


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
        meta=f"{walk.created_at.year}, {wall_label.caption(walk)}{' ★' if walk.star else ''}",
        alt=f"Poster: {film_detail.alt_text(walk)}",
        poster=history.file_url(walk, "poster"),
        film=history.file_url(walk, "gif"),
        href=f"/gallery?walk={walk.id}",
    )


def look(wanted: Wanted) -> tuple[list[Walk], int]:
    """The page of films that the URL asks for, and how many there are on all pages."""
    before = st.query_params.get("before")
    sort, filters = wanted.sort, wanted.filters
    with history.reading() as session:
        found = walks.list_page(
            session=session, sort=sort, limit=PAGE + 1, before=before, **filters
        )
        total = walks.count(session=session, **filters)
    if before is not None and total and not found:
        # The film that this page began behind is gone, or none is behind it any more.
        first_page()
        return look(wanted)
    return found, total


def counted(wanted: Wanted, total: int) -> str:
    """How many films were found by which filters."""
    chosen = told(wanted.filters)
    return f"{_films(total)}: {chosen}" if chosen else _films(total)


def late() -> str:
    """How many of all films have yet to reach the storage; blank when all are there."""
    with history.reading() as session:
        number = walks.count(session=session, waiting=True)
    wait = "waits" if number == 1 else "wait"
    return f"{_films(number)} {wait} for the storage; nothing is lost." if number else ""


def _films(number: int) -> str:
    return f"{number:,} film" if number == 1 else f"{number:,} films"


def turn_pages(found: list[Walk]) -> None:
    """The films before and after these."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if "before" in st.query_params:
            st.button("Previous", key="previous", icon=":material/arrow_back:", on_click=_previous)
        if len(found) > PAGE:
            st.button(
                "Next",
                key="next",
                icon=":material/arrow_forward:",
                icon_position="right",
                on_click=_next,
                args=(found[PAGE - 1].id,),
            )


def _next(last: str) -> None:
    st.session_state.setdefault("pages", []).append(st.query_params.get("before"))
    st.query_params["before"] = last


def _previous() -> None:
    pages = st.session_state.get("pages") or [None]
    # The browser's own way back may have left this very page on top.
    while len(pages) > 1 and pages[-1] == st.query_params.get("before"):
        pages.pop()
    before = pages.pop()
    if before is None:
        first_page()
    else:
        st.query_params["before"] = before


def exhibit_these(total: int) -> None:
    """The way to the exhibition of all films found, or of as many as one shows."""
    most = playlist.MAX_FILMS
    st.page_link(
        page_paths.EXHIBITION,
        label="Exhibit these" if total <= most else f"Exhibit the first {most}",
        icon=":material/slideshow:",
        query_params=playlist.exhibition_params(in_url()),
    )


def neighbours(walk: Walk) -> None:
    """The ways to the films made after and before this one, of those found."""
    filters = asked(in_url()).filters
    sides: tuple[tuple[str, Sort], ...] = (("Newer", "oldest"), ("Older", "newest"))
    with history.reading() as session:
        for name, sort in sides:
            found = walks.list_page(session=session, sort=sort, limit=1, before=walk.id, **filters)
            st.button(
                name,
                type="tertiary",
                on_click=_open,
                args=[other.id for other in found],
                disabled=not found,
            )


def _open(walk_id: str) -> None:
    st.query_params["walk"] = walk_id


def empty(wanted: Wanted) -> None:
    """A wall without posters: the film that ships, and the way to the first own one."""
    if told(wanted.filters):
        st.text("Nothing here goes by that description.")
        return
    picture, words = example_film.film_and_text_columns()
    with picture:
        example_film.show_example_film()
    with words:
        st.text("The walls are still bare.")
        st.text("Every film you make will hang in this room. This one came with MOMA Lisa.")
        with st.container(horizontal=True, vertical_alignment="center", key="doors"):
            st.page_link(page_paths.CREATE, label="Create a walk")
            example_film.show_reuse_button()
