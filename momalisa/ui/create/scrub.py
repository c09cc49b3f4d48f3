"""Scrubbers that show the picture at any place of a walk, before or after it is made."""

import secrets

import streamlit as st

from db.models import Walk
from momalisa.settings import settings
from momalisa.spec import WalkSpec
from momalisa.ui import durations, sign_in, submit
from momalisa.ui.components.scrubber import scrubber
from momalisa.ui.create import estimate
from momalisa.ui.http import media, stills
from momalisa.ui.policy import Action

MAX_SECONDS_PER_PICTURE = 5.0
"""The most seconds that a picture may take to be computed while the visitor waits."""


def show_draft_scrubber(spec: WalkSpec) -> None:
    """Show the scrubber for the walk in the form, if a picture takes few enough seconds."""
    seconds = estimate.seconds_per_frame(spec)
    if settings().endpoint or seconds is None or seconds > MAX_SECONDS_PER_PICTURE:
        return
    if not sign_in.may(Action.MAKE):
        return
    with st.expander("Look along the way"):
        _show_scrubber(
            spec, [], "draft", live=True, hint="Drag: the place is painted when you stop."
        )


def show_film_scrubber(walk: Walk) -> None:
    """Show the scrubber for a finished walk, if its frames are known."""
    if not submit.has_spec(walk):
        return
    spec = submit.spec_again(walk)
    frames = located_frames(walk, spec)
    if not frames:
        return
    live, hint = _live_mode(walk)
    with st.expander("Look between the frames"):
        _show_scrubber(spec, frames, walk.id, live=live, hint=hint)


def _show_scrubber(
    spec: WalkSpec, frames: list[tuple[float, str]], name: str, *, live: bool, hint: str
) -> None:
    looker = st.session_state.setdefault("looker", secrets.token_hex(8))
    scrubber(
        walk_id=name,
        legs=[(here.prompt, there.prompt) for here, there in spec.legs],
        frames=frames,
        still_url=stills.still_url(spec, looker) if live else "",
        hint=hint,
        key=f"between_{name}",
    )


def located_frames(walk: Walk, spec: WalkSpec) -> list[tuple[float, str]]:
    """The finished frames with a known position, as (position in legs, URL).

    With even pacing only the frames at the stops are known, since the other positions are not
    stored.
    """
    places = spec.places()
    return [
        (places[index].leg + places[index].t, media.frame_url(str(key)))
        for index, key, *rough in walk.progress
        if not rough and (spec.pacing != "even" or places[index].t in (0.0, 1.0))
    ]


def _live_mode(walk: Walk) -> tuple[bool, str]:
    """Whether pictures between the frames are computed on request, and the hint that says so."""
    if settings().endpoint:
        return False, "Walks are made at an endpoint here, so only finished frames are shown."
    if not sign_in.may(Action.MAKE):
        return False, "Finished frames are shown; members can look between them as well."
    seconds = walk.seconds / max(walk.frames_computed, 1)
    if seconds > MAX_SECONDS_PER_PICTURE:
        took = durations.format_duration(seconds)
        return False, f"A picture takes {took} here, so the finished frame nearest by is shown."
    return True, "Faint is the frame nearest by; the place itself is painted when you stop."
