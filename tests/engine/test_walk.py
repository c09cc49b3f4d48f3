"""Laws of the walk: exact, repeatable, coarse to fine, and nothing made twice."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from hypothesis import given
from hypothesis import strategies as st

from momalisa.engine.frame_cache import FrameCache
from momalisa.engine.interpolation import lerp, slerp
from momalisa.engine.ordering import coarse_to_fine
from momalisa.engine.renderer import WalkFrame
from momalisa.engine.runner import ModelRunner
from momalisa.engine.sampling import Sampler, SamplingState
from momalisa.engine.step_noise import SeededNoise, StepNoise
from momalisa.engine.walk import frames, stills
from momalisa.errors import BadInput, OutOfMemory
from momalisa.models.registry import load
from momalisa.spec import Place, WalkSpec
from tests.support.walks import walk_spec

TOLERANCE = 1
"""Of 255 levels: batches of other sizes sum in another order."""


spec = partial(walk_spec, frames=5, steps=3, size=64, mode="exact")


def finished(walk: WalkSpec, *how: Any, **options: Any) -> list[WalkFrame]:
    """The walk's frames without their previews."""
    return [found for found in frames(walk, *how, **options) if found.finished]


@pytest.fixture
def cache(tmp_path: Path) -> FrameCache:
    return FrameCache(tmp_path / "frames")


def by_place(found: list[WalkFrame]) -> np.ndarray[Any, np.dtype[np.int16]]:
    ordered = sorted(found, key=lambda frame: frame.index)
    return np.stack([frame.frame for frame in ordered]).astype(np.int16)


@given(st.integers(1, 500))
def test_coarse_to_fine_visits_every_place_once(count: int) -> None:
    order = [visit.index for visit in coarse_to_fine(count)]
    assert sorted(order) == list(range(count))


@given(st.integers(3, 500), st.integers(2, 500))
def test_frames_that_are_ready_are_spread_over_the_walk(count: int, ready: int) -> None:
    some = sorted(visit.index for visit in coarse_to_fine(count)[: min(ready, count)])
    assert (some[0], some[-1]) == (0, count - 1)
    gaps = np.diff(some)
    assert gaps.max() <= 2 * gaps.min() + 2


def test_every_place_gets_its_frame(tiny: ModelRunner, cache: FrameCache) -> None:
    found = list(finished(spec(), tiny, cache))
    assert [frame.index for frame in found] == [0, 4, 2, 1, 3]
    assert all(frame.frame.shape == (64, 64, 3) for frame in found)
    assert sum(frame.unet_samples for frame in found) == 5 * 3 * 2


def test_without_guidance_a_step_is_one_sample(tiny: ModelRunner, cache: FrameCache) -> None:
    found = list(finished(spec(guidance=0.0), tiny, cache))
    assert sum(frame.unet_samples for frame in found) == 5 * 3


@pytest.mark.parametrize("batch", [1, 2, 5])
def test_batch_size_does_not_change_frames(tiny: ModelRunner, tmp_path: Path, batch: int) -> None:
    one = list(finished(spec(), tiny, FrameCache(tmp_path / "a"), batch=batch))
    other = list(finished(spec(), tiny, FrameCache(tmp_path / "b"), batch=3))
    assert np.abs(by_place(one) - by_place(other)).max() <= TOLERANCE


def test_an_even_walk_surveys_the_same_places_with_any_batch_size(
    tiny: ModelRunner, cache: FrameCache
) -> None:
    walk = spec(pacing="even", frames=24, mode="fast", without=[])

    def surveyed(batch: int) -> set[str]:
        found = frames(walk, tiny, FrameCache(cache.folder / str(batch)), batch=batch)
        return {frame.key for frame in found if frame.source == "survey"}

    assert surveyed(2) == surveyed(16)


@pytest.mark.parametrize("steps", [60, 61, 62])
def test_every_number_of_steps_begins_and_ends_within_the_times(steps: int) -> None:
    """With "trailing" times DDIM gets one more at 61 steps, before the first."""
    scheduler = DDIMScheduler(timestep_spacing="trailing")
    times = Sampler(scheduler, steps).start(torch.zeros(1, 4, 8, 8)).scheduler.timesteps
    assert (len(times), int(times.min()) >= 0) == (steps, True)


def test_same_seed_same_bytes(tiny: ModelRunner, tmp_path: Path) -> None:
    one, other = (list(finished(spec(), tiny, FrameCache(tmp_path / name))) for name in "ab")
    assert np.array_equal(by_place(one), by_place(other))


