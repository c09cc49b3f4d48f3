"""The exhibition: films one after another over the whole window, each with its label."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from momalisa.ui.components.assets import component

_EXHIBITION = component("exhibition")


@dataclass(frozen=True)
class Slide:
    """A film, its label, and how many seconds it is shown; `alt` says what is seen."""

    id: str
    title: str
    lines: tuple[str, ...]
    alt: str
    film: str
    poster: str
    seconds: float


def exhibition(slides: Sequence[Slide], *, key: str) -> bool:
    """Show the films for ever, those that join in too; whether the visitor has just left."""
    shown = _EXHIBITION(
        key=key,
        data={"slides": [asdict(slide) for slide in slides]},
        on_left_change=lambda: None,
    )
    return bool(shown.left)
