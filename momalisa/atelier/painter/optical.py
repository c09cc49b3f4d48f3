"""Paints canvases of patterns: Op Art, stripes, dots, gradients."""

from functools import lru_cache
from math import pi
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from momalisa.atelier.painter.facts import Manner, Subject
from momalisa.atelier.painter.palette import COLOURS, Palette, draw_any_palette, draw_palette
from momalisa.atelier.painter.scene import Scene

Field = NDArray[np.float32]


@lru_cache(maxsize=4)
def _plane(size: int) -> tuple[Field, Field, Field, Field]:
    """Coordinates x, y from -1 to 1, radius and angle, as (2 size, 2 size) arrays."""
    axis = np.linspace(-1, 1, 2 * size, dtype=np.float32)
    x, y = np.meshgrid(axis, axis)
    return x, y, np.hypot(x, y), np.arctan2(y, x)


def _two_tone(scene: Scene, palette: Palette, mask: NDArray[np.bool_]) -> None:
    """Paint the ink where the mask (2 size, 2 size) is set and the ground elsewhere."""
    size = (scene.size, scene.size)
    share = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)[:, :, None]
    ground = np.array(scene.rgb(palette.ground), np.float32)
    ink = np.array(scene.rgb(palette.inks[0]), np.float32)
    scene.pixels[:, :, :3] = np.round(ground + share * (ink - ground))
    scene.pixels[:, :, 3] = 255


def _optical_palette(rng: Random) -> Palette:
    """Black on white, white on black, or two colours with a strong contrast."""
    choice = rng.random()
    if choice < 0.3:
        return Palette("white", ("black",))
    if choice < 0.4:
        return Palette("black", ("white",))
    return draw_any_palette(rng, 1)


def op_art_lines(scene: Scene, rng: Random) -> Subject:
    """Wavy or swelling lines in two colours."""
    palette = _optical_palette(rng)
    x, y, _, _ = _plane(scene.size)
    if rng.random() < 0.5:
        x, y = y, x
    bend = rng.uniform(0.1, 0.22) * np.sin(rng.choice((1.0, 1.5, 2.0)) * pi * y + rng.uniform(0, 6))
    _two_tone(scene, palette, np.sin(rng.choice((5, 6, 8)) * pi * (x + bend)) > 0)
    return Subject("wavy lines", (palette.ground, palette.inks[0]), mood=palette.mood)


def op_art_bulge(scene: Scene, rng: Random) -> Subject:
    """A chequerboard, straight or with a spherical bulge."""
    palette = _optical_palette(rng)
    x, y, _, _ = _plane(scene.size)
    if rng.random() < 0.5:
        n = rng.choice((4, 4, 5, 6, 8))
        even = (np.floor((x + 1) * n / 2) + np.floor((y + 1) * n / 2)) % 2 == 0
        _two_tone(scene, palette, even)
        grounds = (palette.ground, palette.inks[0])
        return Subject("chequerboard", grounds, mood=palette.mood)
    x, y = x - rng.uniform(-0.2, 0.2), y - rng.uniform(-0.2, 0.2)
    radius = np.sqrt(x * x + y * y) / 0.85
    swell = np.where(radius < 1, 0.45 + 0.55 * radius * radius, 1.0)
    n = rng.choice((3, 4, 5))
    even = (np.floor(x * swell * n) + np.floor(y * swell * n)) % 2 == 0
    _two_tone(scene, palette, even)
    grounds = (palette.ground, palette.inks[0])
    return Subject("chequerboard", grounds, mood=palette.mood, form="bulging")


def op_art_spiral(scene: Scene, rng: Random) -> Subject:
    """A spiral from edge to edge."""
    palette = _optical_palette(rng)
    _, _, radius, angle = _plane(scene.size)
    turn = rng.choice((-1, 1))
    arms = rng.choice((1, 2, 3))
    _two_tone(scene, palette, np.sin(rng.choice((9, 12)) * radius + turn * arms * angle) > 0)
    return Subject("spiral", (palette.ground, palette.inks[0]), mood=palette.mood)


def rays(scene: Scene, rng: Random) -> Subject:
    """Wedges that radiate from one point."""
    palette = _optical_palette(rng)
    x, y, _, _ = _plane(scene.size)
    cx, cy = rng.choice(((0.0, 0.0), (0.0, 0.0), (0.0, 1.0), (-0.9, 0.9)))
    angle = np.arctan2(y - np.float32(cy), x - np.float32(cx))
    _two_tone(scene, palette, np.sin(rng.choice((8, 12, 16)) * angle + 0.01) > 0)
    return Subject("rays", (palette.ground, palette.inks[0]), mood=palette.mood)


