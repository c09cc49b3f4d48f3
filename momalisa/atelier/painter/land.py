"""Manners of land and city, by season and time of day."""

from dataclasses import dataclass
from random import Random

from momalisa.atelier.painter.facts import Manner, Subject
from momalisa.atelier.painter.motifs import Motif, bare_tree, cactus, fir, house, palm, tree
from momalisa.atelier.painter.palette import contrasting, lightness
from momalisa.atelier.painter.scene import Scene
from momalisa.atelier.painter.sky import (
    SKIES,
    draw_time,
    paint_clouds,
    paint_hills,
    paint_light,
    paint_snow,
)


@dataclass(frozen=True)
class _Season:
    land: tuple[str, ...]
    far: tuple[str, ...]
    leaves: tuple[str, ...]
    trees: tuple[Motif, ...]


_SEASONS: dict[str, _Season] = {
    "spring": _Season(("green",), ("turquoise", "lavender", "teal"), ("pink", "white"), (tree,)),
    "summer": _Season(
        ("green", "yellow"), ("dark green", "teal", "blue"), ("dark green",), (tree, fir)
    ),
    "autumn": _Season(
        ("ochre", "brown"), ("maroon", "purple", "brown"), ("orange", "red"), (tree,)
    ),
    "winter": _Season(("white",), ("grey", "blue", "sky blue"), ("dark green",), (fir, bare_tree)),
}


def _ridge(scene: Scene, rng: Random, ink: str, horizon: float, cap: str) -> None:
    """One to three pointed mountains, with snow caps if `cap` names a colour."""
    for x in rng.choice(((0.3, 0.75), (0.2, 0.55, 0.85), (0.5,))):
        height, half = rng.uniform(0.22, 0.36), rng.uniform(0.26, 0.36)
        top = horizon - height
        scene.polygon(ink, (x, top), (x + half, horizon + 0.02), (x - half, horizon + 0.02))
        if cap:
            w, y = 0.3 * half, top + 0.3 * height
            scene.polygon(
                cap,
                (x, top),
                (x + w, y),
                (x + w / 3, y - 0.02),
                (x, y + 0.03),
                (x - w / 2, y - 0.02),
                (x - w, y),
            )


def landscape(scene: Scene, rng: Random) -> Subject:
    """Sky and land with mountains, trees, a house or a field, in one of four seasons."""
    name, time = rng.choice(tuple(_SEASONS)), draw_time(rng)
    season = _SEASONS[name]
    sky = rng.choice(SKIES[time])
    land = rng.choice(contrasting(sky, season.land, 20) or ["green"])
    if name == "winter":
        land, sky = "white", rng.choice([s for s in SKIES[time] if lightness(s) < 90])
    horizon = rng.uniform(0.54, 0.68)
    scene.cover(sky)
    paint_light(scene, rng, sky, time)
    place = rng.choice(("mountains", "mountains", "hills", "field"))
    far = rng.choice(contrasting(sky, contrasting(land, season.far, 15), 20) or ["black"])
    if place == "mountains":
        cap = "white" if far not in ("white", "sky blue") and rng.random() < 0.6 else ""
        _ridge(scene, rng, far, horizon, cap)
    elif place == "hills":
        paint_hills(scene, rng, far, horizon - 0.05, 0.06)
    paint_hills(scene, rng, land, horizon, 0.015 if place == "field" else 0.03)
    motif, count, ink = _foreground(scene, rng, season, land, place)
    weather = "snow" if name == "winter" and rng.random() < 0.4 else ""
    if weather:
        paint_snow(scene, rng)
    elif time == "day" and sky not in ("white", "cream") and rng.random() < 0.3:
        paint_clouds(scene, rng, "white")
    return Subject(motif, (sky, land), count, place, time, weather, "", name, ink, sky)


def _foreground(
    scene: Scene, rng: Random, season: _Season, land: str, place: str
) -> tuple[str, int, str]:
    """Paint trees, a house, both or neither; returns the motif, its count and its colour."""
    kind = rng.choice(("tree", "tree", "house", "house", "none"))
    if kind == "none":
        return place, 1, ""
    leaves = rng.choice(contrasting(land, season.leaves, 22) or ["dark green"])
    plant = rng.choice(season.trees)
    bark = "brown" if land != "brown" else "black"
    if kind == "house":
        wall = rng.choice(contrasting(land, ("white", "red", "yellow", "cream", "blue"), 28))
        roof = rng.choice(contrasting(wall, ("red", "maroon", "brown", "navy"), 28))
        x = rng.choice((0.32, 0.68))
        with scene.transform(x, 0.68, rng.uniform(0.13, 0.17)):
            house(scene, wall, roof)
        if rng.random() < 0.5:
            with scene.transform(1 - x, 0.68, 0.15):
                plant(scene, leaves, bark)
        return "house", 1, wall
    count = rng.choice((1, 1, 2, 3, 5))
    radius = {1: 0.26, 2: 0.19, 3: 0.16, 5: 0.1}[count]
    for i in range(count):
        with scene.transform((i + 0.5) / count + rng.uniform(-0.03, 0.03), 0.84 - radius, radius):
            plant(scene, leaves, bark)
    return "tree", count, "" if plant is bare_tree else leaves


