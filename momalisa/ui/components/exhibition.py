"""The exhibition: a full-window slide show of films with their labels."""

from collections.abc import Sequence
from dataclasses import dataclass

from momalisa.ui.components.assets import register_component

_EXHIBITION = register_component("exhibition")


@dataclass(frozen=True)
class Slide:
    """A film with its label; `film` and `poster` are URLs, `alt` is the alternative text.

    `fallback` is the GIF's URL, where the film is a WebP that may be missing.
    """

    id: str
    title: str
    lines: tuple[str, ...]
    alt: str
    film: str
    fallback: str
    poster: str
    seconds: float


def exhibition(slides: Sequence[Slide], *, key: str) -> bool:
    """Show the slides in an endless loop; returns whether the visitor has just left.

    A later run may pass other slides: they are adopted without interrupting the current one.
    """
    state = _EXHIBITION(
        key=key,
        data={"slides": [vars(slide) for slide in slides]},
        on_left_change=lambda: None,
    )
    return bool(state.left)
