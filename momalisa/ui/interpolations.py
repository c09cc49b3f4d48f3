"""The interpolations in words that curators understand, with a strip of frames for each.

The strips are made by `python -m tests.screens.interpolations`.
"""

from contextlib import suppress
from pathlib import Path
from typing import get_args

from momalisa.errors import MomaLisaError
from momalisa.models.cards import ModelCard
from momalisa.models.registry import find
from momalisa.spec import Interpolation
from momalisa.ui.components.strips import Strip
from momalisa.ui.http import media

ALL: tuple[Interpolation, ...] = get_args(Interpolation)
SENTENCES: dict[Interpolation, str] = {
    "lerp": "Mixes the two texts on a straight line. It is quick, and often one picture turns into "
    "the other at one place at once.",
    "slerp": "Mixes the texts on an arc, word by word, which keeps each word's strength: much like "
    "lerp.",
    "attention": "Early steps look at the pictures of both ends, and frames lie where the leg "
    "changes evenly: small steps, crisp frames, hardly two pictures through each other. It takes a "
    "quarter longer at 24 frames, and more on short legs.",
    "predictions": "Paints for both texts at each step and mixes what it paints: it leaps little, "
    "shows two pictures through each other most, and takes up to twice the time.",
}
PAIR = ("a red square on white", "a stormy sea at night")
"""What the strips show."""


def offered_by(card: ModelCard | None) -> list[Interpolation]:
    """The interpolations that a model can be walked by; all, where the model is not known."""
    return [name for name in ALL if not (card and card.refuse(name))]


def offered_for(model: str) -> list[Interpolation]:
    """The same for a model's name, which may not be known here."""
    card = None
    with suppress(MomaLisaError):
        card = find(model)
    return offered_by(card)


def strip_of(name: Interpolation) -> Strip:
    """An interpolation's name, sentence and frames."""
    file = f"{name}.webp"
    url = media.example_url(file) if Path(media.EXAMPLE / file).is_file() else ""
    start, end = PAIR
    return Strip(
        name=name,
        text=SENTENCES[name],
        url=url,
        alt=f"Eight frames from “{start}” to “{end}”, by {name}",
    )
