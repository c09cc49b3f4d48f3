"""Even pacing: a leg is surveyed where it changes most, then its frames are placed at equal change.

The survey halves the widest gap between neighbouring pictures again and again, so that pictures
gather where much happens. Along it, perceived change is measured as a path is by its chords.
Where frames will glide, what lies between two pictures is measured as well: it is but decoded.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

Distance = Callable[[float, float], float]
"""The perceived change between the pictures at two places of a leg that were surveyed."""

SNAP = 0.15
"""A frame that would stand nearer than this share of a step to a surveyed place stands there."""
CLOSEST = 1 / 512
"""Places nearer than this are not told apart: what happens between them is a jump."""

FINEST = CLOSEST / 8
"""Gaps between glided pictures are halved down to this."""


@dataclass(frozen=True)
class Spot:
    """A place between two surveyed ones: 0 at `low`, 1 at `high`."""

    low: float
    high: float
    weight: float

    @property
    def t(self) -> float:
        """The place itself, as if the way between the two were even."""
        return self.low + self.weight * (self.high - self.low)

    def among(self, places: Sequence[float]) -> "Spot":
        """The same place, between the two of some sorted places on both sides of it."""
        above = min(bisect_right(places, self.t), len(places) - 1)
        low, high = places[above - 1], places[above]
        return Spot(low, high, (self.t - low) / (high - low))


def widest_gaps(places: Sequence[float], distance: Distance, count: int) -> list[float]:
    """The middles of up to `count` gaps that change most, the widest first."""
    gaps = [gap for gap in pairwise(places) if gap[1] - gap[0] > CLOSEST]
    gaps.sort(key=lambda gap: distance(*gap), reverse=True)
    return [(low + high) / 2.0 for low, high in gaps[:count]]


def wide_gaps(places: Sequence[float], distance: Distance, frames: int) -> list[float]:
    """The middles of gaps that change by more than `frames` frames at equal change would."""
    changes = [distance(low, high) for low, high in pairwise(places)]
    step = sum(changes) / (frames - 1)
    return [
        (low + high) / 2.0
        for (low, high), change in zip(pairwise(places), changes, strict=True)
        if change > step and high - low > FINEST
    ]


def at_equal_change(
    places: Sequence[float], distance: Distance, frames: int, painted: Sequence[float] = ()
) -> list[Spot]:
    """Where a leg's `frames` frames stand so that each changes as much as the next.

    Both ends among them. Where nothing changes at all, the places are equally far apart. Frames
    that would stand close to one of the `painted` places (all, if none are named) stand there.
    """
    sharp = set(painted or places)
    changes = [distance(low, high) for low, high in pairwise(places)]
    if not any(changes):
        changes = [high - low for low, high in pairwise(places)]
    marks = [0.0, *accumulate(changes)]
    step = marks[-1] / (frames - 1)
    found = []
    for number in range(frames):
        arc = min(step * number, marks[-1])
        gap = min(bisect_right(marks, arc) - 1, len(changes) - 1)
        weight = (arc - marks[gap]) / changes[gap] if changes[gap] else 0.0
        end = round(weight)
        # Painted pictures are the sharpest.
        close = abs(weight - end) * changes[gap] < SNAP * step and places[gap + end] in sharp
        found.append(Spot(places[gap], places[gap + 1], float(end) if close else weight))
    return found
