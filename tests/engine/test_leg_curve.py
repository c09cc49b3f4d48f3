"""Laws of the curve by which a leg's frames change evenly."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor

from momalisa.engine.leg_curve import curve_of_changes, fit_curve
from momalisa.engine.shortcuts import PROBES


def leap_at(center: float, width: float, t: float) -> Tensor:
    """Latents (1, 2, 2) that change from 0 to 1 around a place."""
    return torch.full((1, 2, 2), 0.5 + 0.5 * np.tanh((t - center) / width))


@pytest.mark.parametrize("center", [0.2, 0.5, 0.83])
@pytest.mark.parametrize("width", [0.3, 0.01])
def test_frames_on_the_curve_change_evenly(center: float, width: float) -> None:
    asked: list[float] = []

    def probe(places: Sequence[float]) -> Tensor:
        asked.extend(places)
        return torch.stack([leap_at(center, width, t) for t in places])

    ends = torch.stack([leap_at(center, width, t) for t in (0.0, 1.0)])
    curve, found = fit_curve(ends, probe)
    lies = [curve(t) for t in np.linspace(0.0, 1.0, 24)]
    steps = np.diff([float(leap_at(center, width, t).mean()) for t in lies])
    assert steps.max() < 2.0 * steps.mean()
    assert len(set(asked)) == PROBES
    assert [curve(share) for share in found] == pytest.approx([0.0, *sorted(asked), 1.0])
    for share, latents in found.items():
        assert torch.allclose(latents, leap_at(center, width, curve(share)))
    assert (lies[0], lies[-1]) == (0.0, 1.0)
    assert all(high > low for low, high in pairwise(lies))


def test_where_nothing_changes_frames_are_equally_far_apart() -> None:
    curve = curve_of_changes([0.0, 0.25, 1.0], [0.0, 0.0])
    for t in (0.0, 0.1, 0.5, 1.0):
        assert curve(t) == pytest.approx(t)


def test_where_a_part_of_a_leg_does_not_change_the_curve_still_rises() -> None:
    curve = curve_of_changes([0.0, 0.5, 1.0], [0.0, 1.0])
    lies = [curve(t) for t in np.linspace(0.0, 1.0, 101)]
    assert all(high > low for low, high in pairwise(lies))
    assert curve(0.02) > 0.4
