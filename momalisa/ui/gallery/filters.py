"""The Gallery's search, filters and order, as fields bound to the URL."""

from datetime import date
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

import streamlit as st

from db import gallery_query
from db.gallery_query import ORDERS, Filters, Sort
from momalisa.ui import history

ANY = "any"
OF_WORKS = ("museum", "artist")
"""Filters that are shown where works of art were walked from."""


class FilmQuery(NamedTuple):
    """Which films to list, and in which order."""

    filters: Filters
    sort: Sort


def show_filters() -> FilmQuery:
    """Show the fields for search, order and filters; returns their values."""
    with history.reading() as session:
        tags = st.query_params.get_all("tag")
        choices = gallery_query.list_filter_values(session=session, chosen=tags)
    words, beside = st.columns([2, 1], vertical_alignment="bottom")
    with words:
        search = st.text_input(
            "Search",
            type="search",
            live=True,
            placeholder="Words of a prompt, title, artist, tag or note",
            **_bind("q"),
        )
    with beside, st.container(horizontal=True, vertical_alignment="bottom"):
        sort = st.selectbox("Sort", list(ORDERS), **_bind("sort"))
        with st.popover("Filters", icon=":material/tune:"):
            filters = Filters(
                search=search or "",
                model=_select("model", choices["model"]),
                pacing=_select("pacing", choices["pacing"]),
                museum=_select("museum", choices["museum"]),
                artist=_select("artist", choices["artist"]),
                tags=st.multiselect("Tags", choices["tag"], **_bind("tag")),
                since=st.date_input("From", None, **_bind("since")),
                until=st.date_input("To", None, **_bind("until")),
                starred=st.toggle("Starred", **_bind("starred")),
            )
    return FilmQuery(filters, sort)


def current_query() -> str:
    """The query string of the fields in the URL, without the open film and the page position."""
    names = [name for name in st.query_params if name not in ("walk", "before")]
    return urlencode([(name, st.query_params.get_all(name)) for name in names], doseq=True)


def parse_query(query: str) -> FilmQuery:
    """Parse a query string of the fields, for pages that do not show them."""
    params = parse_qs(query)

    def one(name: str) -> str:
        return params.get(name, [""])[-1]

    filters = Filters(
        search=one("q"),
        model=one("by_model"),
        pacing=one("by_pacing"),
        museum=one("by_museum"),
        artist=one("by_artist"),
        tags=params.get("tag", []),
        since=_parse_day(one("since")),
        until=_parse_day(one("until")),
        starred=one("starred") == "true",
    )
    sort = one("sort")
    return FilmQuery(filters, sort if sort in ORDERS else "newest")


def _parse_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def describe(filters: Filters) -> str:
    """Describe the active filters; empty if there are none."""
    since, until = filters.get("since"), filters.get("until")
    chosen = (
        f"“{filters.get('search')}”" if gallery_query.list_words(filters) else "",
        filters.get("model", ""),
        filters.get("pacing", ""),
        filters.get("museum", ""),
        filters.get("artist", ""),
        *filters.get("tags", ()),
        f"from {since:%d %B %Y}" if since else "",
        f"to {until:%d %B %Y}" if until else "",
        "starred" if filters.get("starred") else "",
    )
    return ", ".join(filter(None, chosen))


def describe_unread(filters: Filters) -> str:
    """Say that what is typed is no search, as the end of a sentence; empty if it is one."""
    typed = filters.get("search", "").strip()
    if not typed or gallery_query.list_words(filters):
        return ""
    return f". A search goes by letters and digits; “{typed}” has none."


def _select(name: str, values: list[str]) -> str:
    if not values and name in OF_WORKS:
        return ""
    chosen = st.selectbox(name.capitalize(), [ANY, *values], **_bind(f"by_{name}"))
    return "" if chosen == ANY else chosen


def _bind(key: str) -> dict[str, Any]:
    """Widget arguments that bind a field to the URL parameter `key`; changes reset the page."""
    return {"key": key, "bind": "query-params", "on_change": go_to_first_page}


def show_newest() -> None:
    """Sort the films by age, the newest first, and go to the first page; a widget's callback."""
    st.session_state["sort"] = "newest"
    go_to_first_page()


def go_to_first_page() -> None:
    """Remove the page position from the URL."""
    st.session_state.pages = []
    st.query_params.pop("before", None)
