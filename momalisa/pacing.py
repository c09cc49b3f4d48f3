"""How a leg's frames are spread over it: functions from time `u` to place `t`, both in [0, 1].

Every pacing maps 0 to 0 and 1 to 1, is monotonic, and is symmetric about the middle. `even` is
measured while the walk is rendered (`engine/even_pacing.py`); here it is linear.
"""

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Curve = NDArray[np.float64]
PacingName = Literal["linear", "ease", "dense-middle", "even"]
PACINGS: tuple[PacingName, ...] = get_args(PacingName)


def linear(u: Curve) -> Curve:
    """Equal steps: t = u."""
    return u


def ease(u: Curve) -> Curve:
    """Small steps at both ends: the smoothstep t = 3u² - 2u³ (slope 0 at both ends)."""
    return u * u * (3.0 - 2.0 * u)


def dense_middle(u: Curve) -> Curve:
    """Small steps in the middle: the cubic t = ½ + 4(u - ½)³ (slope 0 at ½, 3 at the ends)."""
    return 0.5 + 4.0 * (u - 0.5) ** 3


CURVES: dict[PacingName, Callable[[Curve], Curve]] = {
    "linear": linear,
    "ease": ease,
    "dense-middle": dense_middle,
    "even": linear,
}


def spread(pacing: PacingName, frames: int, strength: float = 1.0) -> Curve:
    """Return the places `t` of a leg's frames, both ends included.

    `strength` in [0, 1] mixes the curve with equal steps: 0 is `linear`, 1 the pure curve.
    Shape (frames,); raises ValueError for fewer than 2 frames or a strength outside [0, 1].
    """
    if frames < 2:
        raise ValueError(f"a leg needs both its ends: at least 2 frames, not {frames}")
    if not 0.0 <= strength <= 1.0:
        raise ValueError(f"strength lies between 0 and 1, not at {strength}")
    u = np.linspace(0.0, 1.0, frames)
    places = (1.0 - strength) * u + strength * CURVES[pacing](u)
    places[0], places[-1] = 0.0, 1.0
    return places
