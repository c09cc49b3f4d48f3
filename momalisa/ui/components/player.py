"""The player for one film, or for two in sync."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from momalisa.ui.components.assets import register_component

_PLAYER = register_component("player")


@dataclass(frozen=True)
class Film:
    """The player's input: URL of the film, alternative text, size in pixels, and options.

    `fallback` is the URL of the GIF, where the film is a WebP that may be missing. `changes` are
    the perceived changes from frame to frame, in display order.
    """

    url: str
    alt: str
    width: int
    height: int
    fallback: str = ""
    poster: str = ""
    title: str = ""
    changes: Sequence[float] = ()


def player(*films: Film, key: str) -> None:
    """Show one or two films with play, pause, a slider and the arrow keys.

    Two films are shown side by side, with a wipe, or as their difference, with their changes as
    curves below. The view is kept in the query parameter `view`.
    """
    _PLAYER(key=key, data={"films": [asdict(film) for film in films]})