def desert(scene: Scene, rng: Random) -> Subject:
    """Dunes under a large sun or moon, with cactuses, pyramids or palms."""
    time = draw_time(rng)
    sky = rng.choice(SKIES[time])
    sand = rng.choice(contrasting(sky, ("ochre", "yellow", "orange", "peach"), 20) or ["brown"])
    dune = rng.choice(
        contrasting(sky, contrasting(sand, ("orange", "ochre", "brown", "maroon"), 15), 15)
    )
    scene.cover(sky)
    paint_light(scene, rng, sky, time)
    motif = rng.choice(("pyramid", "cactus", "palm tree", "desert"))
    paint_hills(scene, rng, dune, 0.6, 0.07)
    if motif == "pyramid":
        count = rng.choice((1, 2, 3))
        for i in range(count):
            x, half = (i + 0.5) / count, 0.34 if count == 1 else 0.5 / count
            scene.polygon(dune, (x, 0.72 - 1.2 * half), (x + half, 0.74), (x - half, 0.74))
            scene.polygon("brown", (x, 0.72 - 1.2 * half), (x + half, 0.74), (x + 0.3 * half, 0.74))
    else:
        count = 1
    paint_hills(scene, rng, sand, 0.74, 0.04)
    if motif in ("cactus", "palm tree"):
        count = rng.choice((1, 1, 2, 3))
        plant = cactus if motif == "cactus" else palm
        for i in range(count):
            with scene.transform((i + 0.5) / count, 0.66, 0.26 if count == 1 else 0.16):
                plant(scene, "dark green", "red" if motif == "cactus" else "brown")
    return Subject(motif, (sky, sand, dune), count, "desert", time, sky=sky)


def forest(scene: Scene, rng: Random) -> Subject:
    """A forest: trunks from edge to edge, or rows of firs."""
    name, time = rng.choice(tuple(_SEASONS)), rng.choice(("day", "day", "night", "dusk"))
    sky = rng.choice([s for s in SKIES[time] if name != "winter" or lightness(s) < 90])
    land = rng.choice(_SEASONS[name].land)
    scene.cover(sky)
    if time == "night":
        paint_light(scene, rng, sky, time)
    scene.rect(land, -0.1, 0.74, 1.1, 1.1)
    leaves = rng.choice(contrasting(sky, _SEASONS[name].leaves, 22) or ["teal"])
    bark = rng.choice(contrasting(sky, ("brown", "black", "white"), 22))
    n = rng.choice((4, 5, 6))
    if leaves == "dark green" or name == "winter":
        for row, y in enumerate((0.56, 0.66)):
            for i in range(n + row):
                with scene.transform((i + 0.5 - 0.5 * row) / n, y, 0.2 + 0.04 * row):
                    fir(
                        scene,
                        leaves if row else ("teal" if leaves == "dark green" else leaves),
                        bark,
                    )
    else:
        for i in range(n):
            x, half = (i + 0.5) / n + rng.uniform(-0.03, 0.03), rng.uniform(0.018, 0.034)
            scene.polygon(
                bark,
                (x - half, -0.1),
                (x + half, -0.1),
                (x + 1.4 * half, 0.86),
                (x - 1.4 * half, 0.86),
            )
            for dx, y, radius in ((-0.07, 0.1, 0.1), (0.06, 0.18, 0.08), (0.03, 0.02, 0.14)):
                scene.disc(leaves, x + dx, y + rng.uniform(-0.03, 0.06), radius)
    return Subject("forest", (sky, land), place="forest", time=time, season=name, sky=sky)


def skyline(scene: Scene, rng: Random) -> Subject:
    """A row of towers with windows at any time of day, sometimes behind a river."""
    time = rng.choice(("day", "night", "night", "dawn", "dusk"))
    sky = rng.choice(SKIES[time])
    scene.cover(sky)
    paint_light(scene, rng, sky, time, 0.17)
    walls = contrasting(
        sky, ("black", "navy", "grey", "maroon", "brown", "red", "teal", "purple"), 26
    )
    inks = rng.sample(walls, min(2, len(walls)))
    windows = "yellow" if time != "day" else "white"
    base, x = rng.choice((1.0, 1.0, 0.8)), -0.02
    while x < 1:
        width, top = rng.uniform(0.13, 0.22), rng.uniform(0.3, 0.62)
        _tower(scene, rng, rng.choice(inks), windows, (x, top, x + width, base))
        x += width + 0.006
    if base < 1:
        scene.rect(
            rng.choice([w for w in ("blue", "teal", "navy") if w not in inks]), -0.1, 0.8, 1.1, 1.1
        )
    return Subject("skyline", (sky,), place="city", time=time, sky=sky)


def _tower(
    scene: Scene, rng: Random, ink: str, window: str, box: tuple[float, float, float, float]
) -> None:
    x0, y0, x1, y1 = box
    scene.rect(ink, x0, y0, x1, y1)
    columns, rows = 3, int((y1 - y0) / 0.085)
    step = (x1 - x0) / columns
    for row in range(rows):
        for column in range(columns):
            if rng.random() < 0.6:
                x, y = x0 + (column + 0.28) * step, y0 + 0.035 + 0.085 * row
                scene.rect(window, x, y, x + 0.44 * step, y + 0.036)


MANNERS = {
    "landscape": Manner(landscape, "brush"),
    "desert": Manner(desert, "brush"),
    "forest": Manner(forest, "brush"),
    "skyline": Manner(skyline, "paint"),
}
