"""The manner of animals: on a plain ground, or in snow, a meadow, at night, at sea, in a city."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from momalisa.atelier.painter.animals import ANIMALS
from momalisa.atelier.painter.beasts import BEASTS, fox_head
from momalisa.atelier.painter.facts import Manner, Subject
from momalisa.atelier.painter.layout import spots
from momalisa.atelier.painter.motifs import Motif, fir, tree
from momalisa.atelier.painter.palette import choose_contrasting, contrasting, draw_any_palette
from momalisa.atelier.painter.scene import Scene
from momalisa.atelier.painter.sky import SKIES, paint_clouds, paint_hills, paint_light, paint_snow

# The animals' own colours, body and details; used unless they vanish into the background.
_COATS: dict[str, tuple[tuple[str, str], ...]] = {
    "fox": (("orange", "white"),),
    "elephant": (("grey", "pink"), ("grey", "lavender")),
    "dog": (("brown", "cream"), ("ochre", "brown"), ("white", "black"), ("black", "white")),
    "cat": (("black", "yellow"), ("orange", "cream"), ("white", "green"), ("grey", "yellow")),
    "rabbit": (("white", "pink"), ("brown", "cream"), ("grey", "white")),
    "bird": (("blue", "orange"), ("red", "yellow"), ("yellow", "orange"), ("black", "yellow")),
    "turtle": (("green", "olive"), ("dark green", "green"), ("olive", "ochre")),
    "snail": (("orange", "cream"), ("brown", "ochre"), ("red", "peach")),
    "penguin": (("black", "white"),),
    "duck": (("yellow", "cream"), ("white", "cream"), ("brown", "dark green")),
    "bear": (("brown", "cream"), ("white", "grey"), ("black", "ochre")),
    "horse": (("brown", "black"), ("white", "grey"), ("black", "brown"), ("ochre", "cream")),
    "owl": (("brown", "yellow"), ("ochre", "yellow"), ("white", "yellow")),
    "fish": (("orange", "white"), ("yellow", "blue"), ("red", "white"), ("white", "red")),
    "whale": (("navy", "white"), ("grey", "white"), ("white", "blue")),
    "butterfly": (("orange", "black"), ("yellow", "red"), ("purple", "yellow"), ("red", "white")),
}

_SIDEWAYS = (*BEASTS, "fish", "horse", "whale")
_IN_WATER = ("fish", "whale", "turtle")
_PORTRAITS: dict[str, tuple[Motif, ...]] = {
    **{name: (*ANIMALS.get(name, ()), body) for name, body in BEASTS.items()},
    **{name: motifs for name, motifs in ANIMALS.items() if name not in BEASTS},
}
_PORTRAITS["fox"] = (*_PORTRAITS["fox"], fox_head)
NAMES = tuple(_PORTRAITS)


@dataclass(frozen=True)
class _Setting:
    """What surrounds an animal: the colours behind it, and the facts of the place."""

    grounds: tuple[str, ...]
    place: str
    time: str = ""
    weather: str = ""
    season: str = ""
    sky: str = ""


def _snow(scene: Scene, rng: Random) -> _Setting:
    time = rng.choice(("", "", "night"))
    sky = rng.choice(("navy", "blue", "teal") if time else ("sky blue", "blue", "teal", "lavender"))
    scene.cover(sky)
    for x in rng.sample((0.08, 0.24, 0.5, 0.78, 0.93), 3):
        with scene.transform(x, 0.42, 0.2):
            fir(scene, "dark green", "brown")
    paint_hills(scene, rng, "white", 0.6, 0.02)
    paint_snow(scene, rng)
    return _Setting((sky, "white"), "field", time, "snow", "winter", sky)


def _meadow(scene: Scene, rng: Random) -> _Setting:
    sky = rng.choice(("sky blue", "sky blue", "white", "cream", "turquoise"))
    scene.cover(sky)
    if sky == "sky blue" and rng.random() < 0.6:
        paint_clouds(scene, rng, "white")
    else:
        paint_light(scene, rng, sky, "day")
    paint_hills(scene, rng, "green", 0.6, 0.03)
    season = rng.choice(("spring", "summer"))
    for _ in range(14 if season == "spring" else 5):
        scene.disc(
            rng.choice(("white", "yellow", "pink")), rng.random(), rng.uniform(0.7, 0.98), 0.014
        )
    return _Setting((sky, "green"), "field", "", "", season, sky)


def _night(scene: Scene, rng: Random) -> _Setting:
    sky = rng.choice(("navy", "navy", "black", "purple"))
    land = rng.choice(("dark green", "teal", "blue"))
    scene.cover(sky)
    paint_light(scene, rng, sky, "night", 0.14)
    paint_hills(scene, rng, land, 0.72, 0.04)
    return _Setting((sky, land), rng.choice(("hills", "field")), "night", sky=sky)


def _city(scene: Scene, rng: Random) -> _Setting:
    time = rng.choice(("day", "night"))
    sky = rng.choice(SKIES[time])
    scene.cover(sky)
    wall = choose_contrasting(rng, ("navy", "purple", "teal", "maroon", "grey", "black"), sky)
    x = -0.02
    while x < 1:
        width, top = rng.uniform(0.12, 0.2), rng.uniform(0.1, 0.4)
        scene.rect(wall, x, top, x + width, 0.8)
        for row in range(int((0.72 - top) / 0.1)):
            for column in (0.22, 0.62):
                y = top + 0.05 + 0.1 * row
                scene.rect("yellow", x + column * width, y, x + (column + 0.2) * width, y + 0.04)
        x += width + 0.02
    street = choose_contrasting(rng, ("grey", "cream", "black"), wall)
    scene.rect(street, -0.1, 0.76, 1.1, 1.1)
    return _Setting((wall, sky, street), "city", time, sky=sky)


def _forest(scene: Scene, rng: Random) -> _Setting:
    sky = rng.choice(("sky blue", "cream", "turquoise", "white"))
    scene.cover(sky)
    for x in (0.02, 0.2, 0.4, 0.6, 0.8, 0.98):
        with scene.transform(x, 0.42, rng.uniform(0.24, 0.3)):
            rng.choice((fir, tree))(scene, "dark green", "brown")
    paint_hills(scene, rng, "green", 0.7, 0.02)
    return _Setting((sky, "green", "dark green"), "forest", "", "", rng.choice(("", "summer")), sky)


def _sea(scene: Scene, rng: Random) -> _Setting:
    water = rng.choice(("blue", "teal", "turquoise", "navy", "sky blue"))
    foam = rng.choice(contrasting(water, ("white", "sky blue", "turquoise"), 20))
    scene.cover(water)
    for y in (0.06, 0.13):
        waves = [(i / 12, y + (0.016 if i % 2 else -0.016)) for i in range(-1, 14)]
        scene.curve(foam, 0.014, *waves)
    scene.blob("ochre", (-0.2, 0.95), (0.3, 0.9), (0.7, 0.94), (1.2, 0.9), (1.2, 1.3), (-0.2, 1.3))
    for _ in range(5):
        scene.ring(foam, rng.random(), rng.uniform(0.2, 0.85), rng.choice((0.012, 0.02)), 0.008)
    return _Setting((water,), "sea")


_ON_LAND: tuple[Callable[[Scene, Random], _Setting], ...] = (
    _snow, _snow, _meadow, _meadow, _night, _city, _forest,
)  # fmt: skip


def _draw_coat(rng: Random, name: str, grounds: tuple[str, ...], own: float) -> tuple[str, str]:
    """Draw the colours of body and details: the animal's own with probability `own`, if visible."""
    coats = [
        coat for coat in _COATS[name] if all(contrasting(back, coat[:1], 30) for back in grounds)
    ]
    if coats and rng.random() < own:
        return rng.choice(coats)
    inks = ("white", "black", "red", "yellow", "orange", "blue", "pink", "purple", "brown", "grey")
    ink = choose_contrasting(rng, inks, *grounds)
    accent = choose_contrasting(rng, ("white", "yellow", "black", "cream", "pink"), ink, grounds[0])
    return ink, accent


