"""The places on a walk's way, to look at one by one: before it is made, and between its frames."""

import secrets

import streamlit as st

from db.models import Walk
from momalisa.settings import settings
from momalisa.spec import WalkSpec
from momalisa.ui import durations, submit
from momalisa.ui.components.scrubber import scrubber
from momalisa.ui.create import estimate
from momalisa.ui.http import media, stills

SLOWEST = 5.0
"""Seconds that a picture may take to be painted while somebody waits with a hand on the slider."""


def ahead(spec: WalkSpec) -> None:
    """Drag to any place of a walk that is not made yet, if a picture is painted soon enough."""
    seconds = estimate.seconds_a_frame(spec)
    if settings().endpoint or seconds is None or seconds > SLOWEST:
        return
    with st.expander("Look along the way"):
        _look(spec, [], "draft", live=True, said="Drag: the place is painted when you stop.")


def look(walk: Walk) -> None:
    """Drag to any place on the way of a finished walk, and see the picture there."""
    if not submit.has_spec(walk):
        return
    spec = submit.spec_of(walk)
    frames = known(walk, spec)
    if not frames:
        return
    live, said = _live(walk)
    with st.expander("Look between the frames"):
        _look(spec, frames, walk.id, live=live, said=said)


def _look(
    spec: WalkSpec, frames: list[tuple[float, str]], name: str, *, live: bool, said: str
) -> None:
    looker = st.session_state.setdefault("looker", secrets.token_hex(8))
    scrubber(
        walk_id=name,
        legs=[(here.prompt, there.prompt) for here, there in spec.legs],
        frames=frames,
        still_url=stills.still_url(spec, looker) if live else "",
        hint=said,
        key=f"between_{name}",
    )


def known(walk: Walk, spec: WalkSpec) -> list[tuple[float, str]]:
    """The finished frames whose place on the way is known, in whole legs, and their addresses.

    Where even pacing has put the frames between two stops is not written down.
    """
    places = spec.places()
    return [
        (places[index].leg + places[index].t, media.frame_url(str(key)))
        for index, key, *rough in walk.progress
        if not rough and (spec.pacing != "even" or places[index].t in (0.0, 1.0))
    ]


def _live(walk: Walk) -> tuple[bool, str]:
    """Whether places are painted while one looks, and what to say of it."""
    if settings().endpoint:
        return False, "Walks are made at an endpoint here, so only finished frames are shown."
    seconds = walk.seconds / max(walk.frames_computed, 1)
    if seconds > SLOWEST:
        took = durations.format_duration(seconds)
        return False, f"A picture takes {took} here, so the finished frame nearest by is shown."
    return True, "Faint is the frame nearest by; the place itself is painted when you stop."
