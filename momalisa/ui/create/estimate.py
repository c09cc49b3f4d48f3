"""Estimates how long a walk will take, from earlier walks on the same device."""

from collections.abc import Iterable, Sequence
from statistics import median

from db import walks, worker_registry
from db.models import Walk
from momalisa.engine.shortcuts import few_steps
from momalisa.spec import WalkSpec
from momalisa.ui import durations, history
from momalisa.ui.submit import has_spec, spec_of
from momalisa.walk_cost import DECODING_STEPS, count_picture_steps, count_steps

MEASURED = (
    *(Walk.spec, Walk.device, Walk.seconds),
    *(Walk.frames_computed, Walk.frames_total),
)
"""What the estimate reads of each film."""
RECENT_FILMS = 24
"""How many of a model's newest films the estimate is based on."""
EVEN_PACING_FACTOR = 1.5
"""The cost of a walk with even pacing, for which more pictures are painted than there are frames
(tests/bench/engine.py); by attention they are painted anyway."""


def describe_estimate(*specs: WalkSpec) -> str:
    """Describe the number of frames and, if known, the duration and the device.

    Of several walks, which are of one model, all together.
    """
    return _describe(specs, *_device_and_films(specs[0].model))


def describe_each(specs: Sequence[WalkSpec]) -> list[str]:
    """The same for each of several walks, which are of one model."""
    known = _device_and_films(specs[0].model)
    return [_describe([spec], *known) for spec in specs]


def _describe(specs: Sequence[WalkSpec], device: str, past: list[Walk]) -> str:
    seconds = [estimate_seconds(spec, past) for spec in specs]
    took = f"{sum(len(spec.places()) for spec in specs)} frames"
    known = [each for each in seconds if each is not None]
    if len(known) == len(seconds):
        took = f"{took}, {durations.format_duration(sum(known))}"
    return f"{took} on {device}" if device else took


def seconds_per_frame(spec: WalkSpec) -> float | None:
    """Estimate the seconds for one picture of a walk; None without comparable films."""
    return estimate_picture_seconds(spec, _device_and_films(spec.model)[1])


def _device_and_films(model: str) -> tuple[str, list[Walk]]:
    """The device of a live worker, else of the newest film, and the newest films made on it."""
    with history.reading() as session:
        films = walks.list_page(session=session, limit=RECENT_FILMS, only=MEASURED, model=model)
        workers = worker_registry.list_alive(session=session)
    devices = [*(worker.device for worker in workers), *(walk.device for walk in films)]
    device = next(filter(None, devices), "")
    return device, [walk for walk in films if walk.device == device]


def estimate_seconds(spec: WalkSpec, past: Iterable[Walk]) -> float | None:
    """Estimate the seconds that a walk takes, from past walks of its model and size.

    None without a comparable film.
    """
    seconds = _seconds_per_pass(spec, past)
    return None if seconds is None else seconds * _count_passes(spec)


def estimate_picture_seconds(spec: WalkSpec, past: Iterable[Walk]) -> float | None:
    """Estimate the seconds that one picture of a walk takes, likewise.

    The probes of its leg are left out: they are taken once, before the first picture.
    """
    seconds = _seconds_per_pass(spec, past)
    return None if seconds is None else seconds * _count_picture_passes(spec)


def _seconds_per_pass(spec: WalkSpec, past: Iterable[Walk]) -> float | None:
    """The median seconds of a pass in past walks of a walk's model and size.

    Walks with the same shortcuts, interpolation and kind of pacing are preferred. Films whose
    frames came mostly from the cache are ignored. None without a comparable film.
    """
    known = [(walk, spec_of(walk)) for walk in past if has_spec(walk)]
    candidates = [
        (walk, other)
        for walk, other in known
        if other.pixels == spec.pixels and walk.was_mostly_computed
    ]
    if not candidates:
        return None
    closest = max(_similarity(spec, other) for _, other in candidates)
    rates = [
        walk.seconds * walk.frames_total / min(walk.frames_computed, walk.frames_total) / passes
        for walk, other in candidates
        if _similarity(spec, other) == closest and (passes := _count_passes(other))
    ]
    return median(rates)


def _similarity(spec: WalkSpec, other: WalkSpec) -> tuple[bool, bool, bool]:
    surveyed = (spec.pacing == "even") == (other.pacing == "even")
    mixed = spec.interpolation == other.interpolation
    return spec.shortcuts == other.shortcuts, mixed, surveyed


def _count_passes(spec: WalkSpec) -> float:
    """The work of a walk, in passes through its UNet."""
    steps = count_steps(spec, _count_steps_alone(spec))
    passes = steps * _count_predictions(spec) + len(spec.places()) * DECODING_STEPS
    surveyed = spec.pacing == "even" and spec.interpolation != "attention"
    return passes * (EVEN_PACING_FACTOR if surveyed else 1)


def _count_picture_passes(spec: WalkSpec) -> float:
    """The work of one picture of a walk, likewise."""
    steps = count_picture_steps(spec, _count_steps_alone(spec))
    return steps * _count_predictions(spec) + DECODING_STEPS


def _count_steps_alone(spec: WalkSpec) -> int:
    """The steps of a picture by itself."""
    return few_steps(spec.steps) if "solver" in spec.shortcuts else spec.steps


def _count_predictions(spec: WalkSpec) -> int:
    """The passes of a step."""
    return 1 + spec.guided + (spec.interpolation == "predictions")
