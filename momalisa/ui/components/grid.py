"""The poster grid of a page of the Gallery."""

from collections.abc import Sequence
from dataclasses import dataclass

from momalisa.ui.components.assets import register_component

_GRID = register_component("grid")


@dataclass(frozen=True)
class Card:
    """A poster with title and details; `film` is played on hover or focus, `href` opened.

    `fallback` is the GIF's URL, where the film is a WebP that may be missing.
    """

    id: str
    title: str
    meta: str
    alt: str
    poster: str
    film: str
    fallback: str
    href: str


def grid(cards: Sequence[Card], *, key: str) -> str | None:
    """Show the cards; returns the id of the card that was just opened, else None."""
    state = _GRID(
        key=key,
        data={"cards": [vars(card) for card in cards]},
        on_opened_change=lambda: None,
    )
    return str(state.opened) if state.opened else None
