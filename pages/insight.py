"""Insight: statistics of the films and of the blind votes."""

import streamlit as st

from momalisa.ui import insight, page_paths

st.title("Insight", anchor=False)
tables = insight.load_tables()
if tables.films.empty:
    st.text("There is no film yet, so there is nothing to say about films.")
    st.page_link(page_paths.CREATE, label="Make the first one")
    st.stop()

insight.show_preferences(tables.votes)
insight.show_films(tables.films)
insight.show_evenness(tables.evenness)
insight.show_ghosting(tables.ghosting)
insight.show_directness(tables.directness)
insight.show_speed(tables.speed)