def stripes(scene: Scene, rng: Random) -> Subject:
    """Broad vertical, horizontal or diagonal stripes."""
    palette = draw_any_palette(rng, 3) if rng.random() < 0.6 else _optical_palette(rng)
    colours = (palette.ground, *palette.inks)
    n = rng.choice((6, 8, 9, 12))
    angle = rng.choice((0.0, 0.0, 90.0, 90.0, 45.0, -45.0))
    with scene.transform(0.5, 0.5, 1, angle):
        for i in range(-n, n):
            scene.rect(colours[i % len(colours)], i / n, -1, (i + 1.02) / n, 1)
    motif = {0.0: "vertical stripes", 90.0: "horizontal stripes"}.get(angle, "diagonal stripes")
    return Subject(motif, colours, mood=palette.mood)


def chevrons(scene: Scene, rng: Random) -> Subject:
    """Broad zigzag bands."""
    palette = draw_any_palette(rng, 3)
    colours = (palette.ground, *palette.inks)
    n = rng.choice((5, 6, 8))
    peaks = rng.choice((1, 1, 2))
    with scene.transform(0.5, 0.5, 1, rng.choice((0.0, 90.0, 180.0, 270.0))):
        for i in range(-3, 2 * n):
            y = -0.5 + (i - 1) / n
            top = [
                (-0.5 + k / (2 * peaks), y - 0.3 / peaks * (k % 2)) for k in range(2 * peaks + 1)
            ]
            bottom = [(x, z + 1.05 / n) for x, z in reversed(top)]
            scene.polygon(colours[i % len(colours)], *top, *bottom)
    return Subject("chevrons", colours, mood=palette.mood)


def dot_grid(scene: Scene, rng: Random) -> Subject:
    """A grid of dots of equal or growing size."""
    palette = draw_any_palette(rng, 3)
    n = rng.choice((4, 5, 6, 8))
    grows = rng.random() < 0.35
    inks = palette.inks[: rng.choice((1, 1, 3))]
    scene.cover(palette.ground)
    for row in range(n):
        for column in range(n):
            swell = 0.4 + 0.6 * (row + 0.5) / n if grows else 0.85
            centre = ((column + 0.5) / n, (row + 0.5) / n)
            scene.disc(rng.choice(inks), *centre, 0.4 * swell / n)
    return Subject("dots", (palette.ground,), mood=palette.mood)


def scattered_dots(scene: Scene, rng: Random) -> Subject:
    """Scattered dots of several sizes that do not touch."""
    palette = draw_any_palette(rng, 4)
    scene.cover(palette.ground)
    discs: list[tuple[float, float, float]] = []
    for _ in range(90):
        radius = rng.choice((0.03, 0.05, 0.05, 0.08))
        x, y = rng.uniform(0.08, 0.92), rng.uniform(0.08, 0.92)
        if all((x - a) ** 2 + (y - b) ** 2 > (radius + r + 0.02) ** 2 for a, b, r in discs):
            discs.append((x, y, radius))
            scene.disc(rng.choice(palette.inks), x, y, radius)
    return Subject("dots", (palette.ground,), mood=palette.mood)


def gradient(scene: Scene, rng: Random) -> Subject:
    """A smooth transition between two colours."""
    palette = draw_any_palette(rng, 1)
    x, y, radius, _ = _plane(scene.size)
    half = slice(None, None, 2)
    ramp = rng.choice((y, -y, x, 2 * radius - 1.2))[half, half]
    share = np.clip(0.5 + 0.65 * ramp, 0, 1)[:, :, None]
    ground = np.array(COLOURS[palette.ground], np.float32)
    ink = np.array(COLOURS[palette.inks[0]], np.float32)
    scene.rgb(palette.ground)
    scene.rgb(palette.inks[0])
    scene.pixels[:, :, :3] = np.round(ground + share * (ink - ground))
    scene.pixels[:, :, 3] = 255
    return Subject("gradient", (palette.ground, palette.inks[0]), mood=palette.mood)


def zip_line(scene: Scene, rng: Random) -> Subject:
    """One to three vertical lines on a plain ground."""
    palette = draw_palette(rng, 2)
    scene.cover(palette.ground)
    count = rng.choice((1, 1, 2, 3))
    for i in range(count):
        x = (i + rng.uniform(0.3, 0.7)) / count
        width = rng.choice((0.025, 0.04, 0.07))
        scene.rect(palette.inks[i % len(palette.inks)], x - width / 2, 0, x + width / 2, 1)
    ink = palette.inks[0] if count == 1 else ""
    return Subject("vertical line", (palette.ground,), count, mood=palette.mood, ink=ink)


MANNERS = {
    "op-art-lines": Manner(op_art_lines, "flat"),
    "op-art-bulge": Manner(op_art_bulge, "clean"),
    "op-art-spiral": Manner(op_art_spiral, "flat"),
    "rays": Manner(rays, "flat"),
    "stripes": Manner(stripes, "clean"),
    "chevrons": Manner(chevrons, "paint"),
    "dot-grid": Manner(dot_grid, "paint"),
    "scattered-dots": Manner(scattered_dots, "paint"),
    "gradient": Manner(gradient, "flat"),
    "zip": Manner(zip_line, "clean"),
}
