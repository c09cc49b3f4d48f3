"""Gallery: all films, or one with its label."""

import streamlit as st

from db.models import State
from momalisa.ui import catalogue, exhibit, filters, history, label, rooms, wall

chosen = st.query_params.get("walk")
if chosen:
    exhibit.way_back()
    walk = history.find(chosen)
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
        with st.container(horizontal=True):
            exhibit.take_away(walk)
        label.fact_table(label.facts(walk), key=walk.id)
        exhibit.annotate(walk)
        exhibit.take_down(walk)
    st.stop()

st.title("Gallery", anchor=False)
wanted = filters.choose()
found, total = wall.look(wanted)
if not found:
    st.text(wall.empty(wanted))
    st.page_link(rooms.CREATE, label="Create a walk")
    st.stop()
with st.container(horizontal=True, vertical_alignment="center"):
    st.text(wall.counted(wanted, total), width="stretch")
    catalogue.take_along(wanted.filters)
if late := wall.late():
    st.text(late)
wall.hang(found[: wall.PAGE])
wall.turn_pages(found)
