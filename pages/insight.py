"""Insight: what the history says about the films, and which of them curators prefer."""

import streamlit as st

from momalisa.ui import insight, page_paths

st.title("Insight", anchor=False)
found = insight.look()
if found.films.empty:
    st.text("There is no film yet, so there is nothing to say about films.")
    st.page_link(page_paths.CREATE, label="Make the first one")
    st.stop()

insight.preferences(found.votes)
insight.films(found.films)
insight.evenness(found.evenness)
insight.speed(found.speed)
