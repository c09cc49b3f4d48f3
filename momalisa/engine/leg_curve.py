"""Where the frames of a leg lie, so that it changes evenly: a curve fitted from a few probes.

AID spaces its frames by a Beta distribution fitted to each pair. Here the gaps across which latents
change most are halved, as the survey of even pacing does, and the change is added up. A curve
depends on its leg alone, so that a frame is still a function of its place.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from torch import Tensor

from momalisa.engine.even_pacing import middles_of_widest_gaps
from momalisa.engine.shortcuts import PARTS, ROUNDS, UNIFORM

Curve = Callable[[float], float]
"""From a frame's share of the leg's change to where it lies on the leg, both 0 to 1."""
Probe = Callable[[Sequence[float]], Tensor]
"""Clean latents (n, c, h, w) at places of a leg, inside it."""


def fit_curve(ends: Tensor, probe: Probe) -> Curve:
    """The curve of a leg by which its latents change evenly, from those of its ends (2, c, h, w).

    It rises strictly from 0 to 1.
    """
    found = {0.0: ends[0], 1.0: ends[1]}

    def change(low: float, high: float) -> float:
        return measure_change(found[low], found[high])

    places = [part / PARTS for part in range(1, PARTS)]
    for count in (*ROUNDS, 0):
        found |= zip(places, probe(places), strict=True)
        places = middles_of_widest_gaps(sorted(found), change, count)
    probed = sorted(found)
    return curve_of_changes(probed, [change(*gap) for gap in pairwise(probed)])


def curve_of_changes(places: Sequence[float], changes: Sequence[float]) -> Curve:
    """The curve of a leg with changes between neighbouring places, both its ends among these.

    A small part of each change is the distance of the places, so that the curve rises everywhere.
    """
    apart, change = np.diff(places), np.array(changes)
    share = (1.0 - UNIFORM) / change.sum() if change.any() else 0.0
    change = share * change + UNIFORM * apart
    marks = np.concatenate([[0.0], np.cumsum(change)])

    def curve(t: float) -> float:
        return float(np.interp(t * marks[-1], marks, places))

    return curve


def measure_change(one: Tensor, other: Tensor) -> float:
    """How much latents (c, h, w) differ: the mean over their cells."""
    return float((one.double() - other.double()).norm(dim=0).mean())
