"""Exhibition: films one after another over the whole screen, for a gallery's wall."""

import streamlit as st

from momalisa.ui import programme, rooms
from momalisa.ui.components.exhibition import exhibition

LOOK = 30.0  # seconds until new films join in, and deleted ones leave


@st.fragment(run_every=LOOK)
def show() -> None:
    slides = programme.slides()
    if not slides:
        st.text("There is no film to exhibit here yet.")
        st.page_link(rooms.GALLERY, label="Browse the Gallery")
    elif exhibition(slides, key="exhibition"):
        st.switch_page(rooms.GALLERY, query_params=programme.way_out())


show()
