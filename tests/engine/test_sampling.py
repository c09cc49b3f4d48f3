"""Laws of sampling that is halted: rows go on alone, or with others, as they would have."""

from typing import Any

import diffusers
import pytest
import torch
from torch import Tensor

from momalisa.engine.conditioning import Conditioning
from momalisa.engine.sampling import (
    Guidance,
    Sampler,
    SamplingState,
    advance,
    blend_states,
    gather,
    split,
)

STEPS = 6
SCHEDULERS = {
    "DDIM": diffusers.DDIMScheduler(clip_sample=False),
    "PNDM": diffusers.PNDMScheduler(skip_prk_steps=True, steps_offset=1),
    "PNDM, first steps by Runge and Kutta": diffusers.PNDMScheduler(),
    "LMS": diffusers.LMSDiscreteScheduler(),
    "Heun": diffusers.HeunDiscreteScheduler(),
    "DPM++": diffusers.DPMSolverMultistepScheduler(),
    "DPM++ in single steps": diffusers.DPMSolverSinglestepScheduler(),
    "UniPC": diffusers.UniPCMultistepScheduler(),
    "Heun on a flow": diffusers.FlowMatchHeunDiscreteScheduler(),
}

pytestmark = pytest.mark.parametrize("scheduler", SCHEDULERS.values(), ids=list(SCHEDULERS))


def predict(latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
    """A prediction that differs from row to row and from time to time."""
    return latents.sin() * 0.5 + float(time) / 1000


def go(state: SamplingState, until: int | None = None) -> SamplingState:
    rows = Conditioning(torch.zeros(len(state.latents), 1, 1))
    return advance(state, predict, rows, Guidance(), until=until)


def begin(scheduler: Any) -> SamplingState:
    noise = torch.randn(3, 2, 4, 4, generator=torch.Generator().manual_seed(0))
    return Sampler(scheduler, STEPS).start(noise)


def test_rows_that_are_halted_at_any_step_go_on_in_another_batch(scheduler: Any) -> None:
    state = begin(scheduler)
    expected = go(state).latents
    for step in range(1, len(state.scheduler.timesteps)):
        first, second, third = split(go(state, step))
        pair, single = go(gather([third, first])).latents, go(second).latents
        found = torch.cat([pair[1:], single, pair[:1]])
        torch.testing.assert_close(found, expected)


def test_between_two_states_the_ends_go_on_as_they_would(scheduler: Any) -> None:
    state = begin(scheduler)
    expected = go(state).latents
    for step in range(1, len(state.scheduler.timesteps)):
        first, _, third = split(go(state, step))
        starts, ends = (gather([one, one]) for one in (first, third))
        found = go(blend_states(starts, ends, torch.tensor([0.0, 1.0]))).latents
        torch.testing.assert_close(found, expected[[0, 2]], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("scale", [1.0, 3.0])
def test_conditions_of_each_step_are_what_going_step_by_step_gives(
    scheduler: Any, scale: float
) -> None:
    def follow(latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        return predict(latents, time, conditioning) + conditioning.tokens[..., None]

    state = begin(scheduler)
    texts = [Conditioning(torch.full((3, 1, 1), n / 10)) for n in range(3)]
    negative = None if scale == 1.0 else Conditioning(torch.full((1, 1, 1), 0.3))
    guidance = Guidance(negative, scale, steps=2)
    alone = state
    for step, text in enumerate(texts, start=1):
        alone = advance(alone, follow, text, guidance, until=step)
    together = advance(state, follow, texts, guidance, until=3)
    assert torch.equal(together.latents, alone.latents)
    assert together.samples == alone.samples == (9 if negative is None else 15)
    held = advance(state, follow, texts[:1], guidance)
    assert torch.equal(held.latents, advance(state, follow, texts[0], guidance).latents)
