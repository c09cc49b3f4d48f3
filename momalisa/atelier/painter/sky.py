"""Sky, sun and moon, weather and hills, for landscapes and seascapes."""

from math import sin
from random import Random

from momalisa.atelier.painter.palette import contrasting
from momalisa.atelier.painter.scene import Scene
from momalisa.atelier.painter.shapes import crescent

SKIES: dict[str, tuple[str, ...]] = {
    "day": ("sky blue", "sky blue", "turquoise", "white", "cream"),
    "night": ("navy", "navy", "black", "blue", "purple"),
    "dawn": ("pink", "peach", "lavender"),
    "dusk": ("orange", "purple", "magenta", "red"),
}
LIGHTS = {"day": "yellow", "night": "white", "dawn": "yellow", "dusk": "yellow"}


def draw_time(rng: Random) -> str:
    """Draw a time of day, most often day or night."""
    return rng.choice(("day", "day", "day", "night", "night", "dawn", "dusk"))


def paint_light(scene: Scene, rng: Random, sky: str, time: str, y: float = 0.2) -> None:
    """Paint the sun, or at night the moon and stars."""
    x = rng.choice((0.22, 0.34, 0.66, 0.78))
    ink = LIGHTS[time]
    if time == "night":
        with scene.transform(x, y, 0.085):
            crescent(scene, ink) if rng.random() < 0.4 else scene.disc(ink, 0, 0, 1)
        for _ in range(7):
            scene.disc(ink, rng.random(), rng.uniform(0.03, 0.4), 0.009)
    else:
        sun = contrasting(sky, (ink, "red", "orange", "cream"))
        scene.disc(sun[0], x, y, rng.uniform(0.075, 0.11))


def paint_clouds(scene: Scene, rng: Random, ink: str) -> None:
    """Paint two small clouds."""
    for x, y in ((rng.uniform(0.1, 0.4), 0.14), (rng.uniform(0.6, 0.9), 0.26)):
        for dx, radius in ((-0.08, 0.04), (0, 0.06), (0.08, 0.045)):
            scene.disc(ink, x + dx, y, radius)
        scene.rect(ink, x - 0.08, y, x + 0.08, y + 0.045)


def paint_hills(scene: Scene, rng: Random, ink: str, horizon: float, rise: float) -> None:
    """Paint land below a wavy crest of amplitude `rise` around the horizon."""
    phase = rng.uniform(0, 6)
    crest = [(x / 6, horizon - rise * sin(x * 1.1 + phase)) for x in range(-1, 8)]
    scene.blob(ink, *crest, (1.4, 1.4), (-0.4, 1.4))


def paint_snow(scene: Scene, rng: Random) -> None:
    """Paint snowflakes all over the picture."""
    for _ in range(45):
        scene.disc("white", rng.random(), rng.random(), rng.choice((0.008, 0.012)))
