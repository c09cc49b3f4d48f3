"""Laws of perceived change, evenness, sharpness, double exposures and directness."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from momalisa.engine import perception
from momalisa.engine.perception import Picture

RNG = np.random.default_rng(0)


def noise(size: int = 32) -> Picture:
    return RNG.integers(0, 256, (size, size, 3), np.uint8)


def plain(level: int) -> Picture:
    return np.full((32, 32, 3), level, np.uint8)


def test_distance_is_a_metric() -> None:
    a, b, c = noise(), noise(), noise()
    assert perception.distance(a, a) == 0.0
    assert perception.distance(a, b) == perception.distance(b, a) > 0.0
    assert perception.distance(a, c) <= perception.distance(a, b) + perception.distance(b, c)


def test_black_to_white_is_one() -> None:
    assert perception.distance(plain(0), plain(255)) == pytest.approx(1.0, abs=1e-3)


def test_distance_grows_as_a_shape_moves_further() -> None:
    def square(x: int) -> Picture:
        picture = plain(255)
        picture[8:24, x : x + 12] = 0
        return picture

    assert perception.distance(square(2), square(4)) < perception.distance(square(2), square(12))


def test_noise_changes_less_than_a_new_colour() -> None:
    grey = plain(128)
    noisy = (grey + RNG.integers(-12, 13, grey.shape)).astype(np.uint8)
    assert perception.distance(grey, noisy) < perception.distance(grey, plain(170))


def test_one_pixel_and_odd_sizes_are_compared() -> None:
    assert perception.distance(noise(1), noise(1)) > 0.0
    assert perception.distance(noise(7), noise(7)) > 0.0


def test_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(32, 32, 3\)"):
        perception.distance(noise(32), noise(16))


@given(st.lists(st.floats(0.001, 10.0), min_size=1, max_size=50), st.floats(0.1, 10.0))
def test_evenness_lies_in_its_range_and_has_no_unit(steps: list[float], unit: float) -> None:
    value = perception.evenness(steps)
    assert 0.0 < value <= 1.0 + 1e-9
    assert perception.evenness([unit * step for step in steps]) == pytest.approx(value)


def test_evenness_of_equal_steps_and_of_a_jump() -> None:
    assert perception.evenness([0.2] * 9) == pytest.approx(1.0)
    assert perception.evenness([0.0] * 99 + [1.0]) == pytest.approx(0.01)


def test_the_largest_step_and_the_variation_have_no_unit() -> None:
    assert perception.unevenness([0.1, 0.3]) == pytest.approx(1.5)
    assert perception.variation([0.1, 0.3]) == pytest.approx(0.5)
    for still in ([0.2, 0.2, 0.2], [0.0, 0.0], []):
        assert perception.unevenness(still) == pytest.approx(1.0)
        assert perception.variation(still) == pytest.approx(0.0)


def test_a_blurred_middle_lowers_relative_sharpness() -> None:
    sharp = noise()
    soft = plain(128)
    assert perception.sharpness(soft) == 0.0
    assert perception.relative_sharpness([sharp, soft, sharp]) == 0.0
    assert perception.relative_sharpness([sharp, sharp, sharp]) == pytest.approx(1.0)


def test_a_leap_is_far_above_the_mean_step() -> None:
    assert (
        perception.leaps([]) == perception.leaps([0.0, 0.0]) == perception.leaps([1.0, 2.0]) == []
    )
    assert perception.leaps([0.1, 0.9, 0.1, 0.1, 0.1]) == [1]


def cross_fade(one: Picture, other: Picture, count: int = 9) -> list[Picture]:
    shares = np.linspace(0.0, 1.0, count)
    return [
        (one + share * (other - one.astype(float))).round().astype(np.uint8) for share in shares
    ]


def scene(x: int, size: int = 64) -> Picture:
    """A hard-edged square on stripes, `x` pixels to the right."""
    picture = np.full((size, size, 3), (20, 60, 160), np.uint8)
    picture[:: size // 8] = 200
    side = size // 4
    picture[side : 2 * side, x : x + side] = (240, 220, 30)
    return picture


@pytest.mark.parametrize("size", [32, 64, 600])
def test_a_cross_fade_is_all_double_exposures(size: int) -> None:
    one, other = scene(2, size), scene(size // 2, size)[:, ::-1] // 2 + 90
    assert perception.ghosting(cross_fade(one, other, 5)) == 1.0


def test_a_slow_cross_fade_of_plain_fields_is_all_double_exposures() -> None:
    """Rounding to whole levels was taken for edges of the frame's own."""
    one, other = (RNG.integers(30, 34, (256, 256, 3), np.uint8) for _ in range(2))
    one[:, :128] += 180
    other[:128] += 180
    assert perception.ghosting(cross_fade(one, other, 24)) == 1.0


def test_one_frame_of_two_pictures_is_one_double_exposure() -> None:
    one, other = scene(2), 255 - scene(40)
    film = [one, one, *cross_fade(one, other, 3)[1:], other]
    assert perception.ghosting(film) == 1 / 3


@pytest.mark.parametrize("step", [1, 2, 5, 12])
def test_a_shape_that_moves_is_no_double_exposure(step: int) -> None:
    assert perception.ghosting([scene(step * n) for n in range(48 // step // 2)]) == 0.0


def test_a_cut_and_a_film_that_stands_still_have_no_double_exposure() -> None:
    one, other = scene(2), 255 - scene(40)
    assert perception.ghosting([one] * 4 + [other] * 4) == 0.0
    assert perception.ghosting([one] * 6) == perception.ghosting([one]) == 0.0


def test_noise_and_small_changes_are_no_double_exposure() -> None:
    noisy = [(scene(8) // 2 + RNG.integers(60, 68, (64, 64, 3))).astype(np.uint8) for _ in range(6)]
    assert perception.ghosting(noisy) == 0.0
    brighter = (scene(8) // 2 + 70).astype(np.uint8)
    assert perception.ghosting(cross_fade(brighter, brighter + np.uint8(8), 5)) == 0.0


def test_a_detour_is_less_direct_than_the_straight_way() -> None:
    assert perception.directness([0.1, 0.2], 0.3) == pytest.approx(1.0)
    assert perception.directness([0.3, 0.3], 0.15) == pytest.approx(0.25)
    assert perception.directness([0.0, 0.0], 0.0) == perception.directness([], 0.0) == 1.0
    there_and_back = [plain(0), plain(255), plain(0)]
    steps = perception.step_distances(there_and_back)
    assert perception.directness(steps, perception.distance(plain(0), plain(0))) == 0.0
