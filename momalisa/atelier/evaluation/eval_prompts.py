"""Held-out evaluation prompts, each with its expected content and a canvas that shows it."""

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
"""Canvases of evaluation prompts; the seeds before are those of the validation in training."""
SHAPE_NAMES = ("square", "circle", "triangle", "cross", "star", "heart")
MIN_CONTRAST = 44.0
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
class EvalPrompt:
    """A prompt, the expected content of its picture (empty: anything), and a canvas with it."""

    text: str
    canvas: Frame
    manner: str = ""
    allowed_manners: frozenset[str] = frozenset()
    """The manners that the prompt's words fit: "op art" fits four."""
    ground: str = ""
    colours: tuple[str, ...] = ()
    place: str = ""
    count: int = 1


def manner_prompts(count: int, size: int) -> list[EvalPrompt]:
    """`count` captions of held-out canvases that name a manner, each manner equally often."""
    return [_manner_prompt(MANNERS[i % len(MANNERS)], SEEDS + i, size) for i in range(count)]


def _manner_prompt(manner: str, seed: int, size: int) -> EvalPrompt:
    canvas = paint(manner, seed, size)
    text = _first_caption(canvas, seed, lambda text: bool(manners_in(text, manner)))
    visible = {canvas.facts.ground, *canvas.facts.colours}
    return EvalPrompt(
        text=text,
        canvas=canvas.pixels,
        manner=manner,
        allowed_manners=manners_in(text, manner),
        colours=tuple(name for name in colours_in(text) if name in visible),
    )


def manners_in(text: str, manner: str) -> frozenset[str]:
    """The manners that have all of `manner`'s names in a text; empty if it has no such name."""
    matches = [
        frozenset(m for m in MANNERS if term in _terms(m))
        for term in _terms(manner)
        if _contains(text, term)
    ]
    return frozenset.intersection(*matches) if matches else frozenset()


def _terms(manner: str) -> tuple[str, ...]:
    """The names and labels of a manner."""
    names, labels = STYLES[manner]
    return (*names, *labels)


def _contains_any(text: str, words: tuple[str, ...]) -> bool:
    return any(_contains(text, word) for word in words)


def _contains(text: str, term: str) -> bool:
    return re.search(rf"\b{re.escape(term)}\b", text) is not None


def colours_in(text: str) -> tuple[str, ...]:
    """The distinct colours that a text names, longest match first: "light blue" is sky blue."""
    return tuple(dict.fromkeys(_COLOUR_OF[word] for word in _COLOUR.findall(text)))


def _first_caption(canvas: Canvas, seed: int, matches: Callable[[str], bool]) -> str:
    """The first of 12 captions of a canvas that matches, or ""."""
    return next((text for text in write_captions(canvas.facts, seed, 12) if matches(text)), "")


def place_prompts(count: int, size: int) -> list[EvalPrompt]:
    """`count` captions of held-out canvases that name a place, each place equally often."""
    most = -(-count // len(PLACE_WORDS))
    counts: Counter[str] = Counter()
    prompts: list[EvalPrompt] = []
    for prompt in _captions_with_place(size):
        if len(prompts) == count:
            break
        if counts[prompt.place] < most:
            counts[prompt.place] += 1
            prompts.append(prompt)
    return prompts


def _captions_with_place(size: int) -> Iterator[EvalPrompt]:
    for seed in count_from(SEEDS):
        canvas = paint_any(seed, size)
        place = canvas.facts.place
        words = PLACE_WORDS.get(place, ())
        text = _first_caption(canvas, seed, partial(_contains_any, words=words))
        if text:
            yield EvalPrompt(text, canvas.pixels, place=place)


def colour_prompts(count: int, size: int, *, grounded: bool) -> list[EvalPrompt]:
    """`count` prompts of a coloured shape, on a coloured ground if `grounded`."""
    rng = Random(f"colours {grounded}")
    return [_shape_prompt(rng, 1, size, grounded=grounded) for _ in range(count)]


def count_prompts(count: int, size: int) -> list[EvalPrompt]:
    """`count` prompts of one to five equal shapes: "three yellow circles on blue"."""
    rng = Random("counts")
    most = len(NUMBERS) - 1
    return [_shape_prompt(rng, 1 + i % most, size, grounded=True) for i in range(count)]


def _shape_prompt(rng: Random, number: int, size: int, *, grounded: bool) -> EvalPrompt:
    ground, ink = rng.sample(sorted(COLOURS), 2)
    while distance(ground, ink) <= MIN_CONTRAST:
        ground, ink = rng.sample(sorted(COLOURS), 2)
    shape = rng.choice(SHAPE_NAMES)
    plural = f"{shape}{'es' if shape == 'cross' else 's'}"
    thing = with_article(f"{ink} {shape}") if number == 1 else f"{NUMBERS[number]} {ink} {plural}"
    return EvalPrompt(
        text=f"{thing} on {ground}" if grounded else thing,
        canvas=_draw_shapes(rng, shape, ground, ink, number, size),
        ground=ground if grounded else "",
        colours=(ink,),
        count=number,
    )


def _draw_shapes(rng: Random, shape: str, ground: str, ink: str, number: int, size: int) -> Frame:
    """The canvas of a prompt of shapes, drawn with the painter's functions."""
    scene = Scene(size)
    scene.cover(ground)
    for x, y, radius in spots(rng, number):
        with scene.transform(x, y, radius):
            SHAPES[shape](scene, ink)
    return finish_surface(scene.pixels[:, :, :3], "paint", rng)


def derangement(items: Sequence[Item]) -> list[Item]:
    """The items in a fixed random order in which none keeps its position (2 items or more)."""
    order = Random(0).sample(range(len(items)), len(items))
    partner = dict(zip(order, order[1:] + order[:1], strict=True))
    return [items[partner[i]] for i in range(len(items))]
