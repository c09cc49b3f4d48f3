"""Balanced positions for one to five equal things in a picture."""

from random import Random

Spot = tuple[float, float, float]


def spots(rng: Random, count: int) -> list[Spot]:
    """Draw (x, y, radius) of 1 to 5 things in the unit square: no overlap, inside the margins."""
    if count == 1:
        radius = rng.uniform(0.24, 0.36)
        slack = 0.42 - radius
        return [(0.5 + rng.uniform(-slack, slack), 0.5 + rng.uniform(-slack, slack), radius)]
    return rng.choice(_ARRANGEMENTS[count])


_ARRANGEMENTS: dict[int, list[list[Spot]]] = {
    2: [
        [(0.28, 0.5, 0.18), (0.72, 0.5, 0.18)],
        [(0.3, 0.3, 0.19), (0.7, 0.7, 0.19)],
        [(0.7, 0.3, 0.19), (0.3, 0.7, 0.19)],
        [(0.36, 0.36, 0.24), (0.76, 0.76, 0.13)],
    ],
    3: [
        [(0.2, 0.5, 0.13), (0.5, 0.5, 0.13), (0.8, 0.5, 0.13)],
        [(0.5, 0.28, 0.17), (0.27, 0.7, 0.17), (0.73, 0.7, 0.17)],
        [(0.22, 0.24, 0.14), (0.5, 0.5, 0.14), (0.78, 0.76, 0.14)],
        [(0.78, 0.24, 0.14), (0.5, 0.5, 0.14), (0.22, 0.76, 0.14)],
    ],
    4: [[(0.29, 0.29, 0.16), (0.71, 0.29, 0.16), (0.29, 0.71, 0.16), (0.71, 0.71, 0.16)]],
    5: [
        [
            (0.23, 0.23, 0.13),
            (0.77, 0.23, 0.13),
            (0.5, 0.5, 0.13),
            (0.23, 0.77, 0.13),
            (0.77, 0.77, 0.13),
        ]
    ],
}
