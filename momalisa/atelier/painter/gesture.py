"""Gestural manners: colour fields, drips, strokes, cut paper, signs, facets."""

from collections.abc import Callable
from math import cos, pi, sin
from random import Random

import skia

from momalisa.atelier.painter.facts import Manner, Subject
from momalisa.atelier.painter.layout import spots
from momalisa.atelier.painter.motifs import THINGS
from momalisa.atelier.painter.palette import contrasting, draw_any_palette, draw_palette, lightness
from momalisa.atelier.painter.scene import Point, Scene, smooth
from momalisa.atelier.painter.shapes import SHAPES, crescent, leaf, star


def colour_field(scene: Scene, rng: Random) -> Subject:
    """Two or three blurred rectangles, one above the other."""
    palette = draw_palette(rng, 3)
    scene.cover(palette.ground)
    count = rng.choice((2, 2, 3))
    cuts = {2: rng.choice(((0.08, 0.55, 0.93), (0.08, 0.4, 0.93))), 3: (0.07, 0.32, 0.68, 0.94)}[
        count
    ]
    for i in range(count):
        box = skia.Rect.MakeLTRB(0.1, cuts[i] + 0.02, 0.9, cuts[i + 1] - 0.02)
        ink = palette.inks[i % len(palette.inks)]
        scene.canvas.drawRoundRect(box, 0.03, 0.03, scene.ink(ink, 0.97, blur=0.012))
    return Subject("colour fields", (palette.ground,), mood=palette.mood)


def drip(scene: Scene, rng: Random) -> Subject:
    """Loops of thrown paint and splashes."""
    palette = draw_any_palette(rng, 3)
    scene.cover(palette.ground)
    for ink in palette.inks:
        for _ in range(rng.choice((2, 3))):
            _thrown_line(scene, rng, ink)
        for _ in range(12):
            x, y = rng.random(), rng.random()
            scene.disc(ink, x, y, rng.choice((0.006, 0.01, 0.018, 0.026)))
    return Subject("drips", (palette.ground,), mood=palette.mood)


def _thrown_line(scene: Scene, rng: Random, ink: str) -> None:
    x, y, heading = rng.uniform(-0.1, 1.1), rng.uniform(-0.1, 1.1), rng.uniform(0, 2 * pi)
    points: list[Point] = []
    for _ in range(14):
        points.append((x, y))
        heading += rng.uniform(-1.3, 1.3)
        x, y = x + 0.16 * cos(heading), y + 0.16 * sin(heading)
        if not -0.15 < x < 1.15 or not -0.15 < y < 1.15:
            heading += pi
    scene.curve(ink, rng.choice((0.01, 0.016, 0.024)), *points)


def broad_strokes(scene: Scene, rng: Random) -> Subject:
    """One to four very broad brush strokes."""
    palette = draw_any_palette(rng, 2)
    scene.cover(palette.ground)
    count = rng.choice((1, 2, 3, 4))
    for i in range(count):
        angle = rng.choice((0, 90, 45, -45, 20, -70)) + rng.uniform(-8, 8)
        x, y = (0.5, 0.5) if count == 1 else (rng.uniform(0.3, 0.7), rng.uniform(0.3, 0.7))
        with scene.transform(x, y, 1, angle):
            _bristles(scene, rng, palette.inks[i % len(palette.inks)], rng.uniform(0.14, 0.24))
    ink = palette.inks[0] if count == 1 else ""
    return Subject("brush stroke", (palette.ground,), count, mood=palette.mood, ink=ink)


def _bristles(scene: Scene, rng: Random, ink: str, width: float) -> None:
    """One brush stroke of many thin lines with ragged ends."""
    hairs = 22
    bend = rng.uniform(-0.08, 0.08)
    for i in range(hairs):
        y = width * (i / (hairs - 1) - 0.5)
        left, right = -0.42 + rng.uniform(-0.06, 0.06), 0.42 + rng.uniform(-0.12, 0.08)
        if rng.random() < 0.94:
            scene.curve(ink, 1.4 * width / hairs, (left, y), (0, y + bend), (right, y))


