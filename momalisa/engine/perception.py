"""Perceived distance between frames, and measures of a film: evenness, sharpness, ghosting.

The distance needs no download: it compares pictures in OKLab (Ottosson 2020), where equal
steps look about equally large, at four scales, so that a shape that moves counts, not only
the pixels along its edge.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Numbers = NDArray[np.float64]
Field = NDArray[np.float32]

SCALES = 4
LEAP = 2.0
"""A step larger than so many mean steps is a leap."""
MIX = 0.25
"""What may remain of a frame's edges beside the best mix of its neighbours', in their distance.

Measured on walks of Atelier with and without cross-fades: of the pixels themselves the best mix
leaves as little in a painted frame whose colours change, of the edges it does not.
"""
DIFFER = 0.02
"""Perceived distance from which on a frame's neighbours differ: about what an eye just sees."""
_ROUNDING = 2.0 / 12.0
"""The variance of an edge's levels by rounding: that of two pixels."""
MIX_SIDE = 256
"""Pixels of the longer side up to which mixes are sought at full size."""

_UNIT = np.arange(256, dtype=np.float32) / np.float32(255.0)
_LINEAR = np.where(_UNIT <= 0.04045, _UNIT / 12.92, ((_UNIT + 0.055) / 1.055) ** 2.4)
"""The light of each sRGB level."""
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    np.float32,
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ],
    np.float32,
)


def oklab(picture: Picture) -> Field:
    """OKLab of an sRGB picture (h, w, 3): lightness in [0, 1], two colour axes about ±0.4."""
    lab: Field = np.cbrt(_LINEAR.take(picture) @ _TO_CONES.T) @ _TO_LAB.T
    return lab


class Look:
    """What is measured of one picture, (h, w, 3), so that it is computed once."""

    def __init__(self, picture: Picture) -> None:
        self.lab, self.edges = oklab(picture), _edges(picture)

    @cached_property
    def sharpness(self) -> float:
        """The mean change of lightness from a pixel to its neighbours: 0 for a flat picture."""
        lightness = self.lab[..., 0]
        across, down = np.diff(lightness, axis=1), np.diff(lightness, axis=0)
        return float(np.abs(across).mean() + np.abs(down).mean())

    def distance(self, other: "Look") -> float:
        """The perceived change to another picture of the same shape, as `distance`."""
        return distance_in_oklab(self.lab, other.lab)


def distance(one: Picture, other: Picture) -> float:
    """Perceived change between two pictures of one shape: 0 for equal, 1 from black to white.

    The mean OKLab difference, averaged over the picture at its size, halved, and so on.
    """
    if one.shape != other.shape:
        raise ValueError(f"cannot compare pictures of {one.shape} and {other.shape}")
    return distance_in_oklab(oklab(one), oklab(other))


def distance_in_oklab(one: Field, other: Field) -> float:
    """The distance of two pictures (h, w, 3) that are in OKLab already, as `distance`."""
    change, total = one - other, 0.0
    for _ in range(SCALES):
        squares = change**2
        total += float(np.sqrt(squares[..., 0] + squares[..., 1] + squares[..., 2]).mean())
        change = _halved(change)
    return total / SCALES


