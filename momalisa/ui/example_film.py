"""The example film in the entrance hall."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from momalisa.spec import WalkSpec
from momalisa.ui import draft, film_detail
from momalisa.ui.components.player import Film, player
from momalisa.ui.http import media
from momalisa.ui.wall_label import lines

FILM, WALK = media.EXAMPLE / "film.gif", media.EXAMPLE / "walk.json"


def halves() -> tuple[DeltaGenerator, DeltaGenerator]:
    """The wall for the film and the place for the words; without a film, words alone."""
    if not FILM.is_file():
        return st.container(), st.container()
    wall, words = st.columns([6, 5], gap="large", vertical_alignment="center")
    return wall, words


def example_film() -> None:
    """The film that ships with the app, and its label if the walk is there too."""
    if not FILM.is_file():
        return
    spec = _spec()
    alt = f"Film of the walk {spec.title()}" if spec else "Film of a walk from picture to picture"
    player(Film(media.example_url(FILM.name), alt, spec.size if spec else 256), key="example")
    if spec:
        with st.container(key="title_example"):
            st.text(spec.title())
        with st.container(key="line_example", gap=None):
            for line in lines(spec, len(spec.places())):
                st.text(line)


def use_example() -> None:
    """The way to Create, with the settings of the film that ships."""
    spec = _spec()
    if spec and st.button("Use its settings"):
        draft.load(spec.model_dump(mode="json"))
        film_detail.to_easel()


def _spec() -> WalkSpec | None:
    return WalkSpec.model_validate_json(WALK.read_text()) if WALK.is_file() else None
