"""The player: one film, or two on one clock."""

from dataclasses import asdict, dataclass

from momalisa.ui.components.assets import component

_PLAYER = component("player")


@dataclass(frozen=True)
class Film:
    """What the player needs to know of a film; `alt` says what is seen."""

    url: str
    alt: str
    size: int
    poster: str = ""
    title: str = ""


def player(*films: Film, key: str) -> None:
    """Show one or two films with play, pause, a scrubber and the arrow keys."""
    _PLAYER(key=key, data={"films": [asdict(film) for film in films]})