def _halved(field: Field) -> Field:
    """Means of 2 × 2 pixels; a last odd row or column is left out. One pixel stays one."""
    high, wide = max(1, field.shape[0] // 2), max(1, field.shape[1] // 2)
    if min(field.shape[:2]) < 2:
        return field
    parts = [field[y : 2 * high : 2, x : 2 * wide : 2] for y in (0, 1) for x in (0, 1)]
    return (parts[0] + parts[1] + parts[2] + parts[3]) / np.float32(4.0)


def step_distances(frames: Iterable[Picture]) -> list[float]:
    """The distances between neighbouring frames, which have one shape."""
    return [distance_in_oklab(a, b) for a, b in pairwise(map(oklab, frames))]


def evenness(distances: Sequence[float]) -> float:
    """1 - the Gini coefficient of distances: 1 when all are equal, near 0 for a single jump."""
    ordered: Numbers = np.sort(np.asarray(distances, np.float64))
    if len(ordered) == 0 or ordered.sum() <= 0.0:
        return 1.0
    ranks = np.arange(1, len(ordered) + 1)
    gini = (2 * ranks - len(ordered) - 1) @ ordered / (len(ordered) * ordered.sum())
    return float(1.0 - gini)


def unevenness(distances: Sequence[float]) -> float:
    """The largest of distances in their mean: 1 when all are equal, or none is above zero."""
    values: Numbers = np.asarray(distances, np.float64)
    return float(values.max() / values.mean()) if values.any() else 1.0


def variation(distances: Sequence[float]) -> float:
    """The coefficient of variation of distances: 0 when all are equal, or none is above zero."""
    values: Numbers = np.asarray(distances, np.float64)
    return float(values.std() / values.mean()) if values.any() else 0.0


def leaps(distances: Sequence[float]) -> list[int]:
    """The indices of distances that are leaps: between frame i and frame i + 1."""
    mean = sum(distances) / max(len(distances), 1)
    return [index for index, step in enumerate(distances) if step > LEAP * mean]


def sharpness(picture: Picture) -> float:
    """The mean change of lightness from a pixel to its neighbours: 0 for a flat picture."""
    return Look(picture).sharpness


def relative_sharpness(frames: Iterable[Picture]) -> float:
    """The least sharp frame against the line between its two ends: under 1 where a walk blurs."""
    return least_sharpness([sharpness(frame) for frame in frames])


def least_sharpness(values: Sequence[float]) -> float:
    """The least of the frames' values against the line between those of both ends."""
    ends = np.linspace(values[0], values[-1], len(values))
    return float((np.asarray(values) / np.maximum(ends, 1e-9)).min())


def ghosting(frames: Iterable[Picture]) -> float:
    """The share of frames that are nearly a mix of their two neighbours, though these differ.

    Such a frame is a double exposure, two pictures through each other. The first and the last
    frame have no two neighbours and do not count. A cut has none, and equal frames have none.
    """
    found = [is_double_exposure(*three) for three in _threes(map(Look, frames))]
    return sum(found) / max(len(found), 1)


def _threes(looks: Iterable[Look]) -> Iterator[tuple[Look, Look, Look]]:
    """Each frame with its two neighbours, around it; at most three are held at a time."""
    last: deque[Look] = deque(maxlen=3)
    for look in looks:
        last.append(look)
        if len(last) == 3:
            yield last[0], last[1], last[2]


def is_double_exposure(before: Look, frame: Look, after: Look) -> bool:
    """Whether a frame is nearly a mix of its neighbours, which differ: it has the edges of both.

    The mix is a * before + (1 - a) * after, of sRGB levels as in a cross-fade, with the best `a`
    in [0, 1]. What remains of the edges has to be less than MIX of the neighbours' distance, and
    the frame farther than that from each of them: one that shows only one picture is no mix.
    What rounding to whole levels leaves is not counted, or it would hide a slow cross-fade.
    """
    one, both = frame.edges - before.edges, after.edges - before.edges
    square = float(both @ both)
    share = min(max(float(one @ both) / max(square, 1e-9), 0.0), 1.0)
    mix, first, last = (float(rest @ rest) for rest in (one - share * both, one, one - both))
    rounding = _ROUNDING * (1.0 + share**2 + (1.0 - share) ** 2) * len(both)
    is_mix = mix - rounding < MIX**2 * square <= min(first, last)
    return is_mix and before.distance(after) >= DIFFER  # which takes longer: last


def _edges(picture: Picture) -> Field:
    """The changes of levels from each pixel to the next, in a row.

    The picture is halved before until its longer side is at most MIX_SIDE.
    """
    field = picture.astype(np.float32)
    while max(field.shape[:2]) > MIX_SIDE and min(field.shape[:2]) > 1:
        field = _halved(field)
    return np.concatenate([np.diff(field, axis=axis).ravel() for axis in (0, 1)])


def directness(path: Sequence[float], straight: float) -> float:
    """How straight a path is: the distance between its ends in that of its steps.

    1 for a path without a detour; a film that does not move has 1 as well.
    """
    length = sum(path)
    return min(1.0, straight / length) if length > 0.0 else 1.0
