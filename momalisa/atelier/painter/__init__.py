"""Paints synthetic canvases in the manner of modern-art movements, with facts about each."""

from collections.abc import Sequence
from random import Random

from momalisa.atelier.painter import (
    figurative,
    geometry,
    gesture,
    land,
    optical,
    people,
    pointillism,
    sea,
    signs,
    wildlife,
)
from momalisa.atelier.painter.facts import Canvas, Facts, Manner
from momalisa.atelier.painter.palette import COLOURS
from momalisa.atelier.painter.scene import Scene
from momalisa.atelier.painter.texture import finish_surface

__all__ = ["COLOURS", "MANNERS", "Canvas", "Facts", "paint", "paint_any"]

_REGISTRY: dict[str, Manner] = {
    **geometry.MANNERS,
    **optical.MANNERS,
    **gesture.MANNERS,
    **land.MANNERS,
    **sea.MANNERS,
    **pointillism.MANNERS,
    **signs.MANNERS,
    **figurative.MANNERS,
    **wildlife.MANNERS,
    **people.MANNERS,
}

MANNERS: tuple[str, ...] = tuple(_REGISTRY)

# Colours that cover less than this share of a picture are left out of its facts.
_VISIBLE = 0.008


# How often a manner is drawn, where that is not once.
_OFTEN = {
    "animal": 3,
    "suprematist-shapes": 3,
    "naive-sign": 3,
    "concentric-circles": 2,
    "landscape": 2,
}
# Manners whose colours mix, so that others than those of their palette appear.
_BLENDED = ("gradient", "colour-field", "pointillist-landscape", "swirling-night")
# For each plain colour: those that people might call by the same name.
_NEIGHBOURS = {
    "red": ("red", "maroon", "magenta", "pink", "orange", "peach"),
    "blue": ("blue", "navy", "sky blue", "teal", "turquoise", "lavender", "purple"),
    "yellow": ("yellow", "ochre", "orange", "cream"),
    "green": ("green", "dark green", "olive", "teal", "turquoise"),
    "black": ("black", "navy", "dark green", "maroon"),
    "white": ("white", "cream"),
}


def _absent_colours(areas: dict[str, float]) -> tuple[str, ...]:
    """The plain colours that no used colour is close to."""
    return tuple(name for name, near in _NEIGHBOURS.items() if not areas.keys() & {*near})


def paint(manner: str, seed: int, size: int = 256) -> Canvas:
    """Paint a canvas of `size` × `size` pixels in one of MANNERS; deterministic."""
    rng = Random(f"{manner}:{seed}")
    style = _REGISTRY[manner]
    scene = Scene(size)
    subject = style.paint(scene, rng)
    areas = scene.areas()
    ground = max(subject.grounds, key=lambda name: areas.get(name, 0.0))
    visible = [name for name, share in areas.items() if name != ground and share >= _VISIBLE]
    facts = Facts(
        manner=manner,
        ground=ground,
        colours=tuple(visible[:4]),
        motif=subject.motif,
        count=subject.count,
        place=subject.place,
        time=subject.time,
        weather=subject.weather,
        mood=subject.mood,
        season=subject.season,
        ink=subject.ink if areas.get(subject.ink, 0.0) >= _VISIBLE else "",
        sky=subject.sky,
        form=subject.form,
        arrangement=subject.arrangement,
        absent=() if manner in _BLENDED else _absent_colours(areas),
    )
    return Canvas(finish_surface(scene.pixels[:, :, :3], style.finish, rng), facts)


def draw_manner(seed: int, manners: Sequence[str]) -> str:
    """Draw one of the manners for a seed, those with many subjects more often than others."""
    return Random(seed).choice([name for name in manners for _ in range(_OFTEN.get(name, 1))])


def manner_of(seed: int) -> str:
    """Draw the manner of a seed from MANNERS."""
    return draw_manner(seed, MANNERS)


def paint_any(seed: int, size: int = 256) -> Canvas:
    """Paint a canvas in the manner that its seed draws."""
    return paint(manner_of(seed), seed, size)
