"""What the visitor looks for in the Gallery. Every choice stands in the URL."""

from datetime import date
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlencode

import streamlit as st

from db import walks
from db.gallery_query import ORDERS, Filters, Sort
from momalisa.ui import history

ANY = "any"


class Wanted(NamedTuple):
    """Which films, and in which order."""

    filters: Filters
    sort: Sort


def choose() -> Wanted:
    """Search, order and filters."""
    with history.reading() as session:
        choices = walks.list_filter_values(session=session)
    words, beside = st.columns([2, 1], vertical_alignment="bottom")
    with words:
        search = st.text_input(
            "Search",
            type="search",
            live=True,
            placeholder="Words of a prompt, title, tag or note",
            **_bound("q"),
        )
    with beside, st.container(horizontal=True, vertical_alignment="bottom"):
        sort = st.selectbox("Sort", list(ORDERS), **_bound("sort"))
        with st.popover("Filters", icon=":material/tune:"):
            filters = Filters(
                search=search or "",
                model=_one_of("model", choices["model"]),
                pacing=_one_of("pacing", choices["pacing"]),
                tags=st.multiselect("Tags", choices["tag"], **_bound("tag")),
                since=st.date_input("From", None, **_bound("since")),
                until=st.date_input("To", None, **_bound("until")),
                starred=st.toggle("Starred", **_bound("starred")),
            )
    return Wanted(filters, sort)


def in_url() -> str:
    """The choices as they stand in the URL, without the film or the page that is shown."""
    names = [name for name in st.query_params if name not in ("walk", "before")]
    return urlencode([(name, st.query_params.get_all(name)) for name in names], doseq=True)


def asked(query: str) -> Wanted:
    """What a URL's choices ask for, where there are no fields that would read it."""
    ask = parse_qs(query)

    def one(name: str) -> str:
        return ask.get(name, [""])[-1]

    filters = Filters(
        search=one("q"),
        model=one("by_model"),
        pacing=one("by_pacing"),
        tags=ask.get("tag", []),
        since=_day(one("since")),
        until=_day(one("until")),
        starred=one("starred") == "true",
    )
    sort = one("sort")
    return Wanted(filters, sort if sort in ORDERS else "newest")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def told(filters: Filters) -> str:
    """The filters that are set, in words; blank when all films pass."""
    since, until = filters.get("since"), filters.get("until")
    chosen = (
        f"“{words}”" if (words := filters.get("search")) else "",
        filters.get("model", ""),
        filters.get("pacing", ""),
        *filters.get("tags", ()),
        f"from {since:%d %B %Y}" if since else "",
        f"to {until:%d %B %Y}" if until else "",
        "starred" if filters.get("starred") else "",
    )
    return ", ".join(filter(None, chosen))


def _one_of(name: str, values: list[str]) -> str:
    chosen = st.selectbox(name.capitalize(), [ANY, *values], **_bound(f"by_{name}"))
    return "" if chosen == ANY else chosen


def _bound(key: str) -> dict[str, Any]:
    """In the URL as `key`; another choice is shown from its first page on."""
    return {"key": key, "bind": "query-params", "on_change": first_page}


def first_page() -> None:
    """Back to where the order begins."""
    st.session_state.pages = []
    st.query_params.pop("before", None)
