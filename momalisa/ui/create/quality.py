"""Presets for the number of sampling steps and of frames."""

from typing import NamedTuple


class Quality(NamedTuple):
    """Sampling steps per frame and frames per leg."""

    steps: int
    frames: int


QUALITIES = {
    "Sketch": Quality(steps=8, frames=12),
    "Study": Quality(steps=16, frames=24),
    "Exhibition": Quality(steps=32, frames=48),
}


def find_quality(steps: int | None, frames: int | None) -> str | None:
    """The name of the quality with these numbers; None if there is none."""
    return next((name for name, of in QUALITIES.items() if of == (steps, frames)), None)
