"""Exhibition: films one after another in full screen."""

import streamlit as st

from momalisa.ui import navigation, page_paths, playlist
from momalisa.ui.components.exhibition import exhibition

REFRESH = 30.0  # seconds until new films are added and deleted ones removed


@st.fragment(run_every=REFRESH)
def show_exhibition() -> None:
    slides = playlist.current_slides()
    if not slides:
        st.text("There is no film to exhibit here yet.")
        st.page_link(page_paths.GALLERY, label="Browse the Gallery")
    elif exhibition(slides, key="exhibition"):
        navigation.open_page(page_paths.GALLERY, playlist.gallery_params())


show_exhibition()
