"""A sentence on every page while no worker makes films, because their machines have faults."""

from collections.abc import Sequence

import streamlit as st

from db import status
from db.error_messages import HistoryError
from db.status import WorkerStatus
from momalisa.ui import durations, history, sign_in
from momalisa.ui.policy import Action

LOOK = "30s"
"""Time between two looks: the sentence comes and goes while a page is open. Every open page looks,
so shorter pauses would take more of the server than its visitors do."""


@st.fragment(run_every=LOOK)
def show() -> None:
    """Show the sentence, if there is something to say."""
    if text := find():
        st.warning(text, icon=":material/build:")


def find() -> str:
    """The sentence for the workers as they are now; empty if there is nothing to say."""
    try:
        with history.reading() as session:
            workers = status.list_workers(session)
    except HistoryError:
        return ""  # the page itself says so
    return describe(workers, in_full=sign_in.may(Action.ADMINISTER))


def describe(workers: Sequence[WorkerStatus], *, in_full: bool) -> str:
    """Describe the problem of the workers that are alive; empty while one of them is well.

    In full it may name folders and buckets.
    """
    alive = [worker for worker in workers if worker.is_alive]
    if not alive or not all(worker.problem for worker in alive):
        return ""
    soonest = min(alive, key=lambda worker: worker.paused_seconds)
    when = "now"
    if soonest.paused_seconds >= 1:
        when = f"in {durations.format_duration(soonest.paused_seconds)}"
    problem = soonest.problem if in_full else "the machine that paints has a fault."
    return (
        f"No films are made just now: {problem} It is tried again {when}, by itself. "
        "Walks keep their place and their pictures, and new ones may be added."
    )
