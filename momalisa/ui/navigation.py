"""Opens pages and changes their parameters, each with one entry in the browser's history.

`st.switch_page` first pushes the new parameters onto the address of the page that it leaves, so
Back would lead to an address that the visitor was never at. Here the browser changes the address
itself, and Streamlit follows as it follows Back and Forward: what the address says wins over what
the session holds.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlencode

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from momalisa.ui import page_paths
from momalisa.ui.components.address import address_bar

Parameters = Mapping[str, str | Sequence[str]]


def open_page(page: Path, parameters: Parameters | None = None) -> NoReturn:
    """Open a page with these parameters in its URL; Back leads to the page shown now.

    The page shown now runs once more and stays until the browser has the new one.
    """
    st.session_state.next_address = _address(page, parameters or {})
    st.rerun()


def replace_parameters(page: Path, parameters: Parameters | None = None) -> None:
    """Replace the parameters in the URL of the page shown now; the history stays as it is."""
    with st.session_state.address_slot:
        address_bar(key="address_replaced", address=_address(page, parameters or {}), replace=True)


def render_address_slot() -> None:
    """Render the invisible component that changes the address.

    Call it after `st.navigation`, whose message would make the browser return to the page shown
    now, and before the page runs.
    """
    address_bar(key="address", address=st.session_state.pop("next_address", ""))
    st.session_state.address_slot = st.empty()


def arrived_by_history() -> bool:
    """Whether this run follows Back, Forward or `open_page`, so that the URL says what to show."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def _address(page: Path, parameters: Parameters) -> str:
    """A page's address relative to any page's; Home is the folder of all others."""
    path = "./" if page == page_paths.HOME else page.stem
    query = urlencode(parameters, doseq=True)
    return f"{path}?{query}" if query else path
