"""Named colours, and palettes of contrasting colours."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache
from math import hypot
from random import Random

import cv2
import numpy as np

COLOURS: dict[str, tuple[int, int, int]] = {
    "black": (22, 21, 24),
    "white": (246, 245, 241),
    "grey": (140, 141, 144),
    "cream": (243, 229, 199),
    "red": (211, 33, 36),
    "maroon": (116, 18, 38),
    "orange": (243, 126, 28),
    "peach": (247, 190, 154),
    "yellow": (250, 208, 40),
    "ochre": (196, 145, 62),
    "brown": (108, 68, 40),
    "olive": (118, 122, 56),
    "green": (40, 146, 70),
    "dark green": (20, 78, 54),
    "turquoise": (72, 196, 196),
    "teal": (18, 112, 122),
    "sky blue": (142, 200, 238),
    "blue": (32, 78, 186),
    "navy": (22, 30, 84),
    "purple": (108, 44, 138),
    "lavender": (186, 164, 224),
    "magenta": (208, 34, 126),
    "pink": (242, 146, 176),
}

# Below this CIELAB distance two colours side by side are hard to tell apart at 64 px.
CONTRAST = 34.0
# The least distance between two inks of a picture: they may be closer than ink and ground.
INK_CONTRAST = 24.0
# Factor for two very dark colours, whose difference CIELAB overestimates.
_DARK_PAIR = 1.5


@dataclass(frozen=True)
class Palette:
    """A ground, inks that contrast with it, and their mood ("" for none)."""

    ground: str
    inks: tuple[str, ...]
    mood: str = ""


@dataclass(frozen=True)
class Theme:
    """Colours that go together; the first `grounds` of them may be the ground."""

    colours: tuple[str, ...]
    grounds: int
    mood: str = ""


THEMES: tuple[Theme, ...] = (
    Theme(("white", "cream", "red", "blue", "yellow", "black"), 2),
    Theme(("white", "red", "black", "yellow", "blue"), 5),
    Theme(("black", "white", "grey"), 3),
    Theme(("red", "black", "white", "cream"), 4),
    Theme(("cream", "ochre", "brown", "olive", "maroon", "black"), 5),
    Theme(("dark green", "green", "olive", "cream", "yellow", "ochre"), 5),
    Theme(("navy", "purple", "magenta", "turquoise", "yellow"), 4),
    Theme(("teal", "orange", "cream", "navy", "yellow"), 4),
    Theme(("white", "green", "blue", "orange", "black"), 4),
    Theme(("blue", "navy", "grey", "black", "sky blue"), 3, "sad"),
    Theme(("grey", "navy", "black", "lavender", "teal"), 3, "sad"),
    Theme(("yellow", "orange", "pink", "turquoise", "red", "white", "green"), 5, "joyful"),
    Theme(("pink", "yellow", "turquoise", "orange", "white", "magenta"), 3, "joyful"),
    Theme(("red", "black", "maroon", "orange", "white"), 3, "violent"),
    Theme(("cream", "sky blue", "turquoise", "white", "teal", "lavender"), 4, "calm"),
    Theme(("sky blue", "white", "blue", "teal", "cream"), 3, "calm"),
    Theme(("pink", "peach", "cream", "lavender", "maroon", "magenta"), 4, "tender"),
    Theme(("orange", "red", "yellow", "maroon", "peach"), 4, "warm"),
    Theme(("white", "sky blue", "blue", "navy", "grey"), 3, "cold"),
)


@lru_cache(maxsize=1)
def _lab() -> dict[str, tuple[float, float, float]]:
    rgb = np.array([list(COLOURS.values())], np.float32) / 255
    lab = cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[0]
    return {
        name: (float(row[0]), float(row[1]), float(row[2]))
        for name, row in zip(COLOURS, lab, strict=True)
    }


@cache
def distance(a: str, b: str) -> float:
    """CIELAB distance between two named colours (0 to about 150)."""
    p, q = _lab()[a], _lab()[b]
    return hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2])


def lightness(name: str) -> float:
    """CIELAB lightness of a named colour, 0 (black) to 100 (white)."""
    return _lab()[name][0]


def contrasting(ground: str, among: Iterable[str], contrast: float = CONTRAST) -> list[str]:
    """The colours of `among` at a CIELAB distance of `contrast` or more from `ground`."""
    return [
        name
        for name in among
        if distance(ground, name) >= contrast * (_DARK_PAIR if _both_dark(ground, name) else 1)
    ]


def _both_dark(a: str, b: str) -> bool:
    return max(lightness(a), lightness(b)) < 31


def choose_contrasting(rng: Random, among: Iterable[str], *backs: str) -> str:
    """Draw a colour that contrasts with as many of the backgrounds as possible."""
    candidates = list(among)
    for back in backs:
        candidates = contrasting(back, candidates, 30) or candidates
    return rng.choice(candidates)


def _choose_inks(rng: Random, candidates: list[str], count: int) -> tuple[str, ...]:
    """Draw at most `count` colours that differ by INK_CONTRAST from each other."""
    rng.shuffle(candidates)
    inks: list[str] = []
    for name in candidates:
        if len(inks) < count and all(distance(name, ink) >= INK_CONTRAST for ink in inks):
            inks.append(name)
    return tuple(inks)


def draw_palette(rng: Random, inks: int = 3, ground: str = "") -> Palette:
    """Draw a palette of one theme, with 1 to `inks` inks that contrast with the ground."""
    themes = [theme for theme in THEMES if not ground or ground in theme.colours]
    theme = rng.choice(themes or THEMES)
    ground = ground or rng.choice(theme.colours[: theme.grounds])
    candidates = contrasting(ground, theme.colours) or contrasting(ground, COLOURS)
    return Palette(ground, _choose_inks(rng, candidates, inks), theme.mood)


def draw_free_palette(rng: Random, inks: int = 1) -> Palette:
    """Draw any contrasting colours; half of the grounds are white, cream or black."""
    plain = rng.random() < 0.5
    ground = rng.choice(("white", "white", "cream", "black") if plain else tuple(COLOURS))
    return Palette(ground, _choose_inks(rng, contrasting(ground, COLOURS, 42.0), inks))


def draw_any_palette(rng: Random, inks: int = 3) -> Palette:
    """Draw a themed palette with probability 0.6, otherwise a free one."""
    return draw_palette(rng, inks) if rng.random() < 0.6 else draw_free_palette(rng, inks)
