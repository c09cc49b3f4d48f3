"""Noise schedules, and steps to and from noise: as the schedulers take them, from any level."""

import math
from itertools import pairwise
from typing import Any

import diffusers
import pytest
import torch
from torch import Tensor

from momalisa.engine.conditioning import Conditioning
from momalisa.engine.inversion import denoise, invert, make_gaussian
from momalisa.engine.noise_schedule import Level, NoiseSchedule, read_schedule
from momalisa.engine.sampling import Guidance, Sampler, advance
from momalisa.engine.step_noise import StepNoise
from momalisa.errors import BadInput

SHAPE = (4, 8, 8)
TEXT = Conditioning(torch.zeros(1, 1, 1))
BETAS = {"clip_sample": False, "steps_offset": 1}
FLOW = "FlowMatchEulerDiscreteScheduler"
SOLVER = "DPMSolverMultistepScheduler"


def noise(seed: int = 1) -> Tensor:
    return torch.randn((1, *SHAPE), generator=torch.Generator().manual_seed(seed))


def network(latents: Tensor, time: Tensor) -> Tensor:
    """A smooth function that depends on all latents and on the time."""
    around = latents.roll(1, -1) + latents.roll(1, -2)
    return torch.tanh(0.4 * latents + 0.2 * around) + 0.1 * torch.cos(time / 300)


def sampler(name: str, steps: int = 5, **options: Any) -> Sampler:
    return Sampler(getattr(diffusers, name)(**options), steps)


def level_network(schedule: NoiseSchedule) -> Any:
    def predict(latents: Tensor, level: Level) -> Tensor:
        time = round(level.time) if schedule.whole_times else level.time
        return network(latents, torch.tensor(float(time)))

    return predict


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("DDIMScheduler", BETAS | {"timestep_spacing": "trailing", "set_alpha_to_one": True}),
        ("DDIMScheduler", BETAS | {"prediction_type": "v_prediction", "set_alpha_to_one": True}),
        ("EulerDiscreteScheduler", {"timestep_spacing": "trailing"}),
        (SOLVER, {"prediction_type": "v_prediction", "final_sigmas_type": "zero"}),
        (FLOW, {"shift": 3.0}),
        (SOLVER, {"prediction_type": "flow_prediction", "use_flow_sigmas": True}),
    ],
)
def test_from_noise_alone_the_steps_are_the_schedulers(name: str, options: dict[str, Any]) -> None:
    one = sampler(name, **options)
    schedule = read_schedule(one, noise())
    start = one.start(noise())
    own = advance(start, lambda x, time, _: network(x, time), TEXT, Guidance()).latents
    begun = noise() * schedule.deviation
    made = denoise(begun, schedule.steps[0], schedule, level_network(schedule))
    torch.testing.assert_close(made, own, atol=0.03, rtol=0.03)


