"""Home: one film, one sentence, two doors."""

import streamlit as st

from momalisa.ui import lobby, rooms

wall, words = lobby.halves()
with wall:
    lobby.example_film()
with words:
    st.title("MOMA Lisa", anchor=False)
    st.markdown(
        "MOMA Lisa walks from one prompt to another through a model's imagination, and films "
        "what it sees on the way."
    )
    with st.container(horizontal=True, key="doors"):
        st.page_link(rooms.CREATE, label="Create a walk")
        st.page_link(rooms.GALLERY, label="Browse the Gallery")
