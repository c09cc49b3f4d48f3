"""Data types of the painter: canvases, their facts, and manners."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from momalisa.atelier.painter.scene import Scene


@dataclass(frozen=True)
class Facts:
    """What is visible in a canvas; an empty string means that a fact does not apply.

    `ground` is the largest background colour, `colours` the others, largest first. `ink` is
    the colour of the motif itself, and `sky` that of the sky over a scene.
    """

    manner: str
    ground: str
    colours: tuple[str, ...]
    motif: str
    count: int = 1
    place: str = ""
    time: str = ""
    weather: str = ""
    mood: str = ""
    season: str = ""
    ink: str = ""
    sky: str = ""


@dataclass(frozen=True)
class Canvas:
    """A painted picture, (size, size, 3) RGB, and the facts about it."""

    pixels: NDArray[np.uint8]
    facts: Facts


@dataclass(frozen=True)
class Subject:
    """What a manner reports about its painting; colours are measured later from the pixels.

    `grounds` are the background colours; the one with the largest area becomes the ground.
    """

    motif: str
    grounds: tuple[str, ...]
    count: int = 1
    place: str = ""
    time: str = ""
    weather: str = ""
    mood: str = ""
    season: str = ""
    ink: str = ""
    sky: str = ""


Finish = Literal["flat", "paint", "brush"]


@dataclass(frozen=True)
class Manner:
    """A painting function and the surface texture of its canvases."""

    paint: Callable[[Scene, Random], Subject]
    finish: Finish = "paint"
