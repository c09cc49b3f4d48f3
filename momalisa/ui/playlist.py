"""The playlist of an exhibition: which films the URL selects, and how long each is shown."""

import logging
from urllib.parse import parse_qs

import streamlit as st

from db import walks
from db.models import Walk
from momalisa.ui import film_detail, history, wall_label
from momalisa.ui.components.exhibition import Slide
from momalisa.ui.gallery import filters
from momalisa.ui.submit import has_spec, spec_of

MAX_FILMS = 200
"""The most films of one exhibition."""
DEFAULT_ROUNDS = 2
"""How often each film plays unless the URL says otherwise."""
MIN_SECONDS, MAX_SECONDS = 3.0, 3600.0
"""The limits of how long a film is shown."""
UNKNOWN_SECONDS = 20.0
"""How long a film of another program is shown, whose duration is unknown."""

log = logging.getLogger(__name__)


def current_slides() -> list[Slide]:
    """The slides to show now; those of the last run if the database fails.

    Raises the error of the first run, when there are no earlier slides.
    """
    try:
        seconds, rounds = _positive_param("seconds"), _positive_param("rounds", DEFAULT_ROUNDS)
        st.session_state.slides = [_slide(walk, seconds, rounds) for walk in _selected_films()]
    except Exception as error:  # any error: the screen of an exhibition must not go dark
        if "slides" not in st.session_state:
            raise
        log.warning("the exhibition goes on as it was: %s", error)
    slides: list[Slide] = st.session_state.slides
    return slides


def exhibition_params(query: str) -> dict[str, str]:
    """The query parameters that exhibit the films of a Gallery query string.

    The query is nested in one parameter: Streamlit removes parameters that are bound to widgets
    of the Gallery from the URLs of other pages.
    """
    return {"of": query} if query else {}


def gallery_params() -> dict[str, list[str]]:
    """The exhibited search as the Gallery's query parameters."""
    return parse_qs(_gallery_query())


def _gallery_query() -> str:
    return st.query_params.get("of", "")


def _selected_films() -> list[Walk]:
    """The finished films that the URL lists, in that order; without a list, its search results."""
    ids = st.query_params.get_all("walk")[:MAX_FILMS]
    if ids:
        with history.reading() as session:
            films = walks.find_films(session=session, ids=ids)
        return [films[walk_id] for walk_id in ids if walk_id in films]
    wanted = filters.parse_query(_gallery_query())
    with history.reading() as session:
        return walks.list_page(session=session, sort=wanted.sort, limit=MAX_FILMS, **wanted.filters)


def _slide(walk: Walk, seconds: float, rounds: float) -> Slide:
    """A film's slide, shown for so many seconds, or if that is 0, for so many rounds."""
    seconds = seconds or rounds * _seconds_per_round(walk)
    return Slide(
        id=walk.id,
        title=f"{walk.title}, {walk.created_at.year}",
        lines=wall_label.label_lines(walk),
        alt=film_detail.alt_text(walk),
        **history.film_urls(walk),
        poster=history.file_url(walk, "poster"),
        seconds=min(max(MIN_SECONDS, seconds), MAX_SECONDS),
    )


def _seconds_per_round(walk: Walk) -> float:
    """Seconds of one showing of the film; a default where its spec is not known."""
    if not has_spec(walk):
        return UNKNOWN_SECONDS / DEFAULT_ROUNDS
    spec = spec_of(walk)
    return len(spec.film_order()) / spec.fps


def _positive_param(name: str, default: float = 0.0) -> float:
    """A query parameter as a positive number; the default if it is missing or not one."""
    try:
        number = float(st.query_params.get(name, ""))
    except ValueError:
        return default
    return number if number > 0 else default
