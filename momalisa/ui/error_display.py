"""Errors on the pages: a sentence for the visitor, the traceback in the log.

A refusal is not a fault of the program: it is one line of the log, without a traceback.
"""

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec

import streamlit as st

from db.error_messages import DiskFull, HistoryError, Locked, OutOfReach, ReadOnly
from momalisa.errors import BadInput, MomaLisaError
from momalisa.ui.policy import NotAllowed

TOAST_SECONDS = 30
"""How long a toast with an error stays."""
RETRY_SECONDS = 5
"""How long a page that failed with a transient error waits until it runs again."""
TRANSIENT = (Locked, OutOfReach, DiskFull, ReadOnly)
"""Errors that may go away without any change by the visitor."""
REFUSALS = (BadInput, NotAllowed)
"""Errors that say what a visitor may not do, or has to change."""
LINE_LENGTH = 300
"""Most characters of a refusal in the log."""
_LOCATION = re.compile(r" \(The history: .*\)$", re.DOTALL)
_RETRY = "error_display.retry"

log = logging.getLogger(__name__)
P = ParamSpec("P")


def error_message(error: Exception) -> str:
    """The error as a sentence for the visitor: the app's own messages, a general one otherwise."""
    if isinstance(error, HistoryError):
        return _LOCATION.sub("", str(error))  # a path of this machine, or the name of a server
    if isinstance(error, MomaLisaError):
        return str(error)
    return (
        "Something went wrong that nobody foresaw. It is written in the server's log; what you "
        "typed is kept. Please reload the page."
    )


def show_error(error: Exception) -> bool:
    """Log an uncaught error of a page and show its sentence instead (`on_script_error`).

    Transient errors rerun the page every RETRY_SECONDS until it succeeds.
    """
    _log_error("a page", error)
    st.error(error_message(error))
    if isinstance(error, TRANSIENT):
        st.session_state[_RETRY] = False
        _rerun_later()
    return True


@st.fragment(run_every=RETRY_SECONDS)
def _rerun_later() -> None:
    """Rerun the page at this fragment's second run, which is RETRY_SECONDS after the first."""
    if st.session_state[_RETRY]:
        st.rerun()
    st.session_state[_RETRY] = True


def toast_errors(callback: Callable[P, None]) -> Callable[P, None]:
    """Decorate a widget callback so that its errors are logged and shown as a toast.

    An error raised in a callback would replace the page and lose what is typed there.
    """

    @wraps(callback)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        with errors_as_toasts():
            callback(*args, **kwargs)

    return guarded


@contextmanager
def errors_as_toasts() -> Iterator[None]:
    """Log an error and show it as a toast; the page goes on after the block."""
    try:
        yield
    except Exception as error:
        _log_error("an action", error)
        st.toast(error_message(error), icon=":material/error:", duration=TOAST_SECONDS)


def _log_error(where: str, error: Exception) -> None:
    """Log an error with its traceback, a refusal as one line."""
    if isinstance(error, REFUSALS):
        log.info("%s was refused: %s", where, " ".join(str(error).split())[:LINE_LENGTH])
    else:
        log.error("%s failed", where, exc_info=error)
