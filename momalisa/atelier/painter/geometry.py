"""Manners of plain shapes: De Stijl, Suprematism, Bauhaus, hard edge."""

from itertools import pairwise
from random import Random

import skia

from momalisa.atelier.painter.compositions import composition
from momalisa.atelier.painter.facts import Manner, Subject
from momalisa.atelier.painter.layout import spots
from momalisa.atelier.painter.palette import (
    Palette,
    contrasting,
    draw_any_palette,
    draw_free_palette,
    draw_palette,
)
from momalisa.atelier.painter.scene import Scene
from momalisa.atelier.painter.shapes import SHAPES

_TURNING = ("square", "triangle", "cross", "rectangle", "semicircle", "star")
_SUPREMATIST = ("square", "circle", "triangle", "cross", "rectangle", "semicircle", "ring")


def _cells(
    rng: Random, box: tuple[float, float, float, float], depth: int
) -> list[tuple[float, float, float, float]]:
    """Split a box recursively into rectangles of different sizes."""
    x0, y0, x1, y1 = box
    wide = x1 - x0 > y1 - y0
    span = x1 - x0 if wide else y1 - y0
    if depth == 0 or span < 0.4:
        return [box]
    cut = (x0 if wide else y0) + span * rng.choice((0.27, 0.35, 0.65, 0.73))
    first = (x0, y0, cut, y1) if wide else (x0, y0, x1, cut)
    second = (cut, y0, x1, y1) if wide else (x0, cut, x1, y1)
    return _cells(rng, first, depth - 1) + _cells(rng, second, depth - 1)


def de_stijl_grid(scene: Scene, rng: Random) -> Subject:
    """Black lines on white, a few fields in primary colours."""
    ground = rng.choice(("white", "white", "cream"))
    scene.cover(ground)
    cells = _cells(rng, (-0.05, -0.05, 1.05, 1.05), rng.choice((2, 3, 3, 4)))
    inks = ["red", "blue", "yellow"]
    rng.shuffle(inks)
    fields = rng.sample(cells, min(rng.choice((1, 2, 3, 3)), len(cells) - 1))
    for ink, field in zip(inks, fields, strict=False):
        scene.rect(ink, *field)
    width = rng.choice((0.022, 0.03, 0.04))
    for x0, y0, x1, y1 in cells:
        scene.line("black", width, (x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0))
    return Subject("grid", (ground, *inks))


def suprematist_shapes(scene: Scene, rng: Random) -> Subject:
    """One to five equal shapes in one colour on a plain ground, or a composition of shapes."""
    if rng.random() < 0.55:
        return composition(scene, rng)
    return _equal_shapes(scene, rng, rng.choice(_SUPREMATIST), draw_free_palette(rng, 1))


def _equal_shapes(scene: Scene, rng: Random, name: str, palette: Palette) -> Subject:
    count = rng.choice((1, 1, 1, 1, 2, 2, 3, 3, 4, 5))
    scene.cover(palette.ground)
    angle = rng.choice((0.0, 0.0, 0.0, 10.0, -12.0, 20.0)) if name in _TURNING else 0.0
    for x, y, radius in spots(rng, count):
        with scene.transform(x, y, radius, angle):
            SHAPES[name](scene, palette.inks[0])
    return Subject(name, (palette.ground,), count, ink=palette.inks[0])


def suprematist_composition(scene: Scene, rng: Random) -> Subject:
    """Tilted bars of several sizes, drifting around one large shape."""
    ground = rng.choice(("white", "white", "cream", "cream", "grey"))
    palette = draw_palette(rng, 4, ground)
    scene.cover(ground)
    angle = rng.choice((-38.0, -24.0, 24.0, 38.0))
    large = rng.choice(("square", "circle", "triangle", "rectangle"))
    with scene.transform(rng.choice((0.36, 0.62)), rng.uniform(0.38, 0.6), 0.24, angle):
        SHAPES[large](scene, palette.inks[0])
    with scene.transform(0.5, 0.5, 1, angle):
        for i in range(rng.randint(4, 6)):
            x, y = -0.3 + 0.13 * i, rng.choice((-1, 1)) * rng.uniform(0.12, 0.32)
            long, thick = rng.uniform(0.16, 0.4), rng.choice((0.03, 0.045, 0.07))
            ink = palette.inks[(i + 1) % len(palette.inks)]
            if i % 3 == 2:
                scene.rect(ink, x - thick / 2, y - long / 2, x + thick / 2, y + long / 2)
            else:
                scene.rect(ink, x - long / 2, y - thick / 2, x + long / 2, y + thick / 2)
    return Subject("floating shapes", (ground,), mood=palette.mood)


