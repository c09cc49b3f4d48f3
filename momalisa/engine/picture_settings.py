"""Constants of legs that begin or end at a picture. Imports no torch.

All of them were chosen by looking at films, and by `python -m tests.bench.works`.
"""

import math
from typing import Literal

Way = Literal["both", "inversion", "strength"]
"""How frames lead from a picture: by its inverted noise alone, sampled whole; by latents noised to
a rising level, with the noise of the stop's seed; or by both, a rising level of inverted noise."""
WAY: Way = "both"
"""The better one for small models and flows: the first way does not lead back to most works, the
second turns grey on its way."""
ITERATIONS = 4
"""Fixed-point iterations at each step of an inversion."""
TREATMENT = "flat spectrum, neighbours apart"
"""What is done to inverted noise besides giving it mean 0 and variance 1."""
RISE = 1.2
"""How slowly the level of noise begins to rise beside a picture; with 1 the first step of some
films was twice the mean."""
PEAK = 0.8
"""Between two pictures: the highest level of noise, as a share of a quarter turn from the clean
latents to noise alone. With 1 the middle would know of neither."""
CROSSING = 0.45
"""Between two pictures: the share of the leg, in its middle, over which the latents under the noise
change from one to the other. Outside it there is less noise, and both would be seen."""
GUIDED_FROM = 0.4
"""The level of noise, as a share of a quarter turn, from which on a frame reads the tokens of both
ends of its leg."""
FADE = 0.25
"""The share of a leg over which what the autoencoder loses of a picture fades out."""
OCTAVES = 5
"""Parts of that, from the finest to all that is coarser, which fade one after another."""
OVERLAP = 1.3
"""How long an octave fades, in the time from one octave's beginning to the next one's."""
LIKENESS = 24.0
"""Levels by which a frame may differ, around a pixel, from the picture as the autoencoder gives it
back, until two thirds of what it lost there are gone: details of one picture never lie on another.
"""
AROUND = 1 / 24
"""The side of that surrounding, as a share of the frame's."""

TEXTS_ALONE = "On legs from or to a picture “{}” mixes the texts as lerp does."
"""Said of the interpolations that mix what the model makes of two prompts."""
_MODEL_MIXES = ("attention", "predictions")

PICTURES = (ITERATIONS, TREATMENT, RISE, PEAK, CROSSING, FADE, OCTAVES, OVERLAP, LIKENESS, AROUND)
"""What the pixels of such legs depend on besides the spec: part of a frame's key."""

GUIDED = (GUIDED_FROM, "statistics")
"""What they depend on besides at a place that is no stop."""


def level_of_noise(t: float, *, start: bool, end: bool) -> float:
    """The share of a quarter turn from clean latents to noise at `t`.

    `start` and `end` say which ends of the leg are pictures, at least one of which is. It rises
    fast where it begins and slowly to its end, since the last bit of a picture that remains under
    much noise decides on most.
    """
    if start and end:
        return PEAK * _rise(1.0 - abs(2.0 * t - 1.0))
    return _rise(t if start else 1.0 - t)


def _rise(u: float) -> float:
    return 1.0 - (1.0 - math.pow(u, RISE)) ** 2


def share_of_end(t: float) -> float:
    """Between two pictures: the share of the end's latents in those under the noise."""
    u = min(1.0, max(0.0, (t - 0.5) / CROSSING + 0.5))
    return u * u * (3.0 - 2.0 * u)


def remaining_detail(distance: float) -> tuple[float, ...]:
    """How much of what the autoencoder lost is shown at a distance (in t) from the picture.

    For each octave, the finest first, which goes first. A fade of all at once would be a cross-fade
    of two pictures.
    """
    part = distance / FADE * (OCTAVES - 1 + OVERLAP)
    shares = (min(1.0, max(0.0, (part - octave) / OVERLAP)) for octave in range(OCTAVES))
    return tuple(1.0 - u * u * (3.0 - 2.0 * u) for u in shares)


def describe_interpolation(interpolation: str, *, has_picture: bool) -> str:
    """What a walk with a picture among its stops makes of an interpolation; empty if all of it."""
    told = has_picture and interpolation in _MODEL_MIXES
    return TEXTS_ALONE.format(interpolation) if told else ""
