"""The example film that ships with the app, shown on Home and in an empty Gallery."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from momalisa.spec import WalkSpec
from momalisa.ui import draft, film_detail
from momalisa.ui.components.player import Film, player
from momalisa.ui.http import media
from momalisa.ui.wall_label import spec_lines

FILM_PATH, WALK_PATH = media.EXAMPLE / "film.gif", media.EXAMPLE / "walk.json"


def film_and_text_columns() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Create a column for the film and one for text; without the film, two plain containers."""
    if not FILM_PATH.is_file():
        return st.container(), st.container()
    film, text = st.columns([6, 5], gap="large", vertical_alignment="center")
    return film, text


def show_example_film() -> None:
    """Show the example film, and its wall label if its spec is there too."""
    if not FILM_PATH.is_file():
        return
    spec = _read_spec()
    alt = f"Film of the walk {spec.title()}" if spec else "Film of a walk from picture to picture"
    gif, webp = media.example_url(FILM_PATH.name), FILM_PATH.with_suffix(".webp")
    url, fallback = (media.example_url(webp.name), gif) if webp.is_file() else (gif, "")
    width, height = (spec.width, spec.height) if spec else (256, 256)
    player(Film(url, alt, width, height, fallback=fallback), key="example")
    if spec:
        with st.container(key="title_example"):
            st.text(spec.title())
        with st.container(key="line_example", gap=None):
            for line in spec_lines(spec, len(spec.places())):
                st.text(line)


def show_reuse_button() -> None:
    """Show the button that opens Create with the example film's settings."""
    spec = _read_spec()
    if spec and st.button("Use its settings"):
        draft.load_spec(spec.model_dump(mode="json"))
        film_detail.open_create_form()


def _read_spec() -> WalkSpec | None:
    """The example film's spec; None if the file is missing."""
    return WalkSpec.model_validate_json(WALK_PATH.read_text()) if WALK_PATH.is_file() else None
