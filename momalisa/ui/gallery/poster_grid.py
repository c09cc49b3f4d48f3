"""The Gallery's poster grid, its pages, and the links to neighbouring films."""

from datetime import datetime
from typing import NamedTuple

import streamlit as st

from db import walks
from db.gallery_query import Sort
from db.models import Walk
from momalisa.ui import (
    example_film,
    film_detail,
    history,
    navigation,
    page_paths,
    playlist,
    wall_label,
)
from momalisa.ui.components.grid import Card, grid
from momalisa.ui.gallery.filters import (
    FilmQuery,
    current_query,
    describe,
    describe_unread,
    go_to_first_page,
    parse_query,
)

PAGE_SIZE = 24


def show_posters(films: list[Walk]) -> None:
    """Show the posters; opening one puts its walk into the URL."""
    opened = grid([_card(walk) for walk in films], key="wall")
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
        **history.film_urls(walk),
        href=navigation.film_address(walk.id),
    )


class Found(NamedTuple):
    """A page of the films that match, and what else is known of them at that moment."""

    films: list[Walk]
    """One more than a page holds, if there is a next page."""
    total: int
    """On all pages."""
    newest: datetime | None
    """When the newest film was finished, whether it matches or not; None if there is none."""


def find_films(query: FilmQuery) -> Found:
    """Load the page of films at the URL's position."""
    before = st.query_params.get("before")
    sort, filters = query.sort, query.filters
    with history.reading() as session:
        films = walks.list_page(
            session=session, sort=sort, limit=PAGE_SIZE + 1, before=before, **filters
        )
        total = walks.count(session=session, **filters)
        newest = walks.list_page(session=session, limit=1, only=[Walk.finished_at])
    if before is not None and total and not films:
        # The film at the page position was deleted, or was the last one.
        go_to_first_page()
        return find_films(query)
    return Found(films, total, newest[0].finished_at if newest else None)


def describe_result(query: FilmQuery, total: int) -> str:
    """Describe how many films match, and which filters."""
    chosen = describe(query.filters)
    found = f"{_count_text(total)}: {chosen}" if chosen else _count_text(total)
    return found + describe_unread(query.filters)


def describe_pending() -> str:
    """Describe how many films are not uploaded to the storage yet; empty if all are."""
    with history.reading() as session:
        number = walks.count(session=session, waiting=True)
    wait = "waits" if number == 1 else "wait"
    return f"{_count_text(number)} {wait} for the storage; nothing is lost." if number else ""


def _count_text(number: int) -> str:
    return f"{number:,} film" if number == 1 else f"{number:,} films"


def show_page_buttons(films: list[Walk]) -> None:
    """Show the buttons for the previous and the next page."""
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if "before" in st.query_params:
            st.button(
                "Previous",
                key="previous",
                icon=":material/arrow_back:",
                on_click=_open_previous_page,
            )
        if len(films) > PAGE_SIZE:
            st.button(
                "Next",
                key="next",
                icon=":material/arrow_forward:",
                icon_position="right",
                on_click=_open_next_page,
                args=(films[PAGE_SIZE - 1].id,),
            )


def _open_next_page(last: str) -> None:
    st.session_state.setdefault("pages", []).append(st.query_params.get("before"))
    st.query_params["before"] = last


def _open_previous_page() -> None:
    pages = st.session_state.get("pages") or [_position_before()]
    # The browser's own way back may have left this very page on top.
    while len(pages) > 1 and pages[-1] == st.query_params.get("before"):
        pages.pop()
    before = pages.pop()
    if before is None:
        go_to_first_page()
    else:
        st.query_params["before"] = before


def _position_before() -> str | None:
    """The position of the Gallery's previous page; None for the first one.

    For when no page was turned in this session, as after a reload.
    """
    query = parse_query(current_query())
    with history.reading() as session:
        films = walks.list_page(
            session=session,
            sort=query.sort,
            limit=PAGE_SIZE,
            before=st.query_params.get("before"),
            backwards=True,
            only=[Walk.title],
            **query.filters,
        )
    return films[-1].id if len(films) == PAGE_SIZE else None


def show_exhibition_link(total: int) -> None:
    """Show the link to an exhibition of the films found, up to the maximum of one exhibition."""
    most = playlist.MAX_FILMS
    st.page_link(
        page_paths.EXHIBITION,
        label="Exhibit these" if total <= most else f"Exhibit the first {most}",
        icon=":material/slideshow:",
        query_params=playlist.exhibition_params(current_query()),
    )


def show_neighbour_buttons(walk: Walk) -> None:
    """Show the buttons for the next newer and older film that match the filters in the URL."""
    filters = parse_query(current_query()).filters
    sides: tuple[tuple[str, Sort], ...] = (("Newer", "oldest"), ("Older", "newest"))
    with history.reading() as session:
        for name, sort in sides:
            found = walks.list_page(session=session, sort=sort, limit=1, before=walk.id, **filters)
            st.button(
                name,
                type="tertiary",
                on_click=_open_film,
                args=[other.id for other in found],
                disabled=not found,
            )


def _open_film(walk_id: str) -> None:
    st.query_params["walk"] = walk_id


def show_empty_gallery(query: FilmQuery) -> None:
    """Show the example film and a link to Create; with filters, a message that nothing matches."""
    if describe(query.filters):
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
