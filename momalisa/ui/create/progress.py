"""The progress of an unfinished walk: its frames, the time left, its place in the queue."""

import time
from datetime import datetime

import streamlit as st

from db import walks
from db.models import REPLACED, State, Walk
from momalisa.ui import durations, history, sign_in, submit, wall_label
from momalisa.ui.components.filmstrip import filmstrip
from momalisa.ui.http import media
from momalisa.ui.policy import Action

STAGES = {
    "": "The worker takes it up",
    "loading": "Waking the model",
    "survey": "Looking where the walk changes most",
    "film": "All frames are there; cutting the film",
    "storing": "Hanging the film in the Gallery",
}


LOOK, LOOK_FROM_AFAR = 1.0, 3.0
"""Seconds between two looks at a walk, and at one that has many before it in the queue."""
LOOK_CLOSELY = 0.1
"""The same at a walk that is young or whose frames are all there: it may be a film any moment."""
YOUNG = 10.0
"""Seconds since a worker took a walk up; a quick one is a film by then."""
ENDING = ("film", "storing")
"""The stages of such a walk."""
FAR = 10
"""The place in the queue from which on a walk is looked at from afar."""
OTHER_WALKS = 5
"""The most other walks that are listed."""
STANDS_STILL = 60.0
"""Seconds without a new picture after which the page says so; more where pictures take long."""


def show_progress(walk: Walk) -> None:
    """Show the walk's progress until it is finished; then rerun the page.

    It is looked at every second, or less often far back in the queue, where only its place changes.
    """
    look = LOOK_FROM_AFAR if _is_far(walk) else LOOK
    st.fragment(_show_until_final, run_every=look)(walk.id, look, time.monotonic())


def _is_far(walk: Walk) -> bool:
    return walk.state is State.QUEUED and _find_place(walk.id) >= FAR


def _show_until_final(walk_id: str, look: float, drawn_at: float) -> None:
    # In the page's own run, what stands below has to be shown first.
    runs_alone = time.monotonic() - drawn_at > look / 2
    walk = history.find_walk(walk_id)
    if walk is None or walk.state.is_final or (look > LOOK and not _is_far(walk)):
        st.rerun()  # in the last case for the pace, which only a run of the page can change
    show_filmstrip(walk)
    with st.container(horizontal=True, vertical_alignment="center", key=f"now_{walk_id}"):
        st.text(describe_status(walk), width="stretch")
        if sign_in.may(Action.DELETE, walk):
            st.button(
                "Cancel",
                key=f"cancel_{walk_id}",
                on_click=submit.cancel_walk,
                args=(walk_id,),
                disabled=walk.cancel_requested,
            )
    if _waits_too_long(walk) and history.no_worker_alive():
        st.warning(
            "No worker is there, so nothing moves. It starts with the app; where it does not, "
            "please run: python -m momalisa worker"
        )
    found = _look_closely(walk, runs_alone=runs_alone)
    if found.state.is_final:
        st.rerun()
    if runs_alone and _seen_of(found) != _seen_of(walk):
        st.rerun(scope="fragment")


def _look_closely(walk: Walk, *, runs_alone: bool) -> Walk:
    """Look more often, until the next run of the fragment, at a walk that may end before that.

    Returns it once there is something new.
    """
    until, found = time.monotonic() + LOOK - LOOK_CLOSELY, walk
    while (_is_ending(found) or (runs_alone and _is_young(found))) and time.monotonic() < until:
        time.sleep(LOOK_CLOSELY)
        _ = st.session_state.get("current_walk")  # a click that came meanwhile ends the run here
        found = history.find_walk(walk.id) or walk
        if _seen_of(found) != _seen_of(walk):
            break
    return found


def _seen_of(walk: Walk) -> tuple[object, ...]:
    return walk.state, walk.stage, walk.progress


def _is_young(walk: Walk) -> bool:
    return (
        walk.state is State.RUNNING and _seconds_until(walk.started_at or walk.created_at) > -YOUNG
    )


def _is_ending(walk: Walk) -> bool:
    are_all_there = 0 < walk.frames_total == count_finished_frames(walk)
    return walk.state is State.RUNNING and (are_all_there or walk.stage in ENDING)


def _waits_too_long(walk: Walk) -> bool:
    """Whether the walk has been queued for longer than a worker takes to start."""
    waited = -_seconds_until(walk.created_at)
    return walk.state is State.QUEUED and waited > history.WORKER_TIMEOUT


