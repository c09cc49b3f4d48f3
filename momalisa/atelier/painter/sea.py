"""Seascapes, calm or stormy, at any time of day."""

from math import pi, sin
from random import Random

from momalisa.atelier.painter.facts import Manner, Subject
from momalisa.atelier.painter.motifs import boat
from momalisa.atelier.painter.palette import contrasting
from momalisa.atelier.painter.scene import Point, Scene
from momalisa.atelier.painter.sky import LIGHTS, SKIES, draw_time, paint_light


def seascape(scene: Scene, rng: Random) -> Subject:
    """Sky and sea, calm or stormy, with sun or moon and up to three boats."""
    time, weather = draw_time(rng), rng.choice(("calm", "calm", "stormy", ""))
    sky = rng.choice(SKIES[time])
    if weather == "stormy":
        sky = rng.choice(
            ("navy", "black", "purple") if time == "night" else ("grey", "lavender", "olive")
        )
        time = time if time == "night" else ""
    seas = (
        ("navy", "teal", "blue", "black")
        if time == "night"
        else ("blue", "teal", "turquoise", "navy")
    )
    sea = rng.choice(contrasting(sky, seas, 16) or ["teal"])
    horizon = rng.uniform(0.42, 0.58)
    scene.cover(sky)
    if weather != "stormy" or time == "night":
        low = time in ("dawn", "dusk") and rng.random() < 0.6
        paint_light(scene, rng, sky, time or "day", horizon - 0.02 if low else 0.2)
    scene.rect(sea, -0.1, horizon, 1.1, 1.1)
    foam = "white" if sea != "turquoise" else "cream"
    if weather == "stormy":
        _breakers(scene, rng, sea, foam, horizon)
    else:
        _ripples(scene, rng, foam if rng.random() < 0.5 else LIGHTS[time], horizon)
    count = rng.choice((0, 0, 1, 1, 2, 3))
    sail = _fleet(scene, rng, count, sky, sea, horizon, weather == "stormy")
    motif, ink = ("boat", sail) if count else ("sea", sea)
    return Subject(motif, (sky, sea), max(count, 1), "sea", time, weather, ink=ink, sky=sky)


def _breakers(scene: Scene, rng: Random, sea: str, foam: str, horizon: float) -> None:
    """Three rows of steep waves with foam on their crests."""
    deep = "navy" if sea != "navy" else "blue"
    for row in range(3):
        y, amp, phase = horizon + 0.1 + 0.19 * row, 0.05 + 0.012 * row, rng.uniform(0, 6)
        crest: list[Point] = [
            (x / 12, y - amp * abs(sin(x * 0.26 * pi + phase)) ** 1.5 * 2) for x in range(-2, 15)
        ]
        scene.blob((deep, sea)[row % 2], *crest, (1.4, 1.4), (-0.4, 1.4))
        scene.curve(foam, 0.022, *crest)
    if rng.random() < 0.5:
        x = rng.uniform(0.25, 0.75)
        bolt = ((x, -0.02), (x - 0.06, 0.14), (x + 0.02, 0.16), (x - 0.06, 0.34))
        scene.line("yellow", 0.02, *bolt)


def _ripples(scene: Scene, rng: Random, ink: str, horizon: float) -> None:
    for row in range(4):
        y = horizon + 0.08 + 0.11 * row
        x, half = rng.uniform(0.15, 0.85), 0.05 + 0.03 * row
        scene.line(ink, 0.012, (x - half, y), (x + half, y))


def _fleet(
    scene: Scene, rng: Random, count: int, sky: str, sea: str, horizon: float, storm: bool
) -> str:
    """Paint boats on the horizon; returns the colour of their sails."""
    sails = [s for s in ("white", "red", "yellow", "cream", "orange") if s in contrasting(sky, [s])]
    hull = rng.choice(contrasting(sea, ("red", "brown", "white", "black", "maroon"), 30))
    sail = rng.choice(contrasting(sea, sails, 30) or ["red"])
    radius = {0: 0.0, 1: 0.2, 2: 0.15, 3: 0.12}[count]
    for i in range(count):
        x = (i + 0.5) / count + rng.uniform(-0.08, 0.08)
        with scene.transform(x, horizon + 0.02, radius, rng.choice((-14, 14)) if storm else 0):
            boat(scene, sail, hull)
    return sail


MANNERS = {"seascape": Manner(seascape, "brush")}
