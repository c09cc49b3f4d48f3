"""Strips of frames, one below the other, each with its name and a sentence."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from momalisa.ui.components.assets import register_component

_STRIPS = register_component("strips")


@dataclass(frozen=True)
class Strip:
    """A row of frames as one picture; without a URL the words stand alone."""

    name: str
    text: str
    url: str
    alt: str


def strips(shown: Sequence[Strip], *, key: str) -> None:
    """Show the strips."""
    _STRIPS(key=key, data={"strips": [asdict(strip) for strip in shown]})