def hard_edge(scene: Scene, rng: Random) -> Subject:
    """One very large shape in a clean colour, touching or cut by the edge, or a composition."""
    if rng.random() < 0.3:
        return composition(scene, rng)
    palette = draw_any_palette(rng, 2)
    if rng.random() < 0.35:
        name = rng.choice(("circle", "square", "triangle", "cross", "diamond", "star", "heart"))
        scene.cover(palette.ground)
        with scene.transform(0.5, 0.5, 0.38):
            SHAPES[name](scene, palette.inks[0])
        return Subject(name, (palette.ground,), mood=palette.mood, ink=palette.inks[0])
    motif = rng.choice(tuple(_EDGES))
    scene.cover(palette.ground)
    with scene.transform(0.5, 0.5, 1, rng.choice((0.0, 90.0, 180.0, 270.0))):
        _EDGES[motif](scene, rng, palette)
    return Subject(motif, (palette.ground,), mood=palette.mood, ink=palette.inks[0])


def _half_disc(scene: Scene, rng: Random, palette: Palette) -> None:
    scene.disc(palette.inks[0], 0, 0.5, rng.uniform(0.36, 0.46))


def _quarter(scene: Scene, rng: Random, palette: Palette) -> None:
    scene.disc(palette.inks[0], -0.5, 0.5, rng.uniform(0.66, 0.78))


def _band(scene: Scene, rng: Random, palette: Palette) -> None:
    lean, half = rng.choice((0.0, 0.25, 0.4)), rng.uniform(0.1, 0.17)
    corners = ((lean - half, -0.6), (lean + half, -0.6), (half - lean, 0.6), (-half - lean, 0.6))
    scene.polygon(palette.inks[0], *corners)
    if len(palette.inks) > 1 and rng.random() < 0.4:
        slim = [(x + (1.9 if i in (0, 3) else 1.35) * half, y) for i, (x, y) in enumerate(corners)]
        scene.polygon(palette.inks[1], *slim)


def _curve(scene: Scene, rng: Random, palette: Palette) -> None:
    low, high = rng.uniform(0.02, 0.12), rng.uniform(-0.2, -0.08)
    wave = ((-0.7, low), (-0.25, high), (0.25, low), (0.7, high))
    scene.blob(palette.inks[0], *wave, (0.9, 0.9), (-0.9, 0.9))


_EDGES = {"semicircle": _half_disc, "quarter circle": _quarter, "band": _band, "curve": _curve}


def nested_squares(scene: Scene, rng: Random) -> Subject:
    """Squares within squares, each a little nearer to the lower edge."""
    palette = draw_palette(rng, 3)
    scene.cover(palette.ground)
    layers = [*palette.inks, palette.ground][: rng.choice((2, 3, 3))]
    half, drop = 0.4, 0.0
    for ink in layers:
        scene.rect(ink, 0.5 - half, 0.5 + drop - half, 0.5 + half, 0.5 + drop + half)
        half, drop = half - 0.12, drop + 0.035
    return Subject("nested squares", (palette.ground,), mood=palette.mood)


def _target(scene: Scene, inks: list[str], x: float, y: float, radius: float) -> None:
    for i, ink in enumerate(inks):
        scene.disc(ink, x, y, radius * (1 - i / len(inks)))


def concentric_circles(scene: Scene, rng: Random) -> Subject:
    """Paint one large target of concentric rings, or four small ones."""
    palette = draw_any_palette(rng, 3)
    scene.cover(palette.ground)
    rings = [*palette.inks, palette.ground, *palette.inks][: rng.choice((3, 4, 5))]
    if rng.random() < 0.7:
        _target(scene, rings, 0.5, 0.5, rng.uniform(0.36, 0.44))
        return Subject("target", (palette.ground,), mood=palette.mood)
    for x, y in ((0.26, 0.26), (0.74, 0.26), (0.26, 0.74), (0.74, 0.74)):
        _target(scene, rings[:3], x, y, 0.2)
    return Subject("target", (palette.ground,), 4, mood=palette.mood)


