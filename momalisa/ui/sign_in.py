"""Sign-in with OpenID Connect: enabled by the secrets' section `[auth]`, disabled otherwise."""

import logging
from pathlib import Path

import streamlit as st
from streamlit.errors import StreamlitAuthError

from momalisa.settings import settings

PATH = "sign-in"
"""The URL path of the sign-in page."""

log = logging.getLogger(__name__)


def is_configured() -> bool:
    """Whether sign-in is configured, or the secrets file exists but cannot be read.

    Damaged secrets count as configured: otherwise every visitor could delete every walk.
    """
    if st.secrets.load_if_toml_exists():
        return "auth" in st.secrets
    return any(Path(path).exists() for path in st.get_option("secrets.files"))


def is_signed_in() -> bool:
    """Whether this visitor has signed in."""
    return bool(st.user.get("is_logged_in"))


def is_admin() -> bool:
    """Whether the visitor's email is in `MOMALISA_ADMINS` and not marked as unverified."""
    admins = {address.strip().casefold() for address in settings().admins.split(",")} - {""}
    verified = str(st.user.get("email_verified", True)).lower() == "true"
    return is_signed_in() and verified and str(st.user.get("email", "")).casefold() in admins


def visitor_name() -> str:
    """The signed-in visitor's email, else the name, else the account id."""
    return str(st.user.get("email") or st.user.get("name") or st.user["sub"])


def show_page() -> None:
    """Show the page: who is signed in, and the button to sign in or out."""
    st.title("Signed in" if is_signed_in() else "Sign in", anchor=False)
    if not is_signed_in():
        st.text("Whoever is signed in can call off and delete the walks they made.")
        st.button("Sign in", type="primary", on_click=_log_in)
        return
    st.text(f"You are {visitor_name()}.")
    st.text(
        "As an admin you can call off and delete every walk."
        if is_admin()
        else "You can call off and delete the walks you made."
    )
    st.button("Sign out", on_click=st.logout)


def _log_in() -> None:
    """Redirect to the identity provider; show an error if `[auth]` is incomplete."""
    try:
        st.login()
    except StreamlitAuthError as error:
        log.error("sign-in is misconfigured: %s", error)
        st.error(
            "Nobody can sign in just now: the section [auth] of the app's secrets is not whole. "
            "The server's log says what is missing."
        )
