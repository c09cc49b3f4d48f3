"""Laws of mixing two stops."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from momalisa.engine.interpolation import EMBEDDING_MIXES, lerp, slerp, token_slerp

Mix = Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]
PLACES = torch.linspace(0.0, 1.0, 9, dtype=torch.float64)
seeds = st.integers(0, 2**32 - 1)
mixes = pytest.mark.parametrize("mix", [lerp, slerp, token_slerp])


def gaussian(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@mixes
def test_ends_are_the_stops(mix: Mix) -> None:
    a, b = gaussian(1, 6, 8), gaussian(2, 6, 8)
    mixed = mix(a, b, PLACES)
    torch.testing.assert_close(mixed[0], a)
    torch.testing.assert_close(mixed[-1], b)


@mixes
def test_all_places_at_once_equal_one_by_one(mix: Mix) -> None:
    a, b = gaussian(3, 6, 8), gaussian(4, 6, 8)
    single = [mix(a, b, place.reshape(1))[0] for place in PLACES]
    assert torch.equal(mix(a, b, PLACES), torch.stack(single))


@mixes
def test_mixing_is_symmetric(mix: Mix) -> None:
    a, b = gaussian(5, 6, 8), gaussian(6, 6, 8)
    torch.testing.assert_close(mix(a, b, PLACES), mix(b, a, PLACES).flip(0))


@mixes
def test_from_a_stop_to_itself_nothing_changes(mix: Mix) -> None:
    a = gaussian(7, 6, 8)
    torch.testing.assert_close(mix(a, a, PLACES), a.expand(9, 6, 8))


@given(seeds, seeds)
@settings(max_examples=30, deadline=None)
def test_slerp_keeps_the_norm_of_noise(one: int, other: int) -> None:
    a, b = gaussian(one, 4, 32, 32), gaussian(other, 4, 32, 32)
    norms = slerp(a, b, PLACES).flatten(1).norm(dim=1)
    torch.testing.assert_close(norms, lerp(a.norm(), b.norm(), PLACES).float(), rtol=0.01, atol=0)


def test_lerp_shrinks_noise() -> None:
    a, b = gaussian(1, 4, 32, 32), gaussian(2, 4, 32, 32)
    middle = lerp(a, b, torch.tensor([0.5]))[0]
    assert middle.norm() < 0.75 * a.norm()


def test_slerp_turns_in_equal_angles() -> None:
    arc = slerp(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0]), PLACES)
    angles = torch.atan2(arc[:, 1], arc[:, 0])
    torch.testing.assert_close(angles.diff(), torch.full((8,), torch.pi / 16))


@pytest.mark.parametrize("factor", [1.0, 2.0, -1.0, 0.0])
def test_parallel_and_zero_samples_mix_on_the_line(factor: float) -> None:
    a = gaussian(8, 10)
    torch.testing.assert_close(slerp(a, factor * a, PLACES), lerp(a, factor * a, PLACES))


def test_token_slerp_keeps_each_tokens_length() -> None:
    a, b = gaussian(9, 5, 64), gaussian(10, 5, 64)
    lengths = token_slerp(a, b, torch.tensor([0.25]))[0].norm(dim=-1)
    torch.testing.assert_close(lengths, 0.75 * a.norm(dim=-1) + 0.25 * b.norm(dim=-1))


@pytest.mark.parametrize("mix", EMBEDDING_MIXES.values(), ids=EMBEDDING_MIXES)
def test_different_shapes_are_refused_with_their_values(mix: Mix) -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\) and \(3, 2\)"):
        mix(torch.zeros(2, 3), torch.zeros(3, 2), PLACES)
