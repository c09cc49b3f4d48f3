"""Laws of the noise that steps add: a seed's own at a stop, and on the arc between two."""

import torch
from diffusers.utils.torch_utils import randn_tensor

from momalisa.engine.interpolation import slerp
from momalisa.engine.step_noise import SeededNoise, StepNoise

SHAPE = (4, 8, 8)


def drawn(noises: list[StepNoise]) -> torch.Tensor:
    """As schedulers draw for a batch."""
    with SeededNoise(noises):
        generators = [noise.generators[0] for noise in noises]
        noise: torch.Tensor = randn_tensor((len(noises), *SHAPE), generator=generators)
    return noise


def test_at_a_stop_it_is_what_the_seed_gives_after_its_first_noise() -> None:
    generator = torch.Generator().manual_seed(3)
    torch.randn(1, *SHAPE, generator=generator)
    expected = [torch.randn(1, *SHAPE, generator=generator) for _ in range(2)]
    noise = StepNoise((3, 5), 0.0, SHAPE)
    assert all(torch.equal(drawn([noise]), one) for one in expected)


def test_between_two_stops_it_is_on_the_arc_and_batches_change_nothing() -> None:
    start, middle, end = drawn([StepNoise((3, 5), t, SHAPE) for t in (0.0, 0.25, 1.0)])
    torch.testing.assert_close(end, drawn([StepNoise((5, 5), 0.0, SHAPE)])[0])
    assert not torch.allclose(start, end)
    torch.testing.assert_close(middle, slerp(start, end, torch.tensor([0.25]))[0])
    torch.testing.assert_close(drawn([StepNoise((3, 5), 0.25, SHAPE)])[0], middle)


def test_other_generators_are_left_alone() -> None:
    generator = torch.Generator().manual_seed(3)
    with SeededNoise([StepNoise((3, 5), 0.5, SHAPE)]):
        one = torch.randn(2, generator=generator)
    assert torch.equal(one, torch.randn(2, generator=torch.Generator().manual_seed(3)))
