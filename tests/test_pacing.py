"""Properties of the pacing curves."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from momalisa.pacing import PACINGS, PacingName, spread

pacings = st.sampled_from(PACINGS)
counts = st.integers(2, 300)
strengths = st.floats(0.0, 1.0)


@given(pacings, counts, strengths)
def test_both_ends_are_fixed(pacing: PacingName, frames: int, strength: float) -> None:
    places = spread(pacing, frames, strength)
    assert (places[0], places[-1], len(places)) == (0.0, 1.0, frames)


@given(pacings, counts, strengths)
def test_never_stands_still_or_goes_back(pacing: PacingName, frames: int, strength: float) -> None:
    assert (np.diff(spread(pacing, frames, strength)) > 0).all()


@given(pacings, counts, strengths)
def test_symmetric_about_the_middle(pacing: PacingName, frames: int, strength: float) -> None:
    places = spread(pacing, frames, strength)
    np.testing.assert_allclose(places, 1.0 - places[::-1], atol=1e-12)


@given(counts)
def test_linear_steps_are_equal(frames: int) -> None:
    np.testing.assert_allclose(np.diff(spread("linear", frames)), 1.0 / (frames - 1))


@given(st.integers(4, 300), st.floats(0.05, 1.0))
def test_ease_steps_grow_towards_the_middle(frames: int, strength: float) -> None:
    steps = np.diff(spread("ease", frames, strength))[: frames // 2]
    assert (np.diff(steps) > 0).all()


@given(st.integers(4, 300), st.floats(0.05, 1.0))
def test_dense_middle_steps_shrink_towards_the_middle(frames: int, strength: float) -> None:
    steps = np.diff(spread("dense-middle", frames, strength))[: frames // 2]
    assert (np.diff(steps) < 0).all()


@given(pacings, counts)
def test_without_strength_every_pacing_is_linear(pacing: PacingName, frames: int) -> None:
    np.testing.assert_allclose(spread(pacing, frames, 0.0), spread("linear", frames), atol=1e-12)


@pytest.mark.parametrize(("frames", "strength"), [(1, 0.5), (0, 0.5), (5, -0.1), (5, 1.1)])
def test_out_of_range_is_refused(frames: int, strength: float) -> None:
    with pytest.raises(ValueError, match=r"frames|strength"):
        spread("linear", frames, strength)
