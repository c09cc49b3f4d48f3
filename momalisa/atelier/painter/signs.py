"""The manner of naive signs: simple things on a plain ground, alone, repeated or in pairs."""

from random import Random

from momalisa.atelier.painter.facts import Arrangement, Group, Manner, Subject
from momalisa.atelier.painter.layout import spots
from momalisa.atelier.painter.motifs import THINGS
from momalisa.atelier.painter.palette import (
    Palette,
    choose_contrasting,
    contrasting,
    draw_any_palette,
)
from momalisa.atelier.painter.scene import Scene
from momalisa.atelier.painter.things import EVERYDAY_THINGS

_ALL = {**THINGS, **EVERYDAY_THINGS}
_NAMES = tuple(_ALL)

# The usual colours of a thing and of its details; used in half of the canvases if visible.
_USUAL: dict[str, tuple[tuple[str, str], ...]] = {
    "sun": (("yellow", "orange"), ("orange", "yellow")),
    "moon": (("yellow", "white"), ("white", "yellow")),
    "star": (("yellow", "white"), ("yellow", "orange")),
    "heart": (("red", "pink"), ("red", "white"), ("pink", "white")),
    "flower": (("red", "yellow"), ("pink", "yellow"), ("white", "yellow"), ("blue", "yellow")),
    "tree": (("green", "brown"), ("dark green", "brown")),
    "house": (("red", "brown"), ("white", "red"), ("yellow", "maroon"), ("blue", "white")),
    "boat": (("white", "brown"), ("white", "blue"), ("red", "black")),
    "apple": (("red", "white"), ("green", "white")),
    "pear": (("green", "white"), ("yellow", "white")),
    "mouth": (("red", "maroon"), ("pink", "maroon")),
    "guitar": (("brown", "black"), ("orange", "brown"), ("ochre", "black")),
    "cup": (("white", "brown"), ("blue", "brown"), ("red", "brown")),
    "cactus": (("green", "red"), ("dark green", "pink")),
    "lighthouse": (("white", "red"), ("white", "blue")),
    "bridge": (("red", "black"), ("grey", "black")),
    "chair": (("brown", "red"), ("yellow", "brown")),
    "window": (("white", "sky blue"), ("brown", "yellow")),
    "candle": (("white", "brown"), ("red", "ochre")),
    "cloud": (("white", "grey"),),
    "snowman": (("white", "red"), ("white", "blue")),
    "mushroom": (("red", "white"), ("brown", "cream")),
    "crown": (("yellow", "red"),),
    "sunflower": (("yellow", "brown"), ("yellow", "black")),
    "vase": (("blue", "red"), ("white", "pink")),
    "mountain": (("grey", "white"), ("blue", "white"), ("purple", "white")),
}
_IN_THE_SKY = ("sun", "moon", "star", "cloud", "rainbow", "kite", "hot air balloon", "rocket")


def accent_colour(rng: Random, palette: Palette, ink: str) -> str:
    """A colour for details that contrasts with the ink and, if possible, with the ground."""
    candidates = contrasting(ink, (*palette.inks, "white", "black", "yellow", "cream"))
    candidates = contrasting(palette.ground, candidates, 20) or candidates
    return candidates[0] if rng.random() < 0.8 else rng.choice(candidates)


def _draw_colours(rng: Random, name: str, palette: Palette, ink: str) -> tuple[str, str]:
    """Draw the colours of a thing and of its details: the usual ones or those of the palette."""
    usual = [pair for pair in _USUAL.get(name, ()) if contrasting(palette.ground, pair[:1], 30)]
    if usual and rng.random() < 0.5:
        return rng.choice(usual)
    return ink, accent_colour(rng, palette, ink)


def naive_sign(scene: Scene, rng: Random) -> Subject:
    """One to three equal simple things, or two different ones, on a plain ground."""
    palette = draw_any_palette(rng, 2)
    scene.cover(palette.ground)
    if rng.random() < 0.22:
        return _two_things(scene, rng, palette)
    name = rng.choice(_NAMES)
    count = rng.choice((1, 1, 1, 1, 1, 2, 3))
    ink, accent = _draw_colours(rng, name, palette, palette.inks[0])
    for x, y, radius in spots(rng, count):
        with scene.transform(x, y, radius):
            _ALL[name](scene, ink, accent)
    ink = "" if name == "rainbow" else ink
    return Subject(name, (palette.ground,), count, mood=palette.mood, ink=ink)


def _two_things(scene: Scene, rng: Random, palette: Palette) -> Subject:
    """Two different things, one beside the other, or one in the sky above the other."""
    above = rng.random() < 0.5
    second = rng.choice([name for name in _NAMES if name not in _IN_THE_SKY])
    firsts = [name for name in _NAMES if name != second and (name in _IN_THE_SKY) == above]
    first = rng.choice(firsts)
    side = "above" if above else rng.choice(("left of", "right of", "and"))
    places = {
        "above": ((0.5, 0.22, 0.17), (0.5, 0.7, 0.24)),
        "right of": ((0.73, 0.52, 0.2), (0.27, 0.52, 0.2)),
    }.get(side, ((0.27, 0.52, 0.2), (0.73, 0.52, 0.2)))
    groups = []
    for name, (x, y, radius) in zip((first, second), places, strict=True):
        other = choose_contrasting(rng, ("red", "blue", "green", "white", "black"), palette.ground)
        ink, accent = _draw_colours(rng, name, palette, rng.choice((palette.inks[0], other)))
        with scene.transform(x, y, radius):
            _ALL[name](scene, ink, accent)
        groups.append(Group(name, "" if name == "rainbow" else ink))
    arrangement = Arrangement(side, tuple(groups))
    return Subject(
        first,
        (palette.ground,),
        mood=palette.mood,
        ink=groups[0].colour,
        arrangement=arrangement,
    )


MANNERS = {"naive-sign": Manner(naive_sign, "paint")}
