"""Certainty between a walk's ends: which frames count, and how two ways are compared."""

from itertools import pairwise

import pytest

from tests.bench.certainty import compare, mean_halfway, mean_in_middle, mean_of_cut


def distances(film: list[float]) -> list[float]:
    return [abs(b - a) for a, b in pairwise(film)]


def test_frames_count_by_their_share_of_the_way_not_by_their_number() -> None:
    """A film that lingers at its first picture, and is halfway in one frame."""
    film, values = [0.0, 0.01, 0.02, 0.03, 0.5, 1.0], [1.0, 1.0, 1.0, 1.0, 0.2, 1.0]
    assert mean_halfway(values, distances(film)) == pytest.approx(0.2)
    assert mean_in_middle(values) == 1.0


def test_in_an_even_film_they_are_the_middle_third() -> None:
    values = [n**2 / 100 for n in range(10)]
    assert mean_halfway(values, [1.0] * 9) == mean_in_middle(values) == pytest.approx(0.215)


def test_a_film_that_leaps_over_the_middle_has_none_there() -> None:
    film = [0.0, 0.1, 0.2, 0.8, 0.9, 1.0]
    assert mean_halfway([1.0] * 6, distances(film)) is None


@pytest.mark.parametrize("frames", [2, 6, 24])
def test_a_film_that_cuts_is_as_certain_as_its_ends(frames: int) -> None:
    assert mean_of_cut([0.9, *[0.1] * (frames - 2), 0.7]) == pytest.approx(0.8)


def test_ways_are_compared_on_the_pairs_that_both_have() -> None:
    ones, others = [0.9, 0.8, 0.7, None, 0.1, 0.3], [0.5, 0.6, 0.8, 0.1, None, 0.3]
    more, both, chance = compare(ones, others)
    assert (more, both) == (2, 4)
    assert chance == 1.0  # two of three
    assert compare([1.0] * 6, [0.0] * 6)[2] == pytest.approx(2 / 64)
