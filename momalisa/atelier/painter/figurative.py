"""Figurative manners: Pop Art, still life and masks."""

from random import Random

import skia

from momalisa.atelier.painter.animals import ANIMALS
from momalisa.atelier.painter.facts import Manner, Subject
from momalisa.atelier.painter.motifs import THINGS, Motif, apple, pear, petals
from momalisa.atelier.painter.palette import (
    Palette,
    choose_contrasting,
    contrasting,
    draw_any_palette,
)
from momalisa.atelier.painter.scene import Point, Scene
from momalisa.atelier.painter.shapes import rays


def pop_dots(scene: Scene, rng: Random) -> Subject:
    """A thing with a thick black outline on a ground of printed dots."""
    palette = draw_any_palette(rng, 2)
    ground = palette.ground if palette.ground != "black" else "yellow"
    scene.cover(ground)
    dots = rng.choice(contrasting(ground, ("white", "red", "blue", "yellow", "pink"), 30))
    for row in range(13):
        for column in range(13):
            scene.disc(dots, (column + 0.5 * (row % 2)) / 12, row / 12, 0.018)
    ink = rng.choice(
        contrasting(ground, ("red", "blue", "yellow", "pink", "turquoise", "magenta", "white"))
    )
    name = rng.choice(("star", "heart", "mouth", "burst", "speech bubble", "apple", "eye"))
    with scene.transform(0.5, 0.5, 0.37):
        _POP[name](scene, "black", "black")
    with scene.transform(0.5, 0.5, 0.335):
        _POP[name](scene, ink, "white" if ink != "white" else "yellow")
    return Subject(name, (ground, dots), ink=ink)


def _burst(scene: Scene, ink: str, accent: str) -> None:
    scene.polygon(ink, *rays(12, 0.66))
    if accent != ink:
        with scene.transform(0, 0, 0.45):
            scene.polygon(accent, *rays(12, 0.66))


def _bubble(scene: Scene, ink: str, accent: str) -> None:
    scene.oval(ink, -1.05, -0.75, 1.05, 0.5)
    scene.polygon(ink, (-0.55, 0.3), (-0.05, 0.4), (-0.62, 0.95))
    if accent != ink:
        for x in (-0.4, 0.0, 0.4):
            scene.disc("black", x, -0.12, 0.1)


_POP: dict[str, Motif] = {
    **{name: THINGS[name] for name in ("star", "heart", "mouth", "apple", "eye")},
    "burst": _burst,
    "speech bubble": _bubble,
}


