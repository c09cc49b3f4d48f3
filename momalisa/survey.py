"""Even pacing: a leg is surveyed where it changes most, then its frames are placed at equal change.

The survey halves the widest gap between neighbouring pictures again and again, so that pictures
gather where much happens. Along it, perceived change is measured as a path is by its chords.
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


def widest_gaps(places: Sequence[float], distance: Distance, count: int) -> list[float]:
    """The middles of up to `count` gaps that change most, the widest first."""
    gaps = [gap for gap in pairwise(places) if gap[1] - gap[0] > CLOSEST]
    gaps.sort(key=lambda gap: distance(*gap), reverse=True)
    return [(low + high) / 2.0 for low, high in gaps[:count]]


def at_equal_change(places: Sequence[float], distance: Distance, frames: int) -> list[Spot]:
    """Where a leg's `frames` frames stand so that each changes as much as the next.

    Both ends among them. Where nothing changes at all, the places are equally far apart.
    """
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
        found.append(Spot(places[gap], places[gap + 1], _snapped(weight, changes[gap], step)))
    return found


def _snapped(weight: float, change: float, step: float) -> float:
    """A weight, or the end of its gap if that is close: surveyed pictures are the sharpest."""
    nearer = round(weight)
    return float(nearer) if abs(weight - nearer) * change < SNAP * step else weight