def _animal_in_setting(scene: Scene, rng: Random) -> Subject:
    name = rng.choice(NAMES)
    wet = name in _IN_WATER and rng.random() < 0.85
    setting = (_sea if wet else rng.choice(_ON_LAND))(scene, rng)
    body = BEASTS[name] if name in BEASTS else ANIMALS[name][0]
    ink, accent = _draw_coat(rng, name, setting.grounds, 0.85)
    count = rng.choice((1, 1, 1, 1, 1, 2))
    flip = name in _SIDEWAYS and rng.random() < 0.5
    radius = rng.uniform(0.33, 0.4) if count == 1 else 0.2
    middle = rng.uniform(0.47, 0.53)
    centre = 0.52 if wet or body is BEASTS["bird"] else 0.92 - radius
    for x in (middle,) if count == 1 else (0.26, 0.74):
        with scene.transform(x, centre, radius, flip=flip):
            body(scene, ink, accent)
    return Subject(
        name, setting.grounds, count, setting.place, setting.time, setting.weather, "",
        setting.season, ink, setting.sky,
    )  # fmt: skip


def _animals_on_plain(scene: Scene, rng: Random) -> Subject:
    palette = draw_any_palette(rng, 2)
    name = rng.choice(NAMES)
    silhouette = rng.choice(_PORTRAITS[name])
    count = rng.choice((1, 1, 1, 1, 1, 2, 3))
    ink, accent = _draw_coat(rng, name, (palette.ground,), 0.6)
    scene.cover(palette.ground)
    flip = name in _SIDEWAYS and rng.random() < 0.5
    for x, y, radius in (
        [(0.5, 0.5, 0.4)] if count == 1 and rng.random() < 0.5 else spots(rng, count)
    ):
        with scene.transform(x, y, radius * (1.05 if count == 1 else 1.0), flip=flip):
            silhouette(scene, ink, accent)
    return Subject(name, (palette.ground,), count, mood=palette.mood, ink=ink)


def animal(scene: Scene, rng: Random) -> Subject:
    """One to three equal animals, on a plain ground or in a setting."""
    return (_animal_in_setting if rng.random() < 0.5 else _animals_on_plain)(scene, rng)


MANNERS = {"animal": Manner(animal, "paint")}
