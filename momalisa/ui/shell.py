"""The frame around every page: page settings, style and navigation."""

from pathlib import Path

import streamlit as st

from momalisa.ui import account, machine_notice, navigation, page_paths, sign_in, style, unsaved
from momalisa.ui.components.focus import lead_focus
from momalisa.ui.policy import Action

ICON = Path(__file__).parent / "icon.png"

st.set_page_config(page_title="MOMA Lisa", page_icon=ICON, layout="wide")
style.apply_style()
pages = [
    st.Page(page_paths.HOME, title="MOMA Lisa", default=True),
    st.Page(page_paths.CREATE, title="Create"),
    st.Page(page_paths.GALLERY, title="Gallery"),
    st.Page(page_paths.COMPARE, title="Compare"),
    st.Page(page_paths.INSIGHT, title="Insight"),
    st.Page(page_paths.EXHIBITION, title="Exhibition", visibility="hidden"),
]
if sign_in.is_configured():
    title = "Signed in" if sign_in.is_signed_in() else "Sign in"
    pages.append(st.Page(account.show_page, title=title, url_path=sign_in.PATH))
page = st.navigation(pages, position="top")
navigation.render_address_slot()
lead_focus()
if sign_in.may(Action.VIEW):
    if page.url_path != page_paths.EXHIBITION.stem:  # a wall in a museum's hall
        machine_notice.show()
        unsaved.show()
    page.run()
else:
    sign_in.show_page()