@pytest.mark.parametrize("name", ["LCMScheduler", "SCMScheduler"])
def test_noise_that_steps_add_is_the_schedulers_from_any_step(name: str) -> None:
    options = {} if name == "SCMScheduler" else {"original_inference_steps": 50}
    one = sampler(name, steps=2, **options)
    schedule = read_schedule(one, noise())
    assert schedule.renews_noise
    whole, late = (
        denoise(
            noise(), level, schedule, level_network(schedule), noise=StepNoise((3, 5), 0.4, SHAPE)
        )
        for level in (schedule.steps[0], schedule.level_at(schedule.steps[0].angle - 1e-4))
    )
    torch.testing.assert_close(whole, late, atol=0.02, rtol=0.02)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("DDIMScheduler", BETAS | {"prediction_type": "v_prediction"}),
        (SOLVER, {"prediction_type": "v_prediction"}),
        (FLOW, {}),
    ],
)
def test_the_pictures_of_neighbouring_levels_are_alike(name: str, options: dict[str, Any]) -> None:
    """Also where a step begins or ends, so that no frame of a film leaps there."""
    schedule = read_schedule(sampler(name, **options), noise())
    clean, fresh = noise(1), noise(2)
    made = []
    for share in torch.linspace(0.01, 1.0, 60):
        mixed, level = schedule.start_at(float(share))
        begun = mixed.signal * clean + mixed.noise * fresh
        made.append(denoise(begun, level, schedule, level_network(schedule)))
    steps = [float((b - a).norm()) for a, b in pairwise(made)]
    assert max(steps) < 5 * sum(steps) / len(steps)
    assert float((made[0] - clean).norm() / clean.norm()) < 0.1


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("DDIMScheduler", BETAS),
        ("DDIMScheduler", BETAS | {"prediction_type": "v_prediction"}),
        (FLOW, {}),
    ],
)
def test_inverted_noise_leads_back_the_better_the_more_iterations(
    name: str, options: dict[str, Any]
) -> None:
    schedule = read_schedule(sampler(name, steps=20, **options), noise())
    clean = noise(4) * 0.5
    errors = []
    for iterations in (1, 3, 9):
        found, samples = invert(clean, schedule, level_network(schedule), iterations)
        assert samples == 20 * iterations
        begun = found * schedule.steps[0].noise
        back = denoise(begun, schedule.steps[0], schedule, level_network(schedule))
        errors.append(float((back - clean).norm() / clean.norm()))
    assert errors[2] < errors[0]
    assert errors[2] < 0.1


def test_noise_is_made_gaussian_channel_by_channel() -> None:
    made = make_gaussian(noise() * torch.linspace(0.2, 3.0, 4).reshape(1, 4, 1, 1) + 0.7)
    assert float(made.mean((2, 3)).abs().max()) < 1e-5
    torch.testing.assert_close(made.std((2, 3), correction=0), torch.ones(1, 4))
    assert float(made.norm()) == pytest.approx(math.sqrt(made.numel()), rel=1e-4)


def beside(noise: Tensor) -> float:
    """The larger of the autocorrelations with the neighbour below and beside."""
    both = (noise[..., 1:, :] * noise[..., :-1, :], noise[..., 1:] * noise[..., :-1])
    return max(abs(float(one.mean())) for one in both) / float(noise.square().mean())


@pytest.mark.parametrize("shape", [(4, 64, 64), (32, 16, 16)])
def test_noise_that_is_made_gaussian_knows_nothing_of_its_neighbours(
    shape: tuple[int, int, int],
) -> None:
    drawn = torch.randn((1, *shape), generator=torch.Generator().manual_seed(5))
    shapes = drawn + 0.4 * drawn.roll(1, -1) + 0.4 * drawn.roll(1, -2) + 0.2 * drawn.roll(2, -1)
    assert beside(shapes) > 0.3
    made = make_gaussian(shapes)
    assert beside(made) < 0.05
    assert float(made.std()) == pytest.approx(1.0, abs=0.01)
    likeness = torch.nn.functional.cosine_similarity(
        make_gaussian(drawn).flatten(), drawn.flatten(), dim=0
    )
    assert float(likeness) > 0.98


def test_noise_of_a_picture_that_is_light_above_and_dark_below_is_made_gaussian_too() -> None:
    """Its spectrum takes the last row for a neighbour of the first, of which it is the opposite."""
    drawn = torch.randn((1, 32, 16, 16), generator=torch.Generator().manual_seed(5))
    shades = torch.linspace(2.0, -2.0, 16).reshape(16, 1) * drawn.sign()[..., :1, :1]
    made = make_gaussian(torch.cat([drawn + shades, drawn.flip(1)]))
    assert max(beside(one[None]) for one in made) < 0.03
    assert float(made.std()) == pytest.approx(1.0, abs=0.01)
    assert torch.equal(made[1:], make_gaussian(drawn.flip(1)))


def test_a_scheduler_of_another_kind_is_refused_in_words() -> None:
    with pytest.raises(BadInput, match="cannot walk from a picture"):
        read_schedule(sampler("EDMEulerScheduler"), noise())
