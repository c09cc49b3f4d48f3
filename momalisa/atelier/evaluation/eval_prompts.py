"""Commissions: held-out prompts, each with what its picture must show and a canvas that does."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count as count_from
from random import Random
from typing import TypeVar

from momalisa.atelier.captions import write_captions
from momalisa.atelier.painter import COLOURS, MANNERS, Canvas, paint, paint_any
from momalisa.atelier.painter.layout import spots
from momalisa.atelier.painter.palette import distance
from momalisa.atelier.painter.scene import Scene
from momalisa.atelier.painter.shapes import SHAPES
from momalisa.atelier.painter.texture import finish_surface
from momalisa.atelier.painter.words import COLOUR_WORDS, NUMBERS, STYLES
from momalisa.atelier.phrases import with_article
from momalisa.atelier.recipe import HELD_OUT_SEEDS
from momalisa.engine.frame_cache import Frame

Item = TypeVar("Item")

SEEDS = HELD_OUT_SEEDS + 100_000
"""Canvases of commissions; those that training examines itself by come before."""
SHAPE_NAMES = ("square", "circle", "triangle", "cross", "star", "heart")
APART = 44.0
"""The least CIELAB distance between a shape's colour and its ground's."""
PLACE_WORDS = {
    "sea": ("sea", "ocean"),
    "mountains": ("mountain", "mountains"),
    "hills": ("hills", "hilly"),
    "field": ("field", "meadow", "open country"),
    "desert": ("desert", "dunes"),
    "forest": ("forest", "wood"),
    "city": ("city", "skyline", "town"),
    "village": ("village",),
}
_COLOUR_OF = {word: name for name, words in COLOUR_WORDS.items() for word in (name, *words)}
_COLOUR = re.compile(rf"\b({'|'.join(sorted(_COLOUR_OF, key=len, reverse=True))})\b")


@dataclass(frozen=True)
class Commission:
    """A prompt, what its picture must show, and a canvas that shows it; empty means anything."""

    prompt: str
    canvas: Frame
    manner: str = ""
    allowed: frozenset[str] = frozenset()
    """The manners that the prompt's words fit: "op art" is said of four."""
    ground: str = ""
    colours: tuple[str, ...] = ()
    place: str = ""
    count: int = 1


def of_manners(count: int, size: int) -> list[Commission]:
    """Captions that name a manner, every manner equally often, from held-out canvases."""
    asked = (_of_manner(MANNERS[i % len(MANNERS)], SEEDS + i, size) for i in range(count))
    return list(asked)


def _of_manner(manner: str, seed: int, size: int) -> Commission:
    canvas = paint(manner, seed, size)
    prompt = _first(canvas, seed, lambda text: bool(manners_named(text, manner)))
    seen = {canvas.facts.ground, *canvas.facts.colours}
    return Commission(
        prompt=prompt,
        canvas=canvas.pixels,
        manner=manner,
        allowed=manners_named(prompt, manner),
        colours=tuple(name for name in colours_named(prompt) if name in seen),
    )


def manners_named(text: str, manner: str) -> frozenset[str]:
    """The manners that bear every one of `manner`'s names that the text says; none if none."""
    said = [
        {m for m in MANNERS if term in _terms(m)} for term in _terms(manner) if _says(text, term)
    ]
    return frozenset.intersection(*map(frozenset, said)) if said else frozenset()


def _terms(manner: str) -> tuple[str, ...]:
    names, labels = STYLES[manner]
    return (*names, *labels)


def _says_any(text: str, words: tuple[str, ...]) -> bool:
    return any(_says(text, word) for word in words)


def _says(text: str, term: str) -> bool:
    return re.search(rf"\b{re.escape(term)}\b", text) is not None


def colours_named(text: str) -> tuple[str, ...]:
    """The named colours in a text, once each: "light blue" is sky blue, and not blue too."""
    return tuple(dict.fromkeys(_COLOUR_OF[word] for word in _COLOUR.findall(text)))


def _first(canvas: Canvas, seed: int, wanted: Callable[[str], bool]) -> str:
    """The first caption of a canvas that is as wanted, or ""."""
    return next((text for text in write_captions(canvas.facts, seed, 12) if wanted(text)), "")


def of_places(count: int, size: int) -> list[Commission]:
    """Captions that name a place, every place equally often, from held-out canvases."""
    most = -(-count // len(PLACE_WORDS))
    taken: Counter[str] = Counter()
    found: list[Commission] = []
    for asked in _with_place(size):
        if len(found) == count:
            break
        if taken[asked.place] < most:
            taken[asked.place] += 1
            found.append(asked)
    return found


def _with_place(size: int) -> Iterator[Commission]:
    for seed in count_from(SEEDS):
        canvas = paint_any(seed, size)
        place = canvas.facts.place
        words = PLACE_WORDS.get(place, ())
        prompt = _first(canvas, seed, partial(_says_any, words=words))
        if prompt:
            yield Commission(prompt, canvas.pixels, place=place)


def of_colours(count: int, size: int, *, grounded: bool) -> list[Commission]:
    """Plain prompts of one shape in a colour, and, if `grounded`, the colour of its ground."""
    dice = Random(f"colours {grounded}")
    return [_shape(dice, 1, size, grounded=grounded) for _ in range(count)]


def of_counts(count: int, size: int) -> list[Commission]:
    """Plain prompts of one to five equal shapes: "three yellow circles on blue"."""
    dice = Random("counts")
    most = len(NUMBERS) - 1
    return [_shape(dice, 1 + i % most, size, grounded=True) for i in range(count)]


def _shape(dice: Random, number: int, size: int, *, grounded: bool) -> Commission:
    ground, ink = dice.sample(sorted(COLOURS), 2)
    while distance(ground, ink) <= APART:
        ground, ink = dice.sample(sorted(COLOURS), 2)
    shape = dice.choice(SHAPE_NAMES)
    plural = f"{shape}{'es' if shape == 'cross' else 's'}"
    thing = with_article(f"{ink} {shape}") if number == 1 else f"{NUMBERS[number]} {ink} {plural}"
    return Commission(
        prompt=f"{thing} on {ground}" if grounded else thing,
        canvas=_drawn(dice, shape, ground, ink, number, size),
        ground=ground if grounded else "",
        colours=(ink,),
        count=number,
    )


def _drawn(dice: Random, shape: str, ground: str, ink: str, number: int, size: int) -> Frame:
    """What such a prompt asks for, with the painter's own tools."""
    scene = Scene(size)
    scene.cover(ground)
    for x, y, radius in spots(dice, number):
        with scene.transform(x, y, radius):
            SHAPES[shape](scene, ink)
    return finish_surface(scene.pixels[:, :, :3], "paint", dice)


def strangers(items: Sequence[Item]) -> list[Item]:
    """The items in an order in which none stands where it stood: what chance would answer."""
    order = Random(0).sample(range(len(items)), len(items))
    partner = dict(zip(order, order[1:] + order[:1], strict=True))
    return [items[partner[i]] for i in range(len(items))]
