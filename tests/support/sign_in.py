"""Secrets that configure sign-in, and the cookies that Streamlit sets with them."""

from collections.abc import Mapping
from http.cookies import SimpleCookie
from typing import Any

import pytest
import streamlit as st
from streamlit.auth_util import set_cookie_with_chunks
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

COOKIE_SECRET = "a secret that only the tests know"
COOKIE = "_streamlit_user"


def write_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Configure sign-in in this process."""
    monkeypatch.setattr(st.secrets, "_secrets", {"auth": {"cookie_secret": COOKIE_SECRET}})


def cookie_of(claims: Mapping[str, Any], secret: str = COOKIE_SECRET) -> str:
    """The `Cookie` header of a visitor who has signed in with these claims."""
    jar = SimpleCookie()

    def sign(name: str, value: str) -> bytes:
        return create_signed_value(secret, name, value)

    def put(name: str, value: str) -> None:
        jar[name] = sign(name, value).decode()

    set_cookie_with_chunks(put, sign, COOKIE, dict(claims), cookie_attr_size=100)
    return "; ".join(f"{name}={morsel.coded_value}" for name, morsel in jar.items())
