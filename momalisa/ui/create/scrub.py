"""Scrubbers that show the picture at any place of a walk, before or after it is made."""

import secrets
from contextlib import suppress
from dataclasses import replace

import streamlit as st

from db.models import Walk
from momalisa.errors import MomaLisaError
from momalisa.models.registry import find_for_visitor
from momalisa.settings import settings
from momalisa.spec import WalkSpec
from momalisa.ui import (
    draft,
    draft_stops,
    durations,
    error_display,
    navigation,
    sign_in,
    submit,
)
from momalisa.ui.components.scrubber import Sources, TypedStop, scrubber
from momalisa.ui.create import estimate, frame_stop
from momalisa.ui.http import live, media, stills
from momalisa.ui.policy import Action

MAX_SECONDS_PER_PICTURE = 5.0
"""The most seconds that a picture may take to be computed while the visitor waits."""
MAX_SECONDS_PER_LIVE_PICTURE = 1.0
"""The most seconds that it may take to be asked for again and again, as one drags."""
MOST_AHEAD = 256
"""The most frames of drafts that are painted before they are walked."""
DRAG = "Drag along the way."
_IRRELEVANT = ("frames", "pacing", "strength", "fps")
"""Fields of a spec that the picture at a place does not depend on."""


def show_draft_wall(empty: str) -> bool:
    """Show the draft on the wall: its way, or the prompt that is being typed.

    `empty` is what is read there before the first one. Returns whether pictures can be painted
    meanwhile; if not, there is nothing.
    """
    spec, _ = draft.validate()
    settings_alone = spec or draft.settings_to_paint()
    if settings_alone is None or not may_paint(settings_alone):
        return False
    _show_draft(settings_alone, spec, "wall", empty)
    return True


def show_draft_scrubber(spec: WalkSpec) -> None:
    """Show the scrubber for the walk in the form, if a picture takes few enough seconds."""
    if may_paint(spec):
        with st.expander("Look along the way"):
            _show_draft(spec, spec, "draft", "")


def _show_draft(settings_alone: WalkSpec, spec: WalkSpec | None, name: str, empty: str) -> None:
    """Show the scrubber for the form; without a `spec`, only the prompts that are typed."""
    seconds = estimate.seconds_per_frame(settings_alone)
    hint = "Type, and see each prompt." if spec is None else DRAG
    if not _is_live(seconds):
        hint = "Drag: the place is painted when you stop."
    sources = find_sources(settings_alone, seconds)
    scrubber(
        walk_id=name,
        legs=legs_of(spec) if spec else [],
        sources=replace(sources, ahead=places_ahead(spec) if spec else []),
        stops=[TypedStop(*typed) for typed in draft_stops.typed_stops()],
        hint=hint if spec or _is_live(seconds) else "",
        empty=empty,
        key=f"between_{name}",
        ratio=settings_alone.ratio,
    )


def places_ahead(*specs: WalkSpec) -> list[tuple[int, float]]:
    """The places of drafts' own frames, which the walks then find painted; none of long walks."""
    places = dict.fromkeys((place.leg, place.t) for spec in specs for place in spec.places())
    return list(places) if len(places) <= MOST_AHEAD else []


def may_paint(spec: WalkSpec) -> bool:
    """Whether this machine paints a picture of a walk in few enough seconds."""
    if settings().endpoint or not sign_in.may(Action.MAKE):
        return False
    seconds = estimate.seconds_per_frame(spec)
    if seconds is None:  # no film yet
        with suppress(MomaLisaError):
            return find_for_visitor(spec.model).distilled
        return False
    return seconds <= MAX_SECONDS_PER_PICTURE


def _is_live(seconds: float | None) -> bool:
    return seconds is None or seconds <= MAX_SECONDS_PER_LIVE_PICTURE


def find_sources(
    spec: WalkSpec, seconds: float | None, frames: list[tuple[float, str]] | None = None
) -> Sources:
    """The sources of a walk's pictures, where one takes this long; None if that is not known."""
    looker = st.session_state.setdefault("looker", secrets.token_hex(8))
    defaults = {name: WalkSpec.model_fields[name].default for name in _IRRELEVANT}
    alike = _without_credits(spec).model_copy(update=defaults)
    return Sources(
        stills.still_url(alike, looker),
        live.live_url(alike, looker) if _is_live(seconds) else "",
        explores=spec.interpolation == "attention",
        frames=frames or [],
    )


def _without_credits(spec: WalkSpec) -> WalkSpec:
    """The same walk, in fewer characters: what is said of a picture has no effect on another."""
    stops = tuple(
        stop.model_copy(update={"image": stop.image.model_copy(update={"credit": None})})
        if stop.image
        else stop
        for stop in spec.stops
    )
    return spec.model_copy(update={"stops": stops})


def show_film_scrubber(walk: Walk) -> None:
    """Show the scrubber for a finished walk, if its frames are known."""
    if not submit.has_spec(walk):
        return
    spec = submit.spec_again(walk)
    frames = located_frames(walk, spec)
    if not frames:
        return
    seconds, hint = can_paint_between(walk, spec)
    sources = Sources(frames=frames) if seconds is None else find_sources(spec, seconds, frames)
    with st.expander("Look between the frames"):
        chosen = scrubber(
            walk_id=walk.id,
            legs=legs_of(spec),
            sources=sources,
            hint=hint,
            key=f"between_{walk.id}",
            ratio=spec.ratio,
            begins=sign_in.may(Action.MAKE),
        )
    if chosen is not None and not navigation.is_leaving():
        with error_display.errors_as_toasts():
            frame_stop.open_with_frame(walk, chosen.position, as_end=chosen.as_end)


def legs_of(spec: WalkSpec) -> list[tuple[str, str]]:
    """What is at both ends of each leg: prompts, or the names of pictures."""
    return [(here.name, there.name) for here, there in spec.legs]


def located_frames(walk: Walk, spec: WalkSpec) -> list[tuple[float, str]]:
    """The finished frames with a known position, as (position in legs, URL)."""
    located = frame_stop.locate_frames(walk, spec)
    return [(position, media.frame_url(key)) for position, key in located.items()]


def can_paint_between(walk: Walk, spec: WalkSpec) -> tuple[float | None, str]:
    """The seconds of a picture between a film's frames, None if none is painted; and the hint."""
    if settings().endpoint:
        return None, "Walks are made at an endpoint here, so only finished frames are shown."
    if not sign_in.may(Action.MAKE):
        return None, "Finished frames are shown; members can look between them as well."
    seconds = _seconds_per_picture(walk, spec)
    if seconds > MAX_SECONDS_PER_PICTURE:
        took = durations.format_duration(seconds)
        return None, f"A picture takes {took} here, so the finished frame nearest by is shown."
    if _is_live(seconds):
        return seconds, "Drag: what lies between the frames is painted as you go."
    return seconds, "Faint is the frame nearest by; the place itself is painted when you stop."


def _seconds_per_picture(walk: Walk, spec: WalkSpec) -> float:
    """Estimate the seconds that a picture between a film's frames takes.

    Where most of the film's frames were found in the cache, other films like it tell; without any,
    a picture is taken to need no more than this film did for each of its frames.
    """
    seconds = estimate.estimate_picture_seconds(spec, [walk])
    if seconds is None:
        seconds = estimate.seconds_per_frame(spec)
    return walk.seconds / max(walk.frames_total, 1) if seconds is None else seconds
