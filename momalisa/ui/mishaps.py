"""Errors that reach the screen, as sentences."""

import logging

import streamlit as st

from db.errors import HistoryError
from momalisa.errors import MomaLisaError

log = logging.getLogger(__name__)


def sentence(error: Exception) -> str:
    """What happened and what to do, for the person in front of the screen."""
    if isinstance(error, MomaLisaError | HistoryError):
        return str(error)
    return (
        "Something went wrong that nobody foresaw. It is written in the server's log; what you "
        "typed is kept. Please reload the page."
    )


def say(error: Exception) -> bool:
    """Show the sentence in place of a traceback, which goes to the log (for `st.App`)."""
    log.error("a page failed", exc_info=error)
    st.error(sentence(error))
    return True
