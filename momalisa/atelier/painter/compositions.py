"""Compositions of a few plain shapes with a relation: one above another, inside it, in a corner."""

from random import Random

from momalisa.atelier.painter.facts import Arrangement, Group, Subject
from momalisa.atelier.painter.palette import COLOURS, contrasting, distance
from momalisa.atelier.painter.scene import Scene
from momalisa.atelier.painter.shapes import SHAPES

_NAMES = ("square", "circle", "triangle", "cross", "star", "heart", "rectangle", "diamond", "ring")
_SIMPLE = ("square", "square", "circle", "circle", "triangle", "triangle", "cross")
_PLAIN = ("red", "blue", "yellow", "green", "black", "white", "orange", "purple", "pink")
_SPOTS = {
    "in the centre": (0.5, 0.5),
    "at the top": (0.5, 0.26),
    "at the bottom": (0.5, 0.74),
    "on the left": (0.26, 0.5),
    "on the right": (0.74, 0.5),
    "in the top left corner": (0.25, 0.25),
    "in the top right corner": (0.75, 0.25),
    "in the bottom left corner": (0.25, 0.75),
    "in the bottom right corner": (0.75, 0.75),
}
# Where the first of two groups is, relative to the second.
_SIDES = ("above", "above", "below", "left of", "right of")


def _draw_colours(rng: Random) -> tuple[str, list[str]]:
    """Draw a plain ground and three colours that contrast with it and with each other."""
    while True:
        ground = rng.choice(("white", "white", "white", "cream", "black", "grey", *COLOURS))
        candidates = contrasting(ground, _PLAIN if rng.random() < 0.75 else COLOURS, 44.0)
        rng.shuffle(candidates)
        inks: list[str] = []
        for name in candidates:
            if all(distance(name, other) >= 44.0 for other in inks):
                inks.append(name)
        if len(inks) >= 3:
            return ground, inks[:3]


def _shape(rng: Random) -> str:
    return rng.choice(_SIMPLE if rng.random() < 0.6 else _NAMES)


def _draw_group(scene: Scene, group: Group, centres: list[tuple[float, float]], r: float) -> None:
    for x, y in centres:
        with scene.transform(x, y, r * (0.9 if group.thing == "rectangle" else 1.0)):
            SHAPES[group.thing](scene, group.colour)


def _at_spot(scene: Scene, rng: Random, inks: list[str]) -> Arrangement:
    spot = rng.choice(tuple(_SPOTS))
    group = Group(_shape(rng), inks[0])
    radius = 0.28 if spot == "in the centre" else rng.uniform(0.13, 0.17)
    _draw_group(scene, group, [_SPOTS[spot]], radius)
    return Arrangement(spot, (group,))


def _side_by_side(scene: Scene, rng: Random, inks: list[str]) -> Arrangement:
    """Two groups of one to three equal shapes, one above, below or beside the other."""
    side = rng.choice(_SIDES)
    counts = rng.choice(((1, 1), (1, 1), (1, 1), (2, 1), (1, 2), (2, 2), (3, 1), (1, 3), (3, 2)))
    groups = tuple(Group(_shape(rng), inks[i], counts[i]) for i in range(2))
    for i, group in enumerate(groups):
        near = 0.28 if (i == 0) == (side in ("above", "left of")) else 0.72
        along = [(k + 0.5) / group.count for k in range(group.count)]
        if group.count == 2:
            along = [0.29, 0.71]
        upright = side in ("above", "below")
        centres = [(at, near) if upright else (near, at) for at in along]
        _draw_group(scene, group, centres, {1: 0.18, 2: 0.155, 3: 0.125}[group.count])
    return Arrangement(side, groups)


def _inside(scene: Scene, rng: Random, inks: list[str]) -> Arrangement:
    outer = Group(rng.choice(("square", "circle", "circle", "heart")), inks[0], size="large")
    inner = Group(_shape(rng), inks[1], size="small")
    _draw_group(scene, outer, [(0.5, 0.5)], 0.39)
    _draw_group(scene, inner, [(0.5, 0.5)], 0.15)
    return Arrangement("inside", (inner, outer))


def _large_and_small(scene: Scene, rng: Random, inks: list[str]) -> Arrangement:
    large = Group(_shape(rng), inks[0], size="large")
    small = Group(rng.choice((large.thing, _shape(rng))), inks[1], size="small")
    flip = rng.choice((-1, 1))
    _draw_group(scene, large, [(0.5 - 0.17 * flip, 0.45)], 0.25)
    _draw_group(scene, small, [(0.5 + 0.3 * flip, rng.choice((0.3, 0.5, 0.74)))], 0.1)
    return Arrangement("and", (large, small))


def _between(scene: Scene, rng: Random, inks: list[str]) -> Arrangement:
    inner, outer = Group(_shape(rng), inks[0]), Group(_shape(rng), inks[1], 2)
    upright = rng.random() < 0.4
    ends = [(0.5, 0.19), (0.5, 0.81)] if upright else [(0.19, 0.5), (0.81, 0.5)]
    _draw_group(scene, inner, [(0.5, 0.5)], 0.13)
    _draw_group(scene, outer, ends, 0.13)
    return Arrangement("between", (inner, outer))


def _three(scene: Scene, rng: Random, inks: list[str]) -> Arrangement:
    groups = tuple(Group(_shape(rng), ink) for ink in inks)
    centres = rng.choice(
        (((0.2, 0.5), (0.5, 0.5), (0.8, 0.5)), ((0.28, 0.28), (0.72, 0.28), (0.5, 0.72)))
    )
    for group, centre in zip(groups, centres, strict=True):
        _draw_group(scene, group, [centre], 0.13 if centres[0][1] == 0.5 else 0.17)
    return Arrangement("and", groups)


_KINDS = (
    *(_side_by_side,) * 5,
    *(_at_spot,) * 3,
    *(_inside, _large_and_small, _between, _three),
)


def composition(scene: Scene, rng: Random) -> Subject:
    """One to five large plain shapes that do not overlap, on a plain ground, with a relation."""
    ground, inks = _draw_colours(rng)
    scene.cover(ground)
    arrangement = rng.choice(_KINDS)(scene, rng, inks)
    first = arrangement.groups[0]
    return Subject(first.thing, (ground,), first.count, ink=first.colour, arrangement=arrangement)
