"""Even pacing: a leg is surveyed where it changes most, then its frames are placed at equal change.

The survey halves the gap between the two neighbouring pictures that differ most, again and again,
so that pictures gather where much happens. The perceived change along the leg is the sum of the
distances between neighbours.

Without mixed latents the frames are chosen among the surveyed pictures, of which there are at least
as many: a frame somewhere between two of them would be a guess. Where frames may come from mixed
latents, fewer pictures are surveyed, and others between them, which need decoding only, are
measured as well.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

Distance = Callable[[float, float], float]
"""The perceived change between the pictures at two places of a leg that were surveyed."""

SNAP = 0.15
"""A frame nearer than this share of a step to a surveyed place is moved there."""
CLOSEST = 1 / 512
"""Gaps of a leg smaller than this are not surveyed: the change across them is a jump."""

FINEST = CLOSEST / 8
"""Gaps are halved down to this where pictures come from mixed latents, or where surveyed ones
become frames: the change across a smaller one is a leap."""


@dataclass(frozen=True)
class Spot:
    """A place between two surveyed ones: 0 at `low`, 1 at `high`."""

    low: float
    high: float
    weight: float

    @property
    def t(self) -> float:
        """The place, if change between the two is uniform."""
        return self.low + self.weight * (self.high - self.low)

    def among(self, places: Sequence[float]) -> "Spot":
        """The same place, given between its neighbours among sorted `places`."""
        above = min(bisect_right(places, self.t), len(places) - 1)
        low, high = places[above - 1], places[above]
        return Spot(low, high, (self.t - low) / (high - low))


def middles_of_widest_gaps(
    places: Sequence[float], distance: Distance, count: int, closest: float = CLOSEST
) -> list[float]:
    """The middles of up to `count` gaps with the largest change across them, largest first."""
    gaps = [gap for gap in pairwise(places) if gap[1] - gap[0] > closest]
    gaps.sort(key=lambda gap: distance(*gap), reverse=True)
    return [(low + high) / 2.0 for low, high in gaps[:count]]


def middles_of_wide_gaps(places: Sequence[float], distance: Distance, frames: int) -> list[float]:
    """The middles of gaps with more change than between `frames` frames at equal change."""
    changes = [distance(low, high) for low, high in pairwise(places)]
    step = sum(changes) / (frames - 1)
    return [
        (low + high) / 2.0
        for (low, high), change in zip(pairwise(places), changes, strict=True)
        if change > step and high - low > FINEST
    ]


def most_even(places: Sequence[float], distance: Distance, count: int) -> list[float]:
    """Choose `count` of the places, both ends included, with change as equal as can be.

    Least is the sum of the squares of the changes. Where nothing changes at all, it is that of the
    distances of the places.
    """
    marks = np.cumsum([0.0, *_changes(places, distance)])
    squares = (marks - marks[:, None]) ** 2
    squares[np.tril_indices(len(marks))] = np.inf
    least = np.where(np.arange(len(marks)) == 0, 0.0, np.inf)
    before = []
    for _ in range(count - 1):
        sums = least[:, None] + squares
        before.append(sums.argmin(axis=0))
        least = sums.min(axis=0)
    chosen = [len(marks) - 1]
    for came_from in reversed(before):
        chosen.append(int(came_from[chosen[-1]]))
    return [places[index] for index in reversed(chosen)]


def largest_change(places: Sequence[float], distance: Distance, count: int) -> float:
    """The largest change in the most even choice of `count` places, in means."""
    marks = accumulate(_changes(places, distance), initial=0.0)
    at = dict(zip(places, marks, strict=True))
    changes = np.diff([at[place] for place in most_even(places, distance, count)])
    return float(changes.max() / changes.mean())


def _changes(places: Sequence[float], distance: Distance) -> list[float]:
    """The changes from place to place; without any change, how far the places are apart."""
    changes = [distance(low, high) for low, high in pairwise(places)]
    return changes if any(changes) else [high - low for low, high in pairwise(places)]


def spots_at_equal_change(
    places: Sequence[float], distance: Distance, frames: int, sampled: Sequence[float] = ()
) -> list[Spot]:
    """The spots of a leg's frames, both ends included, with equal change from one to the next.

    Where nothing changes at all, they are equally far apart. A spot close to one of the `sampled`
    places (default: all `places`) is moved onto it.
    """
    sharp = set(sampled or places)
    changes = _changes(places, distance)
    marks = [0.0, *accumulate(changes)]
    step = marks[-1] / (frames - 1)
    spots = []
    for number in range(frames):
        arc = min(step * number, marks[-1])
        gap = min(bisect_right(marks, arc) - 1, len(changes) - 1)
        weight = (arc - marks[gap]) / changes[gap] if changes[gap] else 0.0
        end = round(weight)
        # Sampled pictures are the sharpest.
        close = abs(weight - end) * changes[gap] < SNAP * step and places[gap + end] in sharp
        spots.append(Spot(places[gap], places[gap + 1], float(end) if close else weight))
    return spots
