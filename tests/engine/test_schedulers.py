"""Laws of schedulers that add noise: their frames are the seeds', and the stock pipeline's."""

from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from momalisa.engine.frame_cache import FrameCache
from momalisa.engine.sampling import Sampler
from momalisa.engine.schedulers import can_branch, solves_ode
from momalisa.engine.walk import stills
from momalisa.errors import BadInput
from momalisa.models.registry import load
from momalisa.spec import Place
from tests.support.walks import walk_spec

BETAS = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
}
RANDOM = diffusers.DPMSolverMultistepScheduler(algorithm_type="sde-dpmsolver++", **BETAS)
WALK = {"frames": 5, "steps": 6, "size": 64, "guidance": 5.0}


def test_a_solver_that_adds_noise_is_neither_branched_nor_exchanged() -> None:
    plain = diffusers.DPMSolverMultistepScheduler(**BETAS)
    assert can_branch(plain)
    assert solves_ode(plain)
    assert not can_branch(RANDOM)
    assert not solves_ode(RANDOM)


@pytest.mark.parametrize(
    "way", [{"interpolation": "attention", "mode": "exact"}, {"mode": "fast", "without": []}]
)
def test_frames_are_the_same_each_time(
    make_pipeline: Any, tmp_path: Path, way: dict[str, Any]
) -> None:
    runner = load(str(make_pipeline(RANDOM)), "cpu")
    walk = walk_spec(**WALK | way)
    one, other = (
        stills(walk, [Place(0, 0.4)], runner, FrameCache(tmp_path / name))[0].frame
        for name in ("one", "other")
    )
    assert np.abs(one.astype(int) - other).max() <= 1


def test_a_scheduler_with_an_eta_is_stepped_as_the_stock_pipeline_does(
    make_pipeline: Any, tmp_path: Path
) -> None:
    """Whose own eta is 0, though that of TCD's scheduler is not."""
    runner = load(str(make_pipeline(diffusers.TCDScheduler(clip_sample=False, **BETAS))), "cpu")
    walk = walk_spec(mode="exact", **WALK)
    found = stills(walk, [Place(0, 0.0)], runner, FrameCache(tmp_path))[0].frame
    model: Any = runner.model
    model.pipeline.set_progress_bar_config(disable=True)
    picture = model.pipeline(
        walk.stops[0].prompt,
        num_inference_steps=walk.steps,
        guidance_scale=walk.guidance,
        height=64,
        width=64,
        generator=torch.Generator().manual_seed(walk.stops[0].seed),
        output_type="np",
    ).images[0]
    assert np.abs(found - (picture * 255).round()).max() <= 1


def test_a_number_of_steps_that_a_scheduler_cannot_take_is_refused_in_words() -> None:
    """The scheduler's own error speaks of the shapes of arrays."""
    noise = torch.zeros(1, 4, 8, 8)
    Sampler(diffusers.PNDMScheduler(), 4).start(noise)
    with pytest.raises(BadInput, match="does not paint in 1 step"):
        Sampler(diffusers.PNDMScheduler(), 1).start(noise)
