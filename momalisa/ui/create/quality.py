"""Three qualities: how many steps a frame gets, and how many frames a leg."""

from typing import NamedTuple


class Quality(NamedTuple):
    """Denoising steps a frame, frames a leg."""

    steps: int
    frames: int


QUALITIES = {
    "Sketch": Quality(steps=8, frames=12),
    "Study": Quality(steps=16, frames=24),
    "Exhibition": Quality(steps=32, frames=48),
}


def named(steps: int | None, frames: int | None) -> str | None:
    """The quality with these numbers, if one has them."""
    return next((name for name, of in QUALITIES.items() if of == (steps, frames)), None)
