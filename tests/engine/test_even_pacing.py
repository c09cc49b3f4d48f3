"""Laws of even pacing: it surveys where change is largest, and places frames at equal change."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from momalisa.engine.even_pacing import (
    CLOSEST,
    SNAP,
    largest_change,
    middles_of_wide_gaps,
    middles_of_widest_gaps,
    most_even,
    spots_at_equal_change,
)


def jump(low: float, high: float) -> float:
    """A leg that hardly changes but for its second quarter."""
    return float(np.interp(high, *PROFILE) - np.interp(low, *PROFILE))


PROFILE = ([0.0, 0.25, 0.5, 1.0], [0.0, 0.05, 0.95, 1.0])


def surveyed(size: int) -> list[float]:
    places = [0.0, 1.0]
    while len(places) < size:
        places = sorted([*places, *middles_of_widest_gaps(places, jump, 1)])
    return places


def test_a_survey_is_densest_where_change_is_largest() -> None:
    places = surveyed(17)
    assert sum(0.25 <= place <= 0.5 for place in places) >= 11


@given(st.integers(2, 60), st.integers(3, 40))
def test_spots_include_both_ends_and_never_go_back(frames: int, size: int) -> None:
    spots = [spot.t for spot in spots_at_equal_change(surveyed(size), jump, frames)]
    assert (spots[0], spots[-1], len(spots)) == (0.0, 1.0, frames)
    assert all(a <= b for a, b in pairwise(spots))


@pytest.mark.parametrize("frames", [5, 16, 23])
def test_steps_change_equally(frames: int) -> None:
    spots = [spot.t for spot in spots_at_equal_change(surveyed(24), jump, frames)]
    steps = [jump(a, b) for a, b in pairwise(spots)]
    assert max(steps) <= (1 + 2 * SNAP) * np.mean(steps) + 1e-9


def test_spots_snap_to_sampled_places_only() -> None:
    painted = [0.0, 0.5, 1.0]
    marks = sorted([*painted, 0.05, 0.26, 0.49])
    spots = spots_at_equal_change(marks, lambda low, high: high - low, 5, painted)
    assert [spot.t for spot in spots] == pytest.approx([0.0, 0.25, 0.5, 0.75, 1.0])


@given(st.integers(2, 60), st.integers(3, 40))
def test_a_spot_among_fewer_places_is_the_same_place(frames: int, size: int) -> None:
    places, marks = surveyed(size), surveyed(2 * size)
    for spot in spots_at_equal_change(marks, jump, frames):
        among = spot.among(places)
        assert among.t == pytest.approx(spot.t)
        assert 0.0 <= among.weight <= 1.0
        assert among.low in places
        assert among.high in places


def test_wide_gaps_are_halved_until_each_frame_has_one() -> None:
    marks = surveyed(4)
    while middles := middles_of_wide_gaps(marks, jump, 16):
        marks = sorted([*marks, *middles])
    assert max(jump(a, b) for a, b in pairwise(marks)) <= 1 / 15


def test_where_nothing_changes_places_are_equally_far_apart() -> None:
    spots = [spot.t for spot in spots_at_equal_change([0.0, 0.5, 1.0], lambda _low, _high: 0.0, 5)]
    assert spots == [0.0, 0.25, 0.5, 0.75, 1.0]


def test_surveying_a_jump_ends() -> None:
    def cut(low: float, high: float) -> float:
        return float(low < 0.3 <= high)

    places = [0.0, 1.0]
    while middles := middles_of_widest_gaps(places, cut, 1):
        places = sorted([*places, *middles])
        if len(places) > 2000:
            break
    assert min(b - a for a, b in pairwise(places)) >= CLOSEST / 2


@given(st.integers(2, 40), st.integers(0, 30))
def test_the_most_even_choice_has_both_ends_and_keeps_the_order(count: int, more: int) -> None:
    places = surveyed(count + more)
    chosen = most_even(places, jump, count)
    assert len(chosen) == count == len(set(chosen))
    assert (chosen[0], chosen[-1]) == (0.0, 1.0)
    assert chosen == sorted(chosen)
    assert set(chosen) <= set(places)


def test_the_most_even_choice_of_many_is_even() -> None:
    chosen = most_even(surveyed(48), jump, 24)
    steps = [jump(a, b) for a, b in pairwise(chosen)]
    assert max(steps) <= 1.4 * np.mean(steps)
    assert largest_change(surveyed(48), jump, 24) == pytest.approx(max(steps) / np.mean(steps))
    assert largest_change([0.0, 0.25, 0.5, 1.0], jump, 4) == pytest.approx(0.9 * 3)


def test_the_most_even_choice_without_change_is_equally_far_apart() -> None:
    places = [n / 16 for n in range(17)]
    assert most_even(places, lambda _low, _high: 0.0, 5) == [0.0, 0.25, 0.5, 0.75, 1.0]
