"""The house around the pages: its style and the way from room to room."""

from pathlib import Path

import streamlit as st

from momalisa.ui import rooms, sign_in, style

ICON = Path(__file__).parent / "icon.png"

st.set_page_config(page_title="MOMA Lisa", page_icon=ICON, layout="wide")
style.hang()
pages = [
    st.Page(rooms.HOME, title="MOMA Lisa", default=True),
    st.Page(rooms.CREATE, title="Create"),
    st.Page(rooms.GALLERY, title="Gallery"),
    st.Page(rooms.COMPARE, title="Compare"),
    st.Page(rooms.INSIGHT, title="Insight"),
    st.Page(rooms.EXHIBITION, title="Exhibition", visibility="hidden"),
]
if sign_in.offered():
    title = "Signed in" if sign_in.signed_in() else "Sign in"
    pages.append(st.Page(sign_in.page, title=title, url_path=sign_in.PATH))
st.navigation(pages, position="top").run()
