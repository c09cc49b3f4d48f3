"""The poster grid: a page of the Gallery."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from momalisa.ui.components.assets import component

_GRID = component("grid")


@dataclass(frozen=True)
class Card:
    """A poster with its label's first lines, and the film it turns into when looked at."""

    id: str
    title: str
    meta: str
    alt: str
    poster: str
    film: str
    href: str


def grid(cards: Sequence[Card], *, key: str) -> str | None:
    """Hang the posters; returns the id of the card that was just opened, if one was."""
    shown = _GRID(
        key=key,
        data={"cards": [asdict(card) for card in cards]},
        on_opened_change=lambda: None,
    )
    opened = shown.opened
    return str(opened) if opened else None
