"""The player: one film, or two on one clock."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from momalisa.ui.components.assets import component

_PLAYER = component("player")


@dataclass(frozen=True)
class Film:
    """What the player needs to know of a film; `alt` says what is seen.

    `changes` are those from frame to frame, in the order in which the film shows them.
    """

    url: str
    alt: str
    size: int
    poster: str = ""
    title: str = ""
    changes: Sequence[float] = ()


def player(*films: Film, key: str) -> None:
    """Show one or two films with play, pause, a scrubber and the arrow keys.

    Two are shown side by side, with a wipe, or as their difference; the choice stands in the URL
    as "view". Under them, their changes as curves.
    """
    _PLAYER(key=key, data={"films": [asdict(film) for film in films]})
