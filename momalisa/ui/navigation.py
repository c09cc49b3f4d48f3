"""Opens pages and changes their parameters, each with one entry in the browser's history.

`st.switch_page` first pushes the new parameters onto the address of the page that it leaves, so
Back would lead to an address that the visitor was never at. Here the browser changes the address
itself, and Streamlit follows as it follows Back and Forward: what the address says wins over what
the session holds.
"""

import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import parse_qs, urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from momalisa.ui import page_paths
from momalisa.ui.components.address import address_bar

Parameters = Mapping[str, str | Sequence[str]]


def open_page(page: Path, parameters: Parameters | None = None) -> NoReturn:
    """Open a page with these parameters in its URL; Back leads to the page shown now.

    The page shown now runs once more and stays until the browser has the new one. A second
    call before that changes nothing.
    """
    if not is_leaving():
        st.session_state.next_address = (_address(page, parameters or {}), secrets.token_hex(8))
        st.session_state.left_location = _location()
    st.rerun()


def is_leaving() -> bool:
    """Whether `open_page` was called and the browser has not left the page yet.

    A button that submits something new ignores its presses meanwhile: the second of a double click.
    """
    left = st.session_state.get("left_location")
    return left is not None and left == _location() and not arrived_by_history()


def _location() -> tuple[str, dict[str, list[str]]] | None:
    """The page of this run and the parameters in its URL; None outside of a run."""
    context = get_script_run_ctx()
    return (context.page_script_hash, parse_qs(context.query_string)) if context else None


def replace_parameters(page: Path, parameters: Parameters | None = None) -> None:
    """Replace the parameters in the URL of the page shown now; the history stays as it is."""
    with st.session_state.address_slot:
        address_bar(
            key="address_replaced",
            address=_address(page, parameters or {}),
            request_id=secrets.token_hex(8),
            replace=True,
        )


def render_address_slot() -> None:
    """Render the invisible component that changes the address.

    Call it after `st.navigation`, whose message would make the browser return to the page shown
    now, and before the page runs.
    """
    if not is_leaving():
        st.session_state.next_address = ("", "")
        st.session_state.left_location = None
    # Each run sends it until the browser has followed, for a run that is interrupted may send none.
    address, request_id = st.session_state.next_address
    address_bar(key="address", address=address, request_id=request_id)
    st.session_state.address_slot = st.empty()


def arrived_by_history() -> bool:
    """Whether this run follows Back, Forward or `open_page`, so that the URL says what to show."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def film_address(walk_id: str) -> str:
    """The address of a film's page below the app's host; an id may hold any character."""
    return f"/{page_paths.GALLERY.stem}?{urlencode({'walk': walk_id})}"


def _address(page: Path, parameters: Parameters) -> str:
    """A page's address relative to any page's; Home is the folder of all others."""
    path = "./" if page == page_paths.HOME else page.stem
    query = urlencode(parameters, doseq=True)
    return f"{path}?{query}" if query else path
