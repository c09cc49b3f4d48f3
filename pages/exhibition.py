"""Exhibition: films one after another over the whole screen, for a gallery's wall."""

import streamlit as st

from momalisa.ui import navigation, page_paths, playlist
from momalisa.ui.components.exhibition import exhibition

LOOK = 30.0  # seconds until new films join in, and deleted ones leave


@st.fragment(run_every=LOOK)
def show() -> None:
    slides = playlist.current_slides()
    if not slides:
        st.text("There is no film to exhibit here yet.")
        st.page_link(page_paths.GALLERY, label="Browse the Gallery")
    elif exhibition(slides, key="exhibition"):
        navigation.open_page(page_paths.GALLERY, playlist.gallery_params())


show()
