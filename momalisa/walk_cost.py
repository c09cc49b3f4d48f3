"""How much work a walk is, and whether it is more than a visitor may ask for."""

from collections.abc import Iterator, Sequence

from momalisa.engine.shortcuts import PROBES, attending_steps
from momalisa.errors import BadInput
from momalisa.picture_size import SIDE_UNIT, SIZE
from momalisa.spec import FRAMES, WalkSpec

DECODING_STEPS = 6
"""The cost of a frame besides sampling, in steps (measured by tests/bench/engine.py)."""
_UNIT = 512**2 * (20 + DECODING_STEPS)
"""Pixel-steps of a frame of 512 × 512 in 20 steps."""
LARGEST_STILL = 8.0
"""The most work of one picture that a visitor waits for, in frames of 512 × 512 in 20 steps."""


class WalkTooLarge(BadInput):
    """The walk is more work than a visitor may ask for; the message says what would fit."""


def cost(spec: WalkSpec) -> float:
    """The work of a walk, in frames of 512 × 512 pixels and 20 steps."""
    decoding = len(spec.places()) * DECODING_STEPS
    return spec.pixels * (count_steps(spec, spec.steps) + decoding) / _UNIT


def count_steps(spec: WalkSpec, steps: int) -> int:
    """The sampling steps of all frames of a walk, if a frame by itself takes `steps`.

    By attention the probes of each leg take as many as frames do.
    """
    probes = PROBES * len(spec.legs) if _attends(spec, steps) else 0
    return (len(spec.places()) + probes) * count_picture_steps(spec, steps)


def count_picture_steps(spec: WalkSpec, steps: int) -> int:
    """The sampling steps of one picture of a walk, if one by itself takes `steps`.

    By attention it takes the late ones only; the few that all pictures share are left out.
    """
    return steps - attending_steps(steps).stop if _attends(spec, steps) else steps


def _attends(spec: WalkSpec, steps: int) -> bool:
    return spec.interpolation == "attention" and steps > 1  # with one step, by texts alone


def still_cost(spec: WalkSpec) -> float:
    """The work of one picture of a walk, in frames of 512 × 512 pixels and 20 steps.

    By attention this includes its share of the probes.
    """
    return cost(spec) / len(spec.places())


def check_still_cost(spec: WalkSpec) -> None:
    """Raise WalkTooLarge if one picture of a walk is more work than LARGEST_STILL."""
    if still_cost(spec) > LARGEST_STILL:
        raise WalkTooLarge(
            f"A picture of {spec.shown_size} in {spec.steps} steps takes too long to be "
            "painted while you wait. Please choose fewer steps or a smaller picture."
        )


def check_cost(spec: WalkSpec, most: float) -> None:
    """Raise WalkTooLarge if a walk's cost is above `most`."""
    if cost(spec) <= most:
        return
    fitting = _describe_fitting(spec, most)
    raise WalkTooLarge(
        f"This walk is more than is painted here at a time: {len(spec.places()):,} frames of "
        f"{spec.shown_size} in {spec.steps} steps. "
        + (f"It would fit with {fitting}." if fitting else "Please make a smaller one.")
    )


def _describe_fitting(spec: WalkSpec, most: float) -> str:
    """The single changes that would make the walk fit, joined by "or"."""
    frames = [{"frames": n} for n in range(FRAMES[0], spec.frames)]
    steps = [{"steps": n} for n in range(1, spec.steps)]
    fits = [
        (_largest(spec, most, frames), "{frames:,} frames a leg"),
        (_largest(spec, most, steps), "{steps:,} steps"),
        (_largest(spec, most, list(_smaller_sizes(spec))), "{size} × {height} pixels"),
    ]
    return " or ".join(text.format(**change) for change, text in fits if change is not None)


def _smaller_sizes(spec: WalkSpec) -> Iterator[dict[str, int]]:
    """Smaller sizes of about the same shape, ascending."""
    for width in range(SIZE[0], spec.width, SIDE_UNIT):
        units = round(width * spec.height / spec.width / SIDE_UNIT)
        yield {"size": width, "height": SIDE_UNIT * max(1, units)}


def _largest(
    spec: WalkSpec, most: float, changes: Sequence[dict[str, int]]
) -> dict[str, int] | None:
    """The last of these ascending changes with which the walk fits, or None."""
    fitting = [change for change in changes if cost(spec.model_copy(update=change)) <= most]
    return fitting[-1] if fitting else None
