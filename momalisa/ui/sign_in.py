"""Signing in with OpenID Connect, where `[auth]` stands in the secrets; elsewhere nothing of it."""

import logging
from pathlib import Path

import streamlit as st
from streamlit.errors import StreamlitAuthError

from momalisa.settings import settings

PATH = "sign-in"
"""Where the page is."""

log = logging.getLogger(__name__)


def offered() -> bool:
    """Whether one can sign in here, or could if the secrets were not damaged.

    Were damaged secrets taken for none, everybody could delete everything.
    """
    if st.secrets.load_if_toml_exists():
        return "auth" in st.secrets
    return any(Path(path).exists() for path in st.get_option("secrets.files"))


def signed_in() -> bool:
    """Whether this visitor has signed in."""
    return bool(st.user.get("is_logged_in"))


def is_admin() -> bool:
    """Whether this visitor's address is among the admins', and not called unverified."""
    admins = {address.strip().casefold() for address in settings().admins.split(",")} - {""}
    verified = str(st.user.get("email_verified", True)).lower() == "true"
    return signed_in() and verified and str(st.user.get("email", "")).casefold() in admins


def name() -> str:
    """How to call a visitor who has signed in."""
    return str(st.user.get("email") or st.user.get("name") or st.user["sub"])


def page() -> None:
    """Who is here, and the way in or out."""
    st.title("Signed in" if signed_in() else "Sign in", anchor=False)
    if not signed_in():
        st.text("Whoever is signed in can call off and delete the walks they made.")
        st.button("Sign in", type="primary", on_click=_enter)
        return
    st.text(f"You are {name()}.")
    st.text(
        "As an admin you can call off and delete every walk."
        if is_admin()
        else "You can call off and delete the walks you made."
    )
    st.button("Sign out", on_click=st.logout)


def _enter() -> None:
    """To the provider, if the secrets say how to get there."""
    try:
        st.login()
    except StreamlitAuthError as error:
        log.error("nobody can sign in: %s", error)
        st.error(
            "Nobody can sign in just now: the section [auth] of the app's secrets is not whole. "
            "The server's log says what is missing."
        )
