"""The programme of an exhibition: which films the URL asks for, and how long each is shown."""

import logging
from urllib.parse import parse_qs

import streamlit as st

from db import walks
from db.models import State, Walk
from momalisa.ui import film_detail, history, wall_label
from momalisa.ui.components.exhibition import Slide
from momalisa.ui.gallery import filters
from momalisa.ui.submit import repeatable, spec_of

MOST = 200
"""Films of one exhibition."""
ROUNDS = 2
SECONDS = (3.0, 3600.0)
"""The shortest and the longest time that a film is shown."""
UNTOLD = 20.0
"""Seconds for a film of which nobody knows how long a round is."""

log = logging.getLogger(__name__)


def slides() -> list[Slide]:
    """The films to show now; if they cannot be found out, those shown before."""
    try:
        st.session_state.programme = [_slide(walk) for walk in _films()]
    except Exception as error:  # whatever it is, a gallery's screen should not go dark for it
        if "programme" not in st.session_state:
            raise
        log.warning("the exhibition goes on as it was: %s", error)
    shown: list[Slide] = st.session_state.programme
    return shown


def of(query: str) -> dict[str, str]:
    """The URL's parameters for the films that the Gallery finds by this query.

    They stand there as one: Streamlit takes those of the Gallery's fields off other pages' URLs.
    """
    return {"of": query} if query else {}


def way_out() -> dict[str, list[str]]:
    """The search that was exhibited, for the Gallery's URL."""
    return parse_qs(_query())


def _query() -> str:
    return st.query_params.get("of", "")


def _films() -> list[Walk]:
    """The films that the URL names, in that order; else those that its search finds."""
    named = st.query_params.get_all("walk")[:MOST]
    if named:
        found = (history.find(walk_id) for walk_id in named)
        return [walk for walk in found if walk is not None and walk.state is State.DONE]
    wanted = filters.asked(_query())
    with history.reading() as session:
        return walks.page(session=session, sort=wanted.sort, limit=MOST, **wanted.filters)


def _slide(walk: Walk) -> Slide:
    return Slide(
        id=walk.id,
        title=f"{walk.title}, {walk.created_at.year}",
        lines=wall_label.lines_of(walk),
        alt=film_detail.described(walk),
        film=history.address(walk, "gif"),
        poster=history.address(walk, "poster"),
        seconds=_seconds(walk),
    )


def _seconds(walk: Walk) -> float:
    """How long the film is shown: as the URL says, or for two rounds."""
    seconds = _number("seconds") or _number("rounds", ROUNDS) * _round(walk)
    return min(max(SECONDS[0], seconds), SECONDS[1])


def _round(walk: Walk) -> float:
    if not repeatable(walk):
        return UNTOLD / ROUNDS
    spec = spec_of(walk)
    return len(spec.film_order()) / spec.fps


def _number(name: str, default: float = 0.0) -> float:
    """A positive number of the URL, or the default."""
    try:
        number = float(st.query_params.get(name, ""))
    except ValueError:
        return default
    return number if number > 0 else default
