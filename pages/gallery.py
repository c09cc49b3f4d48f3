"""Gallery: all films, or one with its label."""

import streamlit as st

from db.models import State
from momalisa.ui import catalogue, dropped, exhibit, filters, history, label, wall

chosen = st.query_params.get("walk")
if chosen:
    walk = history.find(chosen)
    with st.container(horizontal=True):
        exhibit.way_back()
        if walk is not None:
            wall.neighbours(walk)
    if walk is None or walk.state is not State.DONE:
        exhibit.not_here(walk)
        st.stop()
    picture, words = st.columns([6, 5], gap="large")
    with picture:
        exhibit.show(walk)
    with words:
        label.wall_label(walk)
        with st.container(horizontal=True, vertical_alignment="center", key="door_use"):
            exhibit.use(walk)
            exhibit.carry_on(walk)
            exhibit.beside(walk)
        with st.container(horizontal=True):
            exhibit.take_away(walk)
        label.fact_table(label.facts(walk), key=walk.id)
        exhibit.annotate(walk)
        exhibit.take_down(walk)
    st.stop()

st.title("Gallery", anchor=False)
search, own = st.columns([5, 1])
with search:
    wanted = filters.choose()
with own:
    dropped.take_in()
found, total = wall.look(wanted)
if not found:
    wall.empty(wanted)
    st.stop()
with st.container(horizontal=True, vertical_alignment="center"):
    st.text(wall.counted(wanted, total), width="stretch")
    wall.exhibit_these(total)
    catalogue.take_along(wanted.filters)
if late := wall.late():
    st.text(late)
wall.hang(found[: wall.PAGE])
wall.turn_pages(found)
