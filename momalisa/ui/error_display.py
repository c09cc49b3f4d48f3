"""Errors that reach the screen, as sentences."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st

from db.error_messages import DiskFull, HistoryError, Locked, OutOfReach, ReadOnly
from momalisa.errors import MomaLisaError

LONG = 30
"""Seconds for which a sentence stands beside a page."""

AGAIN = 5
"""Seconds after which a page that was not to be had is tried again."""
PASSING = (Locked, OutOfReach, DiskFull, ReadOnly)
"""What others put right while a visitor waits."""
_TRYING = "mishaps.trying"

log = logging.getLogger(__name__)
P = ParamSpec("P")


def sentence(error: Exception) -> str:
    """What happened and what to do, for the person in front of the screen."""
    if isinstance(error, MomaLisaError | HistoryError):
        return str(error)
    return (
        "Something went wrong that nobody foresaw. It is written in the server's log; what you "
        "typed is kept. Please reload the page."
    )


def say(error: Exception) -> bool:
    """Show the sentence in place of a traceback, which goes to the log (for `st.App`).

    What may pass is tried again every AGAIN seconds, until the page is there.
    """
    log.error("a page failed", exc_info=error)
    st.error(sentence(error))
    if isinstance(error, PASSING):
        st.session_state[_TRYING] = False
        _try_again()
    return True


@st.fragment(run_every=AGAIN)
def _try_again() -> None:
    if st.session_state[_TRYING]:
        st.rerun()
    st.session_state[_TRYING] = True


def beside(callback: Callable[P, None]) -> Callable[P, None]:
    """A widget's callback whose error is said beside the page.

    Raised in a callback it would take the place of the page, and of all that is typed there.
    """

    @wraps(callback)
    def tried(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except Exception as error:
            log.error("a callback failed", exc_info=error)
            st.toast(sentence(error), icon=":material/error:", duration=LONG)

    return tried
