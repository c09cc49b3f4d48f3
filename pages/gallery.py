"""Gallery: all films, or one with its label."""

import streamlit as st

from db.models import State
from momalisa.ui import film_detail, history, wall_label
from momalisa.ui.gallery import filters, import_film, poster_grid, table_export

chosen = st.query_params.get("walk")
if chosen:
    walk = history.find_walk(chosen)
    with st.container(horizontal=True):
        film_detail.show_back_button()
        if walk is not None:
            poster_grid.neighbours(walk)
    if walk is None or walk.state is not State.DONE:
        film_detail.show_missing_film(walk)
        st.stop()
    picture, words = st.columns([6, 5], gap="large")
    with picture:
        film_detail.show_film(walk)
    with words:
        wall_label.show_wall_label(walk)
        with st.container(horizontal=True, vertical_alignment="center", key="door_use"):
            film_detail.show_reuse_buttons(walk)
            film_detail.show_variation_buttons(walk)
            film_detail.show_compare_link(walk)
        with st.container(horizontal=True):
            film_detail.show_downloads(walk)
        wall_label.show_fact_table(wall_label.facts(walk), key=walk.id)
        film_detail.show_annotation_fields(walk)
        film_detail.show_delete_button(walk)
    st.stop()

st.title("Gallery", anchor=False)
search, own = st.columns([5, 1])
with search:
    wanted = filters.choose()
with own:
    import_film.take_in()
found, total = poster_grid.look(wanted)
if not found:
    poster_grid.empty(wanted)
    st.stop()
with st.container(horizontal=True, vertical_alignment="center"):
    st.text(poster_grid.counted(wanted, total), width="stretch")
    poster_grid.exhibit_these(total)
    table_export.take_along(wanted.filters)
if late := poster_grid.late():
    st.text(late)
poster_grid.hang(found[: poster_grid.PAGE])
poster_grid.turn_pages(found)