def pop_grid(scene: Scene, rng: Random) -> Subject:
    """The same thing four times in different colours, like prints on a sheet."""
    name = rng.choice(
        ("cat", "dog", "apple", "flower", "heart", "star", "mouth", "cup", "fish", "butterfly")
    )
    motif: Motif = ANIMALS[name][0] if name in ANIMALS else THINGS[name]
    grounds = rng.sample(
        ("yellow", "pink", "turquoise", "orange", "magenta", "blue", "white", "green"), 4
    )
    for i, ground in enumerate(grounds):
        x, y = 0.5 * (i % 2), 0.5 * (i // 2)
        ink = rng.choice(
            contrasting(
                ground, ("red", "blue", "black", "yellow", "purple", "magenta", "white"), 50
            )
        )
        accent = rng.choice(
            contrasting(ink, contrasting(ground, ("white", "yellow", "black", "pink"), 30))
        )
        scene.rect(ground, x, y, x + 0.5, y + 0.5)
        with scene.transform(x + 0.25, y + 0.25, 0.18):
            motif(scene, ink, accent)
    return Subject(name, tuple(grounds), 4)


def _table(scene: Scene, rng: Random, palette: Palette) -> str:
    """Paint a wall and a table; returns the table's colour."""
    choices = contrasting(palette.ground, (*palette.inks, "brown", "white", "cream", "ochre"), 22)
    table = rng.choice(choices)
    scene.cover(palette.ground)
    scene.rect(table, -0.1, rng.uniform(0.66, 0.74), 1.1, 1.1)
    return table


_BRIGHT = ("red", "orange", "yellow", "pink", "white", "magenta", "blue", "lavender")
_GLAZES = ("white", "blue", "teal", "black", "turquoise", "maroon", "yellow", "navy", "cream")

_BOUQUETS: tuple[tuple[Point, ...], ...] = (
    ((0.5, 0.22),),
    ((0.36, 0.26), (0.64, 0.26)),
    ((0.3, 0.3), (0.5, 0.2), (0.7, 0.3)),
    ((0.24, 0.38), (0.36, 0.2), (0.64, 0.2), (0.76, 0.38), (0.5, 0.34)),
)


def vase_of_flowers(scene: Scene, rng: Random) -> Subject:
    """A vase with three to five large flowers on a table."""
    palette = draw_any_palette(rng, 2)
    table = _table(scene, rng, palette)
    vase = choose_contrasting(rng, _GLAZES, palette.ground, table)
    bloom = choose_contrasting(rng, _BRIGHT, palette.ground, vase)
    heart = choose_contrasting(rng, ("yellow", "black", "orange", "white"), bloom)
    stem = choose_contrasting(rng, ("dark green", "green", "olive"), palette.ground)
    heads = rng.choice(_BOUQUETS)
    for x, y in heads:
        scene.curve(stem, 0.016, (0.5, 0.62), (0.5 + 0.4 * (x - 0.5), 0.48), (x, y))
    for x, y in heads:
        petals(scene, bloom, heart, x, y, 0.16 if len(heads) < 3 else 0.11)
    scene.blob(
        vase,
        (0.42, 0.55),
        (0.58, 0.55),
        (0.58, 0.62),
        (0.66, 0.74),
        (0.58, 0.87),
        (0.42, 0.87),
        (0.34, 0.74),
        (0.42, 0.62),
    )
    return Subject("vase of flowers", (palette.ground, table), mood=palette.mood, ink=vase)


def bowl_of_fruit(scene: Scene, rng: Random) -> Subject:
    """A bowl heaped with apples or oranges, on a table."""
    palette = draw_any_palette(rng, 2)
    table = _table(scene, rng, palette)
    fruit = choose_contrasting(rng, ("red", "orange", "yellow", "green"), palette.ground)
    for x, y in ((0.5, 0.34), (0.38, 0.43), (0.62, 0.43), (0.3, 0.52), (0.5, 0.5), (0.7, 0.52)):
        with scene.transform(x, y, 0.105):
            apple(scene, fruit, "white" if fruit != "yellow" else "cream")
    bowl = choose_contrasting(rng, _GLAZES, fruit, table, palette.ground)
    scene.pie(bowl, 0.5, 0.53, 0.32, 0, 180)
    scene.rect(bowl, 0.4, 0.8, 0.6, 0.88)
    return Subject("bowl of fruit", (palette.ground, table), mood=palette.mood, ink=bowl)


def bottles(scene: Scene, rng: Random) -> Subject:
    """One to four bottles in a row on a table."""
    palette = draw_any_palette(rng, 3)
    table = _table(scene, rng, palette)
    count = rng.choice((1, 2, 3, 3, 4))
    for i in range(count):
        ink = choose_contrasting(rng, (*palette.inks, *_GLAZES), palette.ground, table)
        x, half, top = (
            (i + 0.5) / count * 0.8 + 0.1,
            rng.uniform(0.06, 0.085),
            rng.uniform(0.3, 0.42),
        )
        scene.rect(ink, x - half, top + 0.16, x + half, 0.86)
        scene.oval(ink, x - half, top + 0.08, x + half, top + 0.26)
        scene.rect(ink, x - 0.35 * half, top - 0.06, x + 0.35 * half, top + 0.15)
    return Subject(
        "bottle", (palette.ground, table), count, mood=palette.mood, ink=ink if count == 1 else ""
    )


def fruit(scene: Scene, rng: Random) -> Subject:
    """One to three large apples or pears on a table."""
    palette = draw_any_palette(rng, 2)
    table = _table(scene, rng, palette)
    name = rng.choice(("apple", "pear"))
    ink = choose_contrasting(
        rng, ("red", "green", "yellow", "orange", "maroon"), palette.ground, table
    )
    count = rng.choice((1, 1, 2, 3))
    radius = {1: 0.24, 2: 0.18, 3: 0.14}[count]
    for i in range(count):
        with scene.transform((i + 0.5) / count * 0.9 + 0.05, 0.82 - radius, radius):
            (apple if name == "apple" else pear)(
                scene, ink, "white" if ink != "yellow" else "cream"
            )
    return Subject(name, (palette.ground, table), count, mood=palette.mood, ink=ink)


def still_life(scene: Scene, rng: Random) -> Subject:
    """Flowers, fruit or bottles on a table."""
    return rng.choice((vase_of_flowers, bowl_of_fruit, bottles, fruit))(scene, rng)


def mask(scene: Scene, rng: Random) -> Subject:
    """A face like a carved mask, in one or two colours, joyful, sad or neither."""
    palette = draw_any_palette(rng, 3)
    scene.cover(palette.ground)
    skin = palette.inks[0]
    half = rng.random() < 0.5 and len(palette.inks) > 1
    other = palette.inks[1] if half else skin
    feature = choose_contrasting(rng, ("black", "white", *palette.inks), skin, other)
    with scene.transform(0.5, 0.52, 0.4):
        _head(scene, skin, other)
        gape = rng.choice(("round", "almond"))
        for side in (-1, 1):
            _mask_eye(scene, feature, side, gape)
        scene.polygon(feature, (-0.03, -0.35), (0.05, -0.35), (0.16, 0.22), (-0.14, 0.22))
        mood = rng.choice(("joyful", "sad", ""))
        bend = {"joyful": 0.16, "sad": -0.16, "": 0.0}[mood]
        scene.curve(
            feature, 0.09, (-0.32, 0.52 - bend / 2), (0, 0.52 + bend / 2), (0.32, 0.52 - bend / 2)
        )
    return Subject(
        "mask" if half else "face", (palette.ground,), mood=mood, ink="" if half else skin
    )


def _head(scene: Scene, left: str, right: str) -> None:
    """An egg-shaped face; the right half may have another colour."""
    outline = (
        (0, -1.02),
        (0.6, -0.75),
        (0.72, 0),
        (0.45, 0.75),
        (0, 1.05),
        (-0.45, 0.75),
        (-0.72, 0),
        (-0.6, -0.75),
    )
    scene.blob(left, *outline)
    if right != left:
        scene.canvas.save()
        scene.canvas.clipRect(skia.Rect.MakeLTRB(0, -2, 2, 2), doAntiAlias=True)
        scene.blob(right, *outline)
        scene.canvas.restore()


def _mask_eye(scene: Scene, ink: str, side: int, gape: str) -> None:
    if gape == "round":
        scene.ring(ink, side * 0.32, -0.25, 0.13, 0.07)
        scene.disc(ink, side * 0.32, -0.25, 0.05)
    else:
        scene.oval(ink, side * 0.34 - 0.2, -0.34, side * 0.34 + 0.2, -0.16)
    scene.curve(ink, 0.06, (side * 0.1, -0.46), (side * 0.32, -0.58), (side * 0.56, -0.46))


MANNERS = {
    "pop-dots": Manner(pop_dots, "flat"),
    "pop-grid": Manner(pop_grid, "flat"),
    "still-life": Manner(still_life, "brush"),
    "mask": Manner(mask, "paint"),
}
