"""Sign-in with OpenID Connect: enabled by the secrets' section `[auth]`, disabled otherwise.

Who the visitor is, in a page's run (`current_visitor`) and in an HTTP route (`visitor_of`); what
they may do is decided in `ui/policy.py`.
"""

import hashlib
import json
import logging
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st
from starlette.requests import HTTPConnection
from streamlit.errors import StreamlitAuthError
from streamlit.web.server.starlette import starlette_websocket
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from db.models import Walk
from momalisa.settings import settings
from momalisa.ui import policy
from momalisa.ui.policy import Action, Visitor

PATH = "sign-in"
"""The URL path of the sign-in page."""
RIGHTS_TEXT = {
    "all": "As an admin you can call off, change and delete every walk, and see how the app is.",
    "member": (
        "You can make walks, write labels and vote, and call off and delete the walks you made."
    ),
}

log = logging.getLogger(__name__)


def is_configured() -> bool:
    """Whether sign-in is configured, or the secrets file exists but cannot be read.

    Damaged secrets count as configured: otherwise every visitor could delete every walk.
    """
    if st.secrets.load_if_toml_exists():
        return "auth" in st.secrets
    return any(Path(path).exists() for path in st.get_option("secrets.files"))


def is_signed_in() -> bool:
    """Whether the visitor of this run has signed in."""
    return bool(st.user.get("is_logged_in"))


def current_visitor() -> Visitor:
    """The visitor of this run."""
    claims = st.user if is_signed_in() else None
    return Visitor(_role_of(claims), maker_id())


def visitor_of(request: HTTPConnection) -> Visitor:
    """The visitor who sent an HTTP request, by the cookie that Streamlit set at sign-in.

    Without that the maker is unknown, since it is stored in the page's session.
    """
    claims = _claims_in_cookie(request.cookies)
    return Visitor(_role_of(claims), _maker_of(claims) if claims else "")


def anonymous() -> Visitor:
    """A visitor who has not signed in."""
    return Visitor(_role_of(None))


def _role_of(claims: Mapping[str, Any] | None) -> str:
    return policy.role_of(claims, sign_in=is_configured(), settings=settings())


def _claims_in_cookie(cookies: dict[str, str]) -> Mapping[str, Any] | None:
    """The claims in the signed cookie; None without one, or if its signature is wrong.

    Streamlit has no public function for it. It splits large cookies and signs each part.
    """
    if USER_COOKIE_NAME not in cookies or not is_configured():
        return None
    try:
        value = starlette_websocket._get_signed_cookie_with_chunks(cookies, USER_COOKIE_NAME)
        claims = json.loads(value) if value else None
    except Exception as error:  # a hostile cookie; also a secret that is missing or too short
        log.warning("a sign-in cookie cannot be read: %s", type(error).__name__)
        return None
    signed_in = isinstance(claims, dict) and bool(claims.get("is_logged_in"))
    return claims if signed_in else None


def maker_id() -> str:
    """A pseudonymous id of the visitor: of the account if signed in, else of the session.

    The queue shares its workers fairly between these ids. At most 64 characters; an account is
    hashed, so the id reveals no personal data.
    """
    if is_signed_in():
        return _maker_of(st.user)
    session: str = st.session_state.setdefault("maker", secrets.token_hex(8))
    return session


def _maker_of(claims: Mapping[str, Any]) -> str:
    return hashlib.sha256(f"{claims['iss']} {claims['sub']}".encode()).hexdigest()


def may(action: Action, walk: Walk | None = None) -> bool:
    """Whether the visitor of this run may take an action, on a walk if it concerns one."""
    return policy.allows(current_visitor(), action, walk.maker if walk else None)


def require(action: Action, walk: Walk | None = None) -> None:
    """Raise NotAllowed unless the visitor of this run may take the action.

    To be called where something is done: a browser can press buttons that it was never shown.
    """
    policy.require(current_visitor(), action, walk.maker if walk else None)


def show_invitation(action: Action) -> None:
    """Show what signing in would allow, and the button for it; nothing if that is no remedy."""
    if is_configured() and not is_signed_in():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(policy.REFUSED[action])
            st.button("Sign in", key=f"invitation_{action}", on_click=_log_in)


def visitor_name() -> str:
    """The signed-in visitor's email, else the name, else the account id."""
    return str(st.user.get("email") or st.user.get("name") or st.user["sub"])


def show_page() -> None:
    """Show who is signed in, and the button to sign in or out."""
    st.title("Signed in" if is_signed_in() else "Sign in", anchor=False)
    if not is_signed_in():
        if not may(Action.VIEW):
            st.text(policy.REFUSED[Action.VIEW])
        st.text("Whoever is signed in can make walks, and call off and delete the walks they made.")
        st.button("Sign in", type="primary", on_click=_log_in)
        return
    st.text(f"You are {visitor_name()}.")
    st.text(RIGHTS_TEXT[current_visitor().role])
    with st.container(key="quiet_account"):
        st.text(f"Your account: {policy.account_name(st.user)}")
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
