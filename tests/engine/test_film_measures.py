"""What is measured of a film goes from stop to stop, and around a closed walk."""

from typing import Any

import numpy as np
import pytest

from momalisa.engine.film_measures import measure_film
from momalisa.engine.perception import Picture, distance, ghosting, relative_sharpness
from momalisa.spec import WalkSpec

STOPS = [{"prompt": prompt} for prompt in ("a red square", "grey fog", "a busy city")]
LOOPS = {"once": [(0, 1, 2), (2, 3, 4)], "closed": [(0, 1, 2), (2, 3, 4), (4, 5, 0)]}
"""By loop: the frames of each leg."""


def walk(loop: str) -> tuple[WalkSpec, list[Picture]]:
    """A walk of three frames a leg, the third a mix of its neighbours."""
    spec = WalkSpec.model_validate({"stops": STOPS, "frames": 3, "loop": loop})
    random = np.random.default_rng(0)
    frames = [random.integers(0, 256, (32, 32, 3), np.uint8) for _ in spec.places()]
    frames[2] = ((frames[1].astype(float) + frames[3]) / 2).round().astype(np.uint8)
    return spec, frames


@pytest.mark.parametrize("loop", LOOPS)
def test_sharpness_is_that_of_each_leg_between_its_own_stops(loop: str) -> None:
    spec, frames = walk(loop)
    legs = [[frames[n] for n in leg] for leg in LOOPS[loop]]
    assert measure_film(spec, frames)["sharpness"] == min(map(relative_sharpness, legs))


@pytest.mark.parametrize("loop", LOOPS)
def test_directness_is_that_of_the_way_from_stop_to_stop(loop: str) -> None:
    spec, frames = walk(loop)
    straight = sum(distance(frames[first], frames[last]) for first, _, last in LOOPS[loop])
    measured = measure_film(spec, frames)
    assert len(measured["distances"]) == 2 * len(LOOPS[loop])
    assert measured["directness"] == pytest.approx(straight / sum(measured["distances"]))


@pytest.mark.parametrize("loop", LOOPS)
def test_double_exposures_are_sought_around_a_closed_walk(loop: str) -> None:
    spec, frames = walk(loop)
    around = frames[:2] if loop == "closed" else []
    assert measure_film(spec, frames)["ghosting"] == ghosting([*frames, *around])
    assert ghosting(frames) == pytest.approx(1 / (len(frames) - 2))


@pytest.mark.parametrize("loop", LOOPS)
def test_each_frame_is_looked_at_once(loop: str) -> None:
    class Film(list[Picture]):
        def __init__(self, frames: list[Picture]) -> None:
            super().__init__(frames)
            self.reads: list[int] = []

        def __getitem__(self, index: Any) -> Any:
            self.reads.append(index)
            return super().__getitem__(index)

    spec, frames = walk(loop)
    film = Film(frames)
    measure_film(spec, film)
    around = [0, 1] if loop == "closed" else []
    assert sorted(film.reads) == sorted([*range(len(frames)), *around])
