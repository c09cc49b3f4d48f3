"""The house around the pages: its style and the way from room to room."""

from pathlib import Path

import streamlit as st

from momalisa.ui import rooms, style

ICON = Path(__file__).parent / "icon.png"

st.set_page_config(page_title="MOMA Lisa", page_icon=ICON, layout="wide")
style.hang()
st.navigation(
    [
        st.Page(rooms.HOME, title="MOMA Lisa", default=True),
        st.Page(rooms.CREATE, title="Create"),
        st.Page(rooms.GALLERY, title="Gallery"),
        st.Page(rooms.COMPARE, title="Compare"),
    ],
    position="top",
).run()
