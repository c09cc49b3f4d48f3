"""Insight: what the history says about the films, and which of them curators prefer."""

import streamlit as st

from momalisa.ui import insight, page_paths

st.title("Insight", anchor=False)
found = insight.load_tables()
if found.films.empty:
    st.text("There is no film yet, so there is nothing to say about films.")
    st.page_link(page_paths.CREATE, label="Make the first one")
    st.stop()

insight.show_preferences(found.votes)
insight.show_films(found.films)
insight.show_evenness(found.evenness)
insight.show_speed(found.speed)