def show_filmstrip(walk: Walk) -> None:
    """Show the finished frames and previews, each at its place."""
    filmstrip(
        walk_id=walk.id,
        total=walk.frames_total,
        frames=[
            (int(place), media.frame_url(str(key)), bool(rough))
            for place, key, *rough in walk.progress
            if rough != [REPLACED]
        ],
        ratio=walk.size / walk.height if walk.height else 1.0,
        alt=f"A rough film of the walk {walk.title}",
        key=f"strip_{walk.id}",
    )


def describe_status(walk: Walk) -> str:
    """Describe the current stage and the time left in one line."""
    if walk.cancel_requested:
        return "Stopping after this frame"
    if walk.state is State.QUEUED:
        return _describe_retry(walk) or _describe_queue_place(walk.id)
    if walk.stage in STAGES:
        return f"{STAGES[walk.stage]} …"
    done = count_finished_frames(walk)
    counted = f"Frame {done} of {walk.frames_total}"
    if still := _seconds_still(walk, done):
        return (
            f"{counted}. Nothing has moved for {durations.format_duration(still)}; a worker that "
            "hangs is replaced by itself, and the frames stay"
        )
    left = _seconds_left(walk, done)
    return counted if left is None else f"{counted}, {durations.format_duration(left)} left"


def _seconds_still(walk: Walk, done: int) -> float:
    """Seconds since this page last saw the walk move; 0 while that is no longer than usual."""
    now, state = time.monotonic(), (walk.attempt, str(walk.progress))
    seen: tuple[object, float] = st.session_state.get(f"moved_{walk.id}", (None, now))
    if seen[0] != state:
        seen = st.session_state[f"moved_{walk.id}"] = (state, now)
    still = now - seen[1]
    age = -_seconds_until(walk.started_at) if walk.started_at else 0.0
    usual = (age - still) / max(done, 1)
    return still if still > max(STANDS_STILL, 5 * usual) else 0.0


def count_finished_frames(walk: Walk) -> int:
    """Count the finished frames, without previews."""
    return sum(not rough for _place, _key, *rough in walk.progress)


def _describe_retry(walk: Walk) -> str:
    """Describe when a walk is tried again after a fault; empty if there was none, or it is over."""
    left = 0.0 if walk.not_before is None else _seconds_until(walk.not_before)
    when = f"in {durations.format_duration(left)}" if left > 0 else "soon"
    if walk.troubles and not walk.troubles[-1].get("kind"):
        return (
            f"The worker ended in the middle of this film, perhaps for lack of memory. It goes on "
            f"{when}, and the pictures stay"
        )
    return f"The machine failed, not your walk: it goes on {when}" if left > 0 else ""


def _seconds_until(moment: datetime) -> float:
    return (moment - history.now()).total_seconds()


def _find_place(walk_id: str) -> int:
    with history.reading() as session:
        return walks.get_queue_position(session=session, walk_id=walk_id)


def _describe_queue_place(walk_id: str) -> str:
    place = _find_place(walk_id)
    return "Next in the queue" if place <= 1 else f"Number {place} in the queue"


def _seconds_left(walk: Walk, done: int) -> float | None:
    """Estimate by the rate of frames since the page was opened; initially, since the walk began."""
    now = time.monotonic()
    first: tuple[int, float] = st.session_state.setdefault(f"first_{walk.id}", (done, now))
    if done > first[0]:
        began, elapsed = first[0], now - first[1]
    elif walk.started_at is not None:
        began, elapsed = 0, -_seconds_until(walk.started_at)
    else:
        return None
    return durations.time_left(done=done - began, total=walk.frames_total - began, elapsed=elapsed)


def show_other_walks(except_for: str | None) -> None:
    """Show the oldest of the other unfinished walks, each with a button that opens it."""
    with history.reading() as session:
        oldest = walks.list_active(session=session, limit=OTHER_WALKS + 1)
    others = [walk for walk in oldest if walk.id != except_for]
    with st.container(key="elsewhere"):
        for walk in others[:OTHER_WALKS]:
            with st.container(horizontal=True, vertical_alignment="center"):
                state = "Being made now" if walk.state is State.RUNNING else "In the queue"
                st.text(f"{state}: {wall_label.shorten(walk.title)}", width="stretch")
                # A link to the page shown now would not change the address.
                st.button(
                    "Watch",
                    key=f"watch_{walk.id}",
                    type="tertiary",
                    on_click=_open_walk,
                    args=(walk.id,),
                )


def _open_walk(walk_id: str) -> None:
    st.query_params["walk"] = walk_id
