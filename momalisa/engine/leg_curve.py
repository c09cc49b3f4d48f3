"""Where the frames of a leg lie, so that it changes evenly: a curve fitted from a few probes.

AID spaces its frames by a Beta distribution fitted to each pair. Here the gaps across which latents
change most are halved, as the survey of even pacing does, and the change is added up. A curve
depends on its leg alone, so that a frame is still a function of its place.

The fewer gaps are halved at a time, the more probes lie where much happens (trials:
`tests/bench/README.md`). Batches of four are shared out evenly to two and to four cores.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from momalisa.engine.even_pacing import middles_of_widest_gaps
from momalisa.engine.shortcuts import PARTS, ROUNDS, UNIFORM

Probe = Callable[[Sequence[float]], Tensor]
"""Clean latents (n, c, h, w) at places of a leg, inside it."""


@dataclass(frozen=True)
class Curve:
    """From a frame's share of the leg's change to where it lies on the leg, both 0 to 1."""

    places: Sequence[float]
    """Sorted, both ends among them."""
    marks: NDArray[np.float64]
    """The change up to each, from 0; it rises strictly."""

    def __call__(self, share: float) -> float:
        """Where a frame lies."""
        return float(np.interp(share * self.marks[-1], self.marks, self.places))

    @property
    def shares(self) -> list[float]:
        """The shares of the change whose frames lie at the places."""
        return [float(share) for share in self.marks / self.marks[-1]]


def fit_curve(ends: Tensor, probe: Probe) -> tuple[Curve, dict[float, Tensor]]:
    """The curve of a leg by which its latents change evenly, from those of its ends (2, c, h, w).

    With it come the latents that it was fitted from, by their shares of the change.
    """
    found = {0.0: ends[0], 1.0: ends[1]}

    def change(low: float, high: float) -> float:
        return measure_change(found[low], found[high])

    places = [part / PARTS for part in range(1, PARTS)]
    for count in (*ROUNDS, 0):
        found |= zip(places, probe(places), strict=True)
        places = middles_of_widest_gaps(sorted(found), change, count)
    probed = sorted(found)
    curve = curve_of_changes(probed, [change(*gap) for gap in pairwise(probed)])
    latents = (found[place] for place in probed)
    return curve, dict(zip(curve.shares, latents, strict=True))


def curve_of_changes(places: Sequence[float], changes: Sequence[float]) -> Curve:
    """The curve of a leg with changes between neighbouring places, both its ends among these.

    A small part of each change is the distance of the places, so that the curve rises everywhere.
    """
    apart, change = np.diff(places), np.array(changes)
    share = (1.0 - UNIFORM) / change.sum() if change.any() else 0.0
    change = share * change + UNIFORM * apart
    return Curve(places, np.concatenate([[0.0], np.cumsum(change)]))


def measure_change(one: Tensor, other: Tensor) -> float:
    """How much latents (c, h, w) differ: the mean over their cells."""
    return float((one.double() - other.double()).norm(dim=0).mean())
