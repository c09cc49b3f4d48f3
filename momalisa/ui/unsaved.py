"""What a visitor wrote while the history could not be written: kept, and stored once it can be."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import streamlit as st

from momalisa.ui import error_display

RETRY_SECONDS = 5.0
TOLD = (
    "What you wrote is not stored yet, because the history cannot be written just now. It is tried "
    "again by itself: please keep this page open."
)
_KEY = "unsaved"


@dataclass(frozen=True)
class _Kept:
    write: Callable[[], None]
    tried_at: float


def store(key: str, write: Callable[[], None]) -> None:
    """Run `write`, in place of what is kept under that key. Raises what it raises.

    Where the history is away, it is kept in the session, and run again by `show`.
    """
    _kept().pop(key, None)
    try:
        write()
    except error_display.TRANSIENT:
        _kept()[key] = _Kept(write, time.monotonic())
        raise


def show() -> None:
    """Run again what is kept, and say so as long as it cannot be stored."""
    if _kept():
        _try_again()


@st.fragment(run_every=RETRY_SECONDS)
def _try_again() -> None:
    for key, one in list(_kept().items()):
        # Not in the run that follows the last try at once: each waits for the history's lock.
        if time.monotonic() - one.tried_at >= RETRY_SECONDS / 2:
            with error_display.errors_as_toasts(), suppress(*error_display.TRANSIENT):
                store(key, one.write)
    if not _kept():
        st.rerun()  # the page shows what is stored now
    st.warning(TOLD, icon=":material/save:")


def _kept() -> dict[str, _Kept]:
    kept: dict[str, _Kept] = st.session_state.setdefault(_KEY, {})
    return kept
