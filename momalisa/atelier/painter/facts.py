"""Data types of the painter: canvases, their facts, and manners."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from momalisa.atelier.painter.scene import Scene


@dataclass(frozen=True)
class Group:
    """Equal things in one colour, of which there are `count`; `size` is "large", "small" or ""."""

    thing: str
    colour: str
    count: int = 1
    size: str = ""


@dataclass(frozen=True)
class Arrangement:
    """Groups of things and how the first stands to the others: "above", "inside", "at the top"."""

    relation: str
    groups: tuple[Group, ...]


@dataclass(frozen=True)
class Facts:
    """What is visible in a canvas; an empty string means that a fact does not apply.

    `ground` is the largest background colour, `colours` the others, largest first. `ink` is
    the colour of the motif itself, and `sky` that of the sky over a scene. `form` is an adjective
    of the motif. `absent` are plain colours that no part of the canvas is close to.
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
    form: str = ""
    arrangement: Arrangement | None = None
    absent: tuple[str, ...] = ()


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
    form: str = ""
    arrangement: Arrangement | None = None


Finish = Literal["clean", "flat", "paint", "brush"]


@dataclass(frozen=True)
class Manner:
    """A painting function and the surface texture of its canvases."""

    paint: Callable[[Scene, Random], Subject]
    finish: Finish = "paint"