def test_another_seed_is_another_frame(tiny: ModelRunner, cache: FrameCache) -> None:
    other = spec(stops=[{"prompt": "a red square", "seed": 9}, {"prompt": "a stormy sea"}])
    one, two = (by_place(list(finished(s, tiny, cache))) for s in (spec(), other))
    assert not np.array_equal(one[0], two[0])


@pytest.mark.parametrize(
    ("scheduler", "options"),
    [
        ("DDIMScheduler", {"clip_sample": False, "steps_offset": 1}),
        (
            "DDIMScheduler",
            {"prediction_type": "v_prediction", "clip_sample": False, "steps_offset": 1},
        ),
        ("PNDMScheduler", {"skip_prk_steps": True, "steps_offset": 1}),
        ("EulerDiscreteScheduler", {"timestep_spacing": "trailing", "steps_offset": 1}),
        ("EulerAncestralDiscreteScheduler", {"steps_offset": 1}),
        ("DPMSolverMultistepScheduler", {"steps_offset": 1}),
        ("LCMScheduler", {"steps_offset": 1}),
        ("EDMEulerScheduler", {}),
        ("EDMDPMSolverMultistepScheduler", {}),
    ],
)
@pytest.mark.parametrize("guidance", [5.0, 0.0])
def test_frames_equal_the_plain_pipelines(
    make_pipeline: Any, cache: FrameCache, scheduler: str, options: dict[str, Any], guidance: float
) -> None:
    import diffusers

    runner = load(str(make_pipeline(getattr(diffusers, scheduler)(**options))), "cpu")
    model: Any = runner.model
    walk = spec(guidance=guidance, negative="blur")
    found = {frame.index: frame for frame in finished(walk, runner, cache)}
    t = torch.tensor([walk.places()[1].t], dtype=torch.float64)
    start, end = model.encode([stop.prompt for stop in walk.stops], 64, 64).tokens
    tokens = lerp(start, end, t)
    noise = slerp(model.noise(7, 64, 64), model.noise(8, 64, 64), t)
    steps = StepNoise((7, 8), float(t), noise.shape[1:])
    model.pipeline.set_progress_bar_config(disable=True)
    with SeededNoise([steps]):
        pictures = model.pipeline(
            prompt_embeds=tokens,
            negative_prompt_embeds=model.encode(["blur"], 64, 64).tokens,
            latents=noise,
            num_inference_steps=walk.steps,
            guidance_scale=guidance,
            height=64,
            width=64,
            generator=[steps.generators[0]],
            output_type="np",
        ).images
    expected = (pictures[0] * 255).round().astype(np.int16)
    assert np.abs(found[1].frame.astype(np.int16) - expected).max() <= TOLERANCE


def test_frames_in_the_cache_are_not_made_again(tiny: ModelRunner, cache: FrameCache) -> None:
    first = list(finished(spec(), tiny, cache))
    again = list(finished(spec(fps=20, loop="boomerang"), tiny, cache))
    assert np.array_equal(by_place(first), by_place(again))
    assert sum(frame.unet_samples for frame in again) == 0


def test_an_interrupted_walk_resumes(tiny: ModelRunner, cache: FrameCache) -> None:
    walking = frames(spec(), tiny, cache, batch=1)
    made = [next(walking) for _ in range(2)]
    walking.close()
    rest = [f for f in finished(spec(), tiny, cache, batch=1) if f.unet_samples]
    assert {f.index for f in rest}.isdisjoint({f.index for f in made})
    assert len(rest) == 3


def test_pacings_share_frames_at_common_places(tiny: ModelRunner, cache: FrameCache) -> None:
    list(finished(spec(), tiny, cache))
    other = list(finished(spec(pacing="dense-middle"), tiny, cache))
    assert [f.index for f in sorted(other, key=lambda f: f.index) if f.unet_samples] == [1, 3]


