"""The page of the visitor's account: who is signed in, and for an admin how the app is."""

import streamlit as st

from momalisa.health.finding import Level
from momalisa.ui import sign_in
from momalisa.ui.http import health
from momalisa.ui.policy import Action


def show_page() -> None:
    """Show the page."""
    sign_in.show_page()
    if sign_in.may(Action.ADMINISTER):
        _show_findings()


def _show_findings() -> None:
    """Show what `/readyz` finds, with what to do; for admins, since it may name folders."""
    st.subheader("How the app is", anchor=False)
    for finding in health.find_recent():
        if finding.level is Level.WRONG:
            st.error(f"{finding.sentence} {finding.remedy}".strip())
        else:
            st.text(finding.sentence)
    with st.container(key="quiet_health"):
        st.text("More of it, at the machine: python -m momalisa doctor, and … queue list")