def bauhaus_circles(scene: Scene, rng: Random) -> Subject:
    """Circles, a half circle, a ring and a line."""
    palette = draw_palette(rng, 4)
    inks = palette.inks
    scene.cover(palette.ground)
    with scene.transform(0.5, 0.5, 1, rng.choice((0.0, 90.0, 180.0, 270.0))):
        scene.disc(inks[0], -0.12, -0.1, rng.uniform(0.24, 0.3))
        scene.pie(inks[1 % len(inks)], 0.2, 0.2, 0.2, rng.choice((0, 45, 180)), 180)
        clear = contrasting(inks[0], [*inks[1:], palette.ground], 30.0)
        scene.disc(clear[0] if clear else palette.ground, -0.2, -0.16, 0.11)
        last = inks[-1]
        scene.line(last, 0.018, (-0.4, 0.42), (0.42, -0.4))
        scene.ring(last, 0.3, -0.26, 0.09, 0.03)
        scene.disc(inks[2 % len(inks)], -0.3, 0.32, 0.06)
    return Subject("circles", (palette.ground,), mood=palette.mood)


def quarter_circle_tiles(scene: Scene, rng: Random) -> Subject:
    """Square tiles, each with a quarter circle, a half circle or a disc."""
    palette = draw_palette(rng, 3)
    n = rng.choice((2, 2, 3, 3, 4))
    colours = [palette.ground, *palette.inks]
    scene.cover(palette.ground)
    # Align tiles to pixels: antialiased edges would show as seams.
    edges = [round(i * scene.size / n) / scene.size for i in range(n + 1)]
    for y0, y1 in pairwise(edges):
        for x0, x1 in pairwise(edges):
            back = rng.choice(colours)
            front = rng.choice(contrasting(back, colours) or [palette.inks[0]])
            turn = rng.choice((0.0, 90.0, 180.0, 270.0))
            with scene.transform((x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, turn):
                scene.canvas.clipRect(skia.Rect.MakeLTRB(-1, -1, 1, 1))
                scene.canvas.drawPaint(scene.ink(back))
                _tile(scene, rng, front)
    return Subject("quarter circles", tuple(colours), mood=palette.mood)


def _tile(scene: Scene, rng: Random, ink: str) -> None:
    kind = rng.random()
    if kind < 0.65:
        scene.pie(ink, -1.02, -1.02, 2.03, 0, 90)
    elif kind < 0.82:
        scene.disc(ink, 0, 0, 0.7)
    else:
        scene.pie(ink, 0, -1.02, 1, 0, 180)


def harlequin(scene: Scene, rng: Random) -> Subject:
    """A grid of large rhombi in two or three colours."""
    palette = draw_palette(rng, 2)
    n = rng.choice((3, 4, 5))
    scene.cover(palette.ground)
    for row in range(n + 1):
        ink = palette.inks[row % len(palette.inks)]
        for column in range(n + 1):
            with scene.transform(column / n, row / n, 1 / n):
                scene.polygon(ink, (0, -0.5), (0.5, 0), (0, 0.5), (-0.5, 0))
    return Subject("diamonds", (palette.ground,), mood=palette.mood)


MANNERS = {
    "de-stijl-grid": Manner(de_stijl_grid, "paint"),
    "suprematist-shapes": Manner(suprematist_shapes, "clean"),
    "suprematist-composition": Manner(suprematist_composition, "paint"),
    "hard-edge": Manner(hard_edge, "clean"),
    "nested-squares": Manner(nested_squares, "clean"),
    "concentric-circles": Manner(concentric_circles, "clean"),
    "bauhaus-circles": Manner(bauhaus_circles, "flat"),
    "quarter-circle-tiles": Manner(quarter_circle_tiles, "flat"),
    "harlequin": Manner(harlequin, "paint"),
}
