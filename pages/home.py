"""Home: the example film, links to Create and Gallery, and presets that submit a walk."""

import streamlit as st

from momalisa.ui import example_film, page_paths, sign_in
from momalisa.ui.create import current_walk
from momalisa.ui.create.presets import PRESETS
from momalisa.ui.http import not_found
from momalisa.ui.policy import Action

film_column, text_column = example_film.film_and_text_columns()
with film_column:
    example_film.show_example_film()
with text_column:
    not_found.show_not_found_notice()
    st.title("MOMA Lisa", anchor=False)
    st.markdown(
        "MOMA Lisa walks from one prompt to another through a model's imagination, and films "
        "what it sees on the way."
    )
    with st.container(horizontal=True, key="doors"):
        st.page_link(page_paths.CREATE, label="Create a walk")
        st.page_link(page_paths.GALLERY, label="Browse the Gallery")
    if sign_in.may(Action.MAKE):
        with st.container(key="quiet_at_once"):
            st.text("Or begin a walk at once:")
        with st.container(horizontal=True, key="at_once", gap="xsmall"):
            for name, prompts in PRESETS.items():
                if st.button(name, key=f"preset_{name}"):
                    current_walk.open_with(prompts)