def test_out_of_memory_halves_the_batch_and_loses_nothing(
    tiny: ModelRunner, cache: FrameCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = by_place(list(finished(spec(), tiny, FrameCache(cache.folder / "whole"), batch=1)))
    limit_batches(monkeypatch, at_most=1)
    found = list(finished(spec(), tiny, cache, batch=5))
    assert np.abs(by_place(found) - whole).max() <= TOLERANCE


def test_a_single_frame_that_does_not_fit_raises_out_of_memory(
    tiny: ModelRunner, cache: FrameCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_batches(monkeypatch, at_most=0)
    with pytest.raises(OutOfMemory, match="smaller size"):
        list(finished(spec(), tiny, cache))
    with pytest.raises(OutOfMemory, match="smaller size"):
        stills(spec(), [Place(0, 0.4)], tiny, cache)


def test_probes_of_a_leg_that_do_not_fit_raise_out_of_memory(
    tiny: ModelRunner, cache: FrameCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_batches(monkeypatch, at_most=2)
    walk = walk_spec("a leg", "of its own", size=64, interpolation="attention", pacing="even")
    with pytest.raises(OutOfMemory, match="smaller size"):
        list(finished(walk, tiny, cache))


def test_a_batch_that_did_not_fit_is_not_tried_again(
    tiny: ModelRunner, cache: FrameCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = limit_batches(monkeypatch, at_most=0)
    with pytest.raises(OutOfMemory):
        list(finished(spec(), tiny, cache, batch=64))
    assert tried == [2, 1]


def limit_batches(monkeypatch: pytest.MonkeyPatch, at_most: int) -> list[int]:
    """Let the model run out of memory as CUDA does; the batches that are tried from now on."""
    real = ModelRunner.advance
    tried: list[int] = []

    def advance(self: ModelRunner, state: SamplingState, *args: Any, **kwargs: Any) -> Any:
        tried.append(len(state.latents))
        if len(state.latents) > at_most:
            raise torch.OutOfMemoryError("no room")
        return real(self, state, *args, **kwargs)

    monkeypatch.setattr(ModelRunner, "advance", advance)
    return tried


def test_a_size_the_model_cannot_halve_is_refused(tiny: ModelRunner) -> None:
    with pytest.raises(BadInput, match="multiples of 16"):
        tiny.model.check(72, 64)


def test_the_unread_end_of_a_long_prompt_is_returned(tiny: ModelRunner) -> None:
    assert tiny.model.unread("a red square") == ""
    assert tiny.model.unread("a red square on white " * 5).endswith("square on white")


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_runs_in_half_precision(make_pipeline: Any, cache: FrameCache) -> None:
    model = load(str(make_pipeline()), "cuda")
    assert model.model.dtype is torch.float16
    assert len(list(finished(spec(), model, cache))) == 5


def test_a_preview_comes_between_the_stops_and_the_rest(
    tiny: ModelRunner, cache: FrameCache
) -> None:
    found = list(frames(spec(), tiny, cache))
    assert [frame.source for frame in found[:5]] == ["painted"] * 2 + ["preview"] * 3
    assert sorted(frame.index for frame in found[2:5]) == [1, 2, 3]
    assert sum(frame.unet_samples for frame in found if frame.source == "preview") == 0


def test_a_quick_model_paints_no_previews_of_a_short_walk(
    tiny: ModelRunner, tmp_path: Path
) -> None:
    """They took a twentieth of the time to the first film, and were there half a second before."""
    quick = ModelRunner(tiny.model)
    quick.distilled = True
    walk = spec(frames=8)

    def sources(batch: int) -> set[str]:
        cache = FrameCache(tmp_path / str(batch))
        return {frame.source for frame in frames(walk, quick, cache, batch=batch)}

    assert sources(8) == {"painted"}
    assert sources(1) == {"painted", "preview"}


def test_a_cached_walk_has_no_previews(tiny: ModelRunner, cache: FrameCache) -> None:
    list(frames(spec(), tiny, cache))
    assert {frame.source for frame in frames(spec(), tiny, cache)} == {"cache"}


def test_stops_come_first_on_a_walk_of_many(tiny: ModelRunner, cache: FrameCache) -> None:
    stops = [{"prompt": prompt} for prompt in ("a red square", "a stormy sea", "white")]
    found = list(frames(spec(stops=stops, frames=4, loop="closed"), tiny, cache))
    assert [frame.index for frame in found[:3]] == [0, 3, 6]
    assert sorted(f.index for f in found if f.source == "painted") == list(range(9))


def test_a_negative_prompt_is_not_taken_for_two_remembered_prompts(tiny: ModelRunner) -> None:
    """A walk from "negative" to a prompt was remembered as that prompt, read as a negative one."""
    assert len(tiny.encode(["negative", "a sea"], 64, 64)) == 2
    assert len(tiny.encode_negative("a sea", 64, 64)) == 1
