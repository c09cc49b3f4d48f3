"""Presets for the number of sampling steps and of frames."""

from typing import NamedTuple

from momalisa.models.cards import ModelCard
from momalisa.spec import STEPS


class Quality(NamedTuple):
    """Sampling steps per frame, as a share of the model's own, and frames per leg."""

    steps: float
    frames: int


QUALITIES = {
    "Sketch": Quality(steps=0.5, frames=12),
    "Study": Quality(steps=1.0, frames=24),
    "Exhibition": Quality(steps=2.0, frames=48),
}


def steps_of(name: str, card: ModelCard) -> int:
    """The steps of a quality; of a model that was distilled to few steps always these."""
    if card.distilled:
        return card.steps
    return min(max(round(QUALITIES[name].steps * card.steps), STEPS[0]), STEPS[1])


def find_quality(steps: int | None, frames: int | None, card: ModelCard) -> str | None:
    """The name of the quality with these numbers; None if there is none."""
    numbers = {name: (steps_of(name, card), quality.frames) for name, quality in QUALITIES.items()}
    return next((name for name, of in numbers.items() if of == (steps, frames)), None)