def cut_outs(scene: Scene, rng: Random) -> Subject:
    """One to four large leaves of cut paper, each on its coloured field."""
    palette = draw_palette(rng, 4)
    colours = [palette.ground, *palette.inks]
    count = rng.choice((1, 1, 2, 4))
    columns = 1 if count == 1 else 2
    rows = 2 if count == 4 else 1
    shade = rng.sample(colours, len(colours))
    for i in range(count):
        back = shade[(i + i // 2) % len(shade)] if count > 1 else palette.ground
        left, top = i % columns / columns, i // columns / rows
        scene.rect(back, left, top, left + 1 / columns, top + 1 / rows)
        ink = rng.choice(contrasting(back, colours) or [palette.inks[0]])
        centre = (left + 0.5 / columns, top + 0.5 / rows)
        with scene.transform(*centre, 0.4 if count == 1 else 0.22, rng.uniform(-25, 25)):
            _frond(scene, rng, ink)
    only = ink if count == 1 else ""
    return Subject("leaf", tuple(colours), count, mood=palette.mood, ink=only)


def _frond(scene: Scene, rng: Random, ink: str) -> None:
    """A seaweed-like leaf: round fingers along a stem."""
    pairs = rng.choice((2, 3, 3))
    scene.line(ink, 0.2, (0, 0.95), (0, -0.5))
    for i in range(pairs + 1):
        y = 0.75 - 1.25 * i / pairs
        reach = 0.85 - 0.3 * i / pairs
        for side in (-1, 1):
            tip = (side * reach, y - 0.42)
            scene.curve(ink, 0.24, (0, y), (side * reach * 0.7, y - 0.08), tip)
    scene.line(ink, 0.26, (0, -0.4), (0, -0.95))


def miro_signs(scene: Scene, rng: Random) -> Subject:
    """A large sign with a thin black line and small stars, after Miró."""
    ground = rng.choice(
        ("sky blue", "cream", "white", "yellow", "ochre", "blue", "turquoise", "pink")
    )
    palette = draw_any_palette(rng, 3)
    inks = [i for i in ("red", "yellow", "blue", "black", *palette.inks) if i != ground]
    scene.cover(ground)
    motif = rng.choice(("sun", "moon", "star", "eye", "circle"))
    clear = contrasting(ground, inks)
    ink = rng.choice(clear)
    spot = rng.choice(((0.38, 0.42), (0.6, 0.4), (0.5, 0.48)))
    with scene.transform(*spot, 0.22, rng.choice((-12, 0, 12))):
        _SIGNS[motif](scene, ink)
    thread = rng.choice(_THREADS)
    side = rng.random() < 0.5
    with scene.transform(float(side), 0, 1, flip=side):
        scene.curve("black", 0.014, *thread)
        scene.disc(rng.choice(clear), *thread[-1], rng.uniform(0.035, 0.06))
        for x, y in rng.sample(_STARS, rng.choice((1, 2, 3))):
            _asterisk(scene, "black", x, y, 0.045)
    return Subject(motif, (ground,), ink=ink)


_THREADS: tuple[tuple[Point, ...], ...] = (
    ((0.8, 0.95), (0.5, 0.76), (0.2, 0.9), (0.1, 0.6), (0.16, 0.3)),
    ((0.06, 0.82), (0.3, 0.92), (0.5, 0.78), (0.7, 0.92), (0.9, 0.74)),
    ((0.9, 0.08), (0.84, 0.4), (0.94, 0.6), (0.7, 0.86), (0.3, 0.84)),
    ((0.1, 0.1), (0.14, 0.5), (0.06, 0.7), (0.3, 0.88), (0.6, 0.8)),
)
_STARS: tuple[Point, ...] = ((0.3, 0.1), (0.72, 0.12), (0.52, 0.9), (0.84, 0.3), (0.14, 0.92))


def _sun_sign(scene: Scene, ink: str) -> None:
    THINGS["sun"](scene, ink, "yellow" if ink != "yellow" else "red")


def _eye_sign(scene: Scene, ink: str) -> None:
    THINGS["eye"](scene, ink, ink)


_SIGNS: dict[str, Callable[[Scene, str], None]] = {
    "sun": _sun_sign,
    "moon": crescent,
    "star": star,
    "eye": _eye_sign,
    "circle": SHAPES["circle"],
}


def _asterisk(scene: Scene, ink: str, x: float, y: float, radius: float) -> None:
    for k in range(4):
        dx, dy = radius * cos(k * pi / 4), radius * sin(k * pi / 4)
        scene.line(ink, 0.008, (x - dx, y - dy), (x + dx, y + dy))


def swirling_night(scene: Scene, rng: Random) -> Subject:
    """A sky of swirling brush strokes with glowing stars over dark hills."""
    sky, lights = rng.choice(_NIGHTS)
    light = rng.choice(lights)
    scene.cover(sky)
    centres = [(rng.uniform(0.2, 0.45), 0.3), (rng.uniform(0.6, 0.85), 0.42)]
    _flow(scene, rng, [*lights, *contrasting(sky, ("sky blue", "turquoise"), 20)], centres)
    with scene.transform(rng.choice((0.2, 0.8)), 0.2, 1):
        _glow(scene, light, 0.085)
    for x in (0.12, 0.38, 0.6, 0.9):
        with scene.transform(x, rng.uniform(0.1, 0.5), 1):
            _glow(scene, light, 0.028)
    hills = rng.choice([c for c in ("black", "dark green", "navy") if c != sky])
    scene.blob(
        hills,
        (-0.2, 0.8),
        (0.2, 0.7),
        (0.5, 0.78),
        (0.8, 0.68),
        (1.2, 0.8),
        (1.2, 1.3),
        (-0.2, 1.3),
    )
    place = "hills"
    if rng.random() < 0.5:
        x = rng.choice((0.14, 0.86))
        scene.blob(
            "black", (x, 0.25), (x + 0.06, 0.55), (x + 0.08, 1.1), (x - 0.08, 1.1), (x - 0.05, 0.55)
        )
    if rng.random() < 0.5:
        place = "village"
        _village(scene, rng, light)
    return Subject("starry sky", (sky, hills), place=place, time="night", sky=sky)


_NIGHTS = (
    ("navy", ("yellow", "sky blue", "cream")),
    ("blue", ("yellow", "sky blue", "white")),
    ("purple", ("yellow", "lavender", "orange")),
    ("teal", ("yellow", "turquoise", "cream")),
)


def _flow(scene: Scene, rng: Random, inks: list[str], centres: list[Point]) -> None:
    """Short strokes that circle around the centres; one path per colour, for speed."""
    paths = {ink: skia.Path() for ink in inks[1:]}
    for _ in range(230):
        x, y = rng.random(), rng.uniform(0, 0.85)
        cx, cy = min(centres, key=lambda c: (c[0] - x) ** 2 + (c[1] - y) ** 2)
        dx, dy = cy - y, x - cx
        length = max((dx * dx + dy * dy) ** 0.5, 1e-3)
        fade = min(1.0, 0.22 / length)
        ux, uy = fade * dx / length + (1 - fade), fade * dy / length
        path = paths[rng.choice(inks[1:])]
        path.moveTo(x - 0.03 * ux, y - 0.03 * uy)
        path.quadTo(x, y - 0.004, x + 0.03 * ux, y + 0.03 * uy)
    for ink, path in paths.items():
        scene.canvas.drawPath(path, scene.pen(ink, 0.011))


def _glow(scene: Scene, ink: str, radius: float) -> None:
    scene.canvas.drawCircle(0, 0, 2.1 * radius, scene.ink(ink, 0.4, blur=0.012))
    scene.disc(ink, 0, 0, radius)


def _village(scene: Scene, rng: Random, light: str) -> None:
    for i in range(5):
        x, y = 0.22 + 0.14 * i, 0.88 + rng.uniform(-0.02, 0.03)
        with scene.transform(x, y, 0.065):
            THINGS["house"](scene, light, "brown")


def cubist_facets(scene: Scene, rng: Random) -> Subject:
    """Shaded facets around a broken-up thing."""
    palette = draw_palette(
        rng, 4, rng.choice(("ochre", "brown", "grey", "cream", "blue", "olive", "teal"))
    )
    inks = [palette.ground, palette.ground, *palette.inks]
    scene.cover(palette.ground)
    for _ in range(22):
        _facet(scene, rng, rng.choice(inks))
    motif = rng.choice(("guitar", "guitar", "cup", "pear", "facets"))
    if motif != "facets":
        body, detail = ("ochre", "black") if palette.ground != "ochre" else ("cream", "black")
        with scene.transform(0.5, 0.5, 0.36, rng.choice((-20, 0, 20))):
            THINGS[motif](scene, body, detail)
            for side in (-1, 1):
                tilt = [(side * 0.1, -0.9), (side * 0.6, 0.3), (side * 0.1, 1.0)]
                scene.canvas.drawPath(
                    skia.Path.Polygon([skia.Point(*p) for p in tilt], True),
                    scene.ink("black" if side < 0 else "white", 0.22),
                )
    return Subject(motif, tuple(dict.fromkeys(inks)), mood=palette.mood)


def _facet(scene: Scene, rng: Random, ink: str) -> None:
    """A quadrilateral, its colour fading to black or white along one edge."""
    with scene.transform(rng.random(), rng.random(), rng.uniform(0.12, 0.26), rng.uniform(0, 360)):
        points = [
            (-1, -0.8),
            (0.9, -0.6),
            (rng.uniform(0.3, 1), 0.9),
            (-0.7, rng.uniform(0.3, 0.9)),
        ]
        scene.polygon(ink, *points)
        dark = lightness(ink) > 45
        shade = skia.ColorSetARGB(90, *((0, 0, 0) if dark else (255, 255, 255)))
        paint = skia.Paint(AntiAlias=True)
        paint.setShader(
            skia.GradientShader.MakeLinear(
                [skia.Point(-1, -0.8), skia.Point(0.8, 0.8)], [shade, skia.ColorTRANSPARENT]
            )
        )
        scene.canvas.drawPath(skia.Path.Polygon([skia.Point(*p) for p in points], True), paint)


def biomorphs(scene: Scene, rng: Random) -> Subject:
    """One to four soft pebble forms."""
    palette = draw_any_palette(rng, 3)
    count = rng.choice((1, 2, 3, 3, 4))
    scene.cover(palette.ground)
    for i, (x, y, radius) in enumerate(spots(rng, count)):
        with scene.transform(x, y, radius * 1.15, rng.uniform(0, 360)):
            rim = [0.75 + 0.25 * sin(2 * k * pi / 6 + rng.uniform(-1, 1)) for k in range(6)]
            ring = [(r * cos(k * pi / 3), r * sin(k * pi / 3)) for k, r in enumerate(rim)]
            scene.canvas.drawPath(
                smooth(ring, closed=True), scene.ink(palette.inks[i % len(palette.inks)])
            )
    ink = palette.inks[0] if count == 1 else ""
    return Subject("pebble form", (palette.ground,), count, mood=palette.mood, ink=ink)


def abstract_music(scene: Scene, rng: Random) -> Subject:
    """Rings with halos, crossing lines, small triangles and squares."""
    palette = draw_any_palette(rng, 4)
    inks = palette.inks
    scene.cover(palette.ground)
    line = "black" if lightness(palette.ground) > 45 else "white"
    with scene.transform(0.5, 0.5, 1, rng.choice((0.0, 90.0, 180.0, 270.0))):
        x, y = rng.uniform(-0.2, 0.16), rng.uniform(-0.18, -0.04)
        scene.canvas.drawCircle(x, y, 0.3, scene.ink(inks[-1], 0.5, blur=0.025))
        for i, radius in enumerate((0.2, 0.14, 0.08)):
            scene.disc(inks[i % len(inks)], x, y, radius)
        scene.line(line, 0.014, (-0.42, 0.4), (0.42, rng.uniform(-0.4, 0.0)))
        scene.line(line, 0.014, (rng.uniform(-0.3, 0.1), 0.45), (rng.uniform(0.2, 0.4), -0.4))
        for i, name in enumerate(rng.sample(("triangle", "square", "semicircle", "ring"), 3)):
            with scene.transform(-0.3 + 0.3 * i, rng.uniform(0.24, 0.38), 0.1, rng.uniform(0, 90)):
                SHAPES[name](scene, inks[(i + 1) % len(inks)])
    return Subject("circles and lines", (palette.ground,), mood=palette.mood)


def falling_leaves(scene: Scene, rng: Random) -> Subject:
    """A few large simple leaves, evenly spread."""
    palette = draw_any_palette(rng, 2)
    count = rng.choice((1, 2, 3, 5))
    scene.cover(palette.ground)
    for i, (x, y, radius) in enumerate(spots(rng, count)):
        ink = palette.inks[i % len(palette.inks)]
        with scene.transform(x, y, radius * 1.05, rng.uniform(-50, 50)):
            leaf(scene, ink)
            scene.line(ink, 0.09, (0, 0.9), (0, 1.25))
            scene.line(palette.ground, 0.06, (0, -0.7), (0, 0.95))
    ink = palette.inks[0] if count == 1 else ""
    return Subject("leaf", (palette.ground,), count, mood=palette.mood, ink=ink)


MANNERS = {
    "colour-field": Manner(colour_field, "brush"),
    "drip": Manner(drip, "paint"),
    "broad-strokes": Manner(broad_strokes, "brush"),
    "cut-outs": Manner(cut_outs, "paint"),
    "miro-signs": Manner(miro_signs, "brush"),
    "swirling-night": Manner(swirling_night, "brush"),
    "cubist-facets": Manner(cubist_facets, "brush"),
    "biomorphs": Manner(biomorphs, "paint"),
    "abstract-music": Manner(abstract_music, "paint"),
    "falling-leaves": Manner(falling_leaves, "paint"),
}
