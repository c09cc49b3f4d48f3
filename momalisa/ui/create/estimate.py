"""What a walk will cost, before its button is pressed: from the past of the machine that paints."""

from collections.abc import Iterable
from statistics import median

from db import walks, worker_registry
from db.models import Walk
from momalisa.engine.shortcuts import few_steps
from momalisa.spec import WalkSpec
from momalisa.ui import durations, history
from momalisa.ui.submit import has_spec, spec_of

LOOKED_AT = 24
"""Films of a model, the newest, by which its speed is judged."""
DECODING = 6
"""Passes through the UNet that a frame's other work takes as long as (tests/bench/engine.py)."""
SURVEYING = 1.3
"""How much longer even pacing takes, for the survey (tests/bench/engine.py)."""


def sentence(spec: WalkSpec) -> str:
    """The frames, and how long they take on which device, as far as either is known."""
    device, past = _made_with(spec.model)
    seconds = expected(spec, past)
    frames = f"{len(spec.places())} frames"
    took = frames if seconds is None else f"{frames}, {durations.format_duration(seconds)}"
    return f"{took} on {device}" if device else took


def seconds_a_frame(spec: WalkSpec) -> float | None:
    """How long one of a walk's frames takes, from the past; None if that says nothing."""
    seconds = expected(spec, _made_with(spec.model)[1])
    return None if seconds is None else seconds / len(spec.places())


def _made_with(model: str) -> tuple[str, list[Walk]]:
    """The device that paints now, else the last one that did, and the newest films it has made."""
    with history.reading() as session:
        films = walks.list_page(session=session, limit=LOOKED_AT, model=model)
        workers = worker_registry.list_alive(session=session)
    devices = [*(worker.device for worker in workers), *(walk.device for walk in films)]
    device = next(filter(None, devices), "")
    return device, [walk for walk in films if walk.device == device]


def expected(spec: WalkSpec, past: Iterable[Walk]) -> float | None:
    """Seconds that a walk would take, from walks of its model and size.

    Of these, those count that took the same shortcuts and were surveyed alike, if any did. Films
    whose frames were mostly there before say little, and are left out.
    """
    alike = [walk for walk in past if has_spec(walk) and walk.size == spec.size]
    fresh = [walk for walk in alike if 2 * walk.frames_computed > walk.frames_total]
    made = [(walk, spec_of(walk)) for walk in fresh]
    if not made:
        return None
    closest = max(_likeness(spec, other) for _, other in made)
    rates = [
        walk.seconds / (min(walk.frames_computed, walk.frames_total) * _work(other))
        for walk, other in made
        if _likeness(spec, other) == closest
    ]
    return median(rates) * len(spec.places()) * _work(spec)


def _likeness(spec: WalkSpec, other: WalkSpec) -> tuple[bool, bool]:
    surveyed = (spec.pacing == "even") == (other.pacing == "even")
    return spec.shortcuts == other.shortcuts, surveyed


def _work(spec: WalkSpec) -> float:
    """What a frame's time grows with: its passes through the UNet, and what each frame needs."""
    steps = few_steps(spec.steps) if "solver" in spec.shortcuts else spec.steps
    passes = steps * (2 if spec.guided else 1) + DECODING
    return passes * (SURVEYING if spec.pacing == "even" else 1)
