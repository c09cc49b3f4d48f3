"""Gallery: all films, or one with its label."""

import streamlit as st

from db.models import State
from momalisa.ui import film_detail, history, wall_label
from momalisa.ui.gallery import filters, import_film, poster_grid, table_export

chosen = st.query_params.get("walk")
if chosen:
    walk = history.find(chosen)
    with st.container(horizontal=True):
        film_detail.way_back()
        if walk is not None:
            poster_grid.neighbours(walk)
    if walk is None or walk.state is not State.DONE:
        film_detail.not_here(walk)
        st.stop()
    picture, words = st.columns([6, 5], gap="large")
    with picture:
        film_detail.show(walk)
    with words:
        wall_label.wall_label(walk)
        with st.container(horizontal=True, vertical_alignment="center", key="door_use"):
            film_detail.use(walk)
            film_detail.carry_on(walk)
            film_detail.beside(walk)
        with st.container(horizontal=True):
            film_detail.take_away(walk)
        wall_label.fact_table(wall_label.facts(walk), key=walk.id)
        film_detail.annotate(walk)
        film_detail.take_down(walk)
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
