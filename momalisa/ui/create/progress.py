"""A walk while it is made: its frames coming in, the time left, its place in the queue."""

from datetime import UTC, datetime

import streamlit as st

from db import walks
from db.models import State, Walk
from momalisa.ui import durations, history, page_paths, submit, wall_label
from momalisa.ui.components.filmstrip import filmstrip
from momalisa.ui.http import media

STAGES = {
    "": "The worker takes it up",
    "loading": "Waking the model",
    "survey": "Looking where the walk changes most",
    "film": "All frames are there; cutting the film",
    "storing": "Hanging the film in the Gallery",
}


def watch(walk: Walk) -> None:
    """Follow the walk until it is over; then the page runs once more and shows what it became."""
    st.fragment(_follow, run_every="1s")(walk.id)


def _follow(walk_id: str) -> None:
    walk = history.find_walk(walk_id)
    if walk is None or walk.state.is_final:
        st.rerun()
    strip(walk)
    with st.container(horizontal=True, vertical_alignment="center", key=f"now_{walk_id}"):
        st.text(status(walk), width="stretch")
        if submit.may_change(walk):
            st.button(
                "Cancel",
                key=f"cancel_{walk_id}",
                on_click=submit.cancel_walk,
                args=(walk_id,),
                disabled=walk.cancel_requested,
            )
    if _waits(walk) and history.no_worker_alive():
        st.warning(
            "No worker is there, so nothing moves. It starts with the app; where it does not, "
            "please run: python -m momalisa worker"
        )


def _waits(walk: Walk) -> bool:
    """Whether the walk has waited longer than a worker needs to wake up."""
    waited = (datetime.now(UTC) - walk.created_at).total_seconds()
    return walk.state is State.QUEUED and waited > history.WORKER_TIMEOUT


def strip(walk: Walk) -> None:
    """The frames that are ready, each at its place."""
    filmstrip(
        walk_id=walk.id,
        total=walk.frames_total,
        frames=[
            (int(place), media.frame_url(str(key)), bool(rough))
            for place, key, *rough in walk.progress
        ],
        alt=f"A rough film of the walk {walk.title}",
        key=f"strip_{walk.id}",
    )


def status(walk: Walk) -> str:
    """One line: what happens now, and for how long still."""
    if walk.cancel_requested:
        return "Stopping after this frame"
    if walk.state is State.QUEUED:
        return _queue(walk.id)
    if walk.stage in STAGES:
        return f"{STAGES[walk.stage]} …"
    done = frames_ready(walk)
    left = _seconds_left(walk, done)
    counted = f"Frame {done} of {walk.frames_total}"
    return counted if left is None else f"{counted}, {durations.format_duration(left)} left"


def frames_ready(walk: Walk) -> int:
    """How many frames are finished; previews do not count."""
    return sum(not rough for _place, _key, *rough in walk.progress)


def _queue(walk_id: str) -> str:
    with history.reading() as session:
        place = walks.get_queue_position(session=session, walk_id=walk_id)
    return "Next in the queue" if place <= 1 else f"Number {place} in the queue"


def _seconds_left(walk: Walk, done: int) -> float | None:
    """By the rate at which frames came since this page began to look; at first, since the start."""
    now = datetime.now(UTC)
    first: tuple[int, datetime] = st.session_state.setdefault(f"first_{walk.id}", (done, now))
    if done > first[0]:
        began, start = first
    elif walk.started_at is not None:
        began, start = 0, walk.started_at
    else:
        return None
    elapsed = (now - start).total_seconds()
    return durations.time_left(done=done - began, total=walk.frames_total - began, elapsed=elapsed)


def elsewhere(except_for: str | None) -> None:
    """Links to the other walks that are being made, so that none is ever out of sight."""
    with history.reading() as session:
        others = [walk for walk in walks.list_active(session=session) if walk.id != except_for]
    with st.container(key="elsewhere"):
        for walk in others[:5]:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.text(f"Being made now: {wall_label.shorten(walk.title)}", width="stretch")
                st.page_link(page_paths.CREATE, label="Watch", query_params={"walk": walk.id})
