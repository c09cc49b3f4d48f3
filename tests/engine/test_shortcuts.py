"""Laws of fast mode: less work at the same places, and a switch for every shortcut."""

from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch

from momalisa.engine import perception, planner
from momalisa.engine.frame_cache import FrameCache
from momalisa.engine.renderer import WalkFrame
from momalisa.engine.runner import ModelRunner
from momalisa.engine.sampling import Sampler
from momalisa.engine.shortcuts import plan_sampling
from momalisa.engine.walk import frames as walked
from momalisa.models.distillation import DISTILLATION
from momalisa.models.registry import find, load
from momalisa.spec import SHORTCUTS, Shortcut, WalkSpec
from tests.support.walks import walk_spec


def spec(*taken: Shortcut, **changes: Any) -> WalkSpec:
    """Build a fast walk with only those shortcuts."""
    without = [name for name in SHORTCUTS if name not in taken]
    return walk_spec(**{"frames": 5, "steps": 10, "size": 64, "without": without} | changes)


@pytest.fixture
def cache(tmp_path: Path) -> FrameCache:
    return FrameCache(tmp_path / "frames")


def made(walk: WalkSpec, model: ModelRunner, cache: FrameCache) -> list[WalkFrame]:
    found = [frame for frame in walked(walk, model, cache) if frame.finished]
    return sorted(found, key=lambda frame: frame.index)


def samples(walk: WalkSpec, model: ModelRunner, cache: FrameCache) -> int:
    return sum(frame.unet_samples for frame in made(walk, model, cache))


@pytest.mark.parametrize("shortcut", ["solver", "interval", "trunk"])
def test_each_shortcut_alone_saves_work(
    tiny: ModelRunner, cache: FrameCache, shortcut: Shortcut
) -> None:
    walk = spec(shortcut, frames=12)
    assert samples(walk, tiny, cache) < 12 * 10 * 2


def test_without_its_shortcuts_fast_is_exact(tiny: ModelRunner, cache: FrameCache) -> None:
    exact = made(spec(mode="exact"), tiny, cache)
    assert all(frame.source == "cache" for frame in made(spec(), tiny, cache))
    assert spec().digest() == spec(mode="exact").digest()
    assert len(exact) == 5


def test_at_its_anchors_a_trunk_changes_nothing(tiny: ModelRunner, tmp_path: Path) -> None:
    plain, shared = (
        made(spec(*taken), tiny, FrameCache(tmp_path / str(len(taken))))
        for taken in ((), ("trunk",))
    )
    for one, other in zip(plain, shared, strict=True):
        assert np.abs(one.frame.astype(int) - other.frame).max() <= 1


def test_a_fast_frame_is_the_same_on_every_pacing(tiny: ModelRunner, tmp_path: Path) -> None:
    coarse = made(spec(*SHORTCUTS, frames=4), tiny, FrameCache(tmp_path / "a"))
    fine = made(spec(*SHORTCUTS, frames=7), tiny, FrameCache(tmp_path / "b"))
    for one, other in zip(coarse, fine[::2], strict=True):
        assert one.key == other.key
        assert np.abs(one.frame.astype(int) - other.frame).max() <= 1


def test_finer_pacing_makes_only_what_is_missing(tiny: ModelRunner, cache: FrameCache) -> None:
    made(spec(*SHORTCUTS, frames=4), tiny, cache)
    again = made(spec(*SHORTCUTS, frames=7), tiny, cache)
    assert [frame.source for frame in again] == ["cache", "painted"] * 3 + ["cache"]


def test_close_frames_glide(
    tiny: ModelRunner, cache: FrameCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "GLIDE_CHANGE", 1.0)
    monkeypatch.setattr(planner, "GLIDE_SPAN", 1 / 16)
    found = made(spec("glide", frames=65, steps=1), tiny, cache)
    sources = [frame.source for frame in found]
    assert sources == (["painted", *["glided"] * 3] * 17)[:65]
    assert all(frame.unet_samples == 0 for frame in found if frame.source == "glided")


def test_a_glided_frame_lies_between_its_neighbours(
    tiny: ModelRunner, cache: FrameCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "GLIDE_CHANGE", 1.0)
    pictures = [frame.frame for frame in made(spec("glide", frames=33, steps=2), tiny, cache)]
    for low, middle, high in zip(pictures[::2], pictures[1::2], pictures[2::2], strict=False):
        whole = perception.distance(low, high)
        assert perception.distance(low, middle) <= whole + 0.01
        assert perception.distance(middle, high) <= whole + 0.01


def test_frames_that_differ_do_not_glide(
    tiny: ModelRunner, cache: FrameCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "GLIDE_CHANGE", 0.0)
    found = made(spec("glide", frames=33, steps=1), tiny, cache)
    assert {frame.source for frame in found} == {"painted"}


@pytest.mark.parametrize("kind", ["LCMScheduler", "EulerAncestralDiscreteScheduler"])
def test_a_scheduler_that_draws_noise_is_not_replaced(kind: str) -> None:
    own = getattr(diffusers, kind)(steps_offset=1)
    found = plan_sampling(spec(*SHORTCUTS), Sampler(own, 10))
    assert (found.sampler.scheduler, found.sampler.steps, found.trunk_steps) == (own, 10, 0)


@pytest.mark.parametrize(
    "kind", ["PNDMScheduler", "EulerDiscreteScheduler", "UniPCMultistepScheduler"]
)
def test_other_schedulers_get_the_few_step_solver(make_pipeline: Any, kind: str) -> None:
    own = getattr(diffusers, kind)(steps_offset=1)
    model = load(str(make_pipeline(own)), "cpu")
    found = plan_sampling(spec(*SHORTCUTS), model.model.sampler(10, 64, 64))
    assert type(found.sampler.scheduler).__name__ == "DPMSolverMultistepScheduler"
    assert found.sampler.steps < 10
    assert found.trunk_steps > 0


def few_step_sampler(walk: WalkSpec, scheduler: Any) -> Sampler:
    return plan_sampling(walk, Sampler(scheduler, walk.steps)).sampler


@pytest.mark.parametrize("steps", [1, 2, 8, 20, 50, 100])
def test_from_pure_noise_the_solvers_first_steps_are_small(steps: int) -> None:
    asked = spec("solver", steps=steps)
    assert few_step_sampler(asked, diffusers.DDIMScheduler()).timesteps == ()
    found = few_step_sampler(asked, diffusers.DDIMScheduler(rescale_betas_zero_snr=True))
    state = found.start(torch.zeros(1, 4, 8, 8))
    assert tuple(state.scheduler.timesteps.tolist()) == found.timesteps
    assert len(found.timesteps) == found.steps
    strides = -np.diff([*found.timesteps, -1])
    assert found.timesteps[0] == 999
    assert (strides > 0).all()
    assert (np.diff(strides) >= -1).all(), "but for rounding"


def test_the_solver_finds_no_infinite_noise_in_a_schedule_that_ends_in_it() -> None:
    """Of betas of their own, ending in pure noise, it made black films."""
    betas = diffusers.DDIMScheduler(rescale_betas_zero_snr=True).betas.tolist()
    found = few_step_sampler(spec("solver"), diffusers.DDIMScheduler(trained_betas=betas))
    state = found.start(torch.zeros(1, 4, 8, 8))
    assert torch.isfinite(state.scheduler.sigmas).all()


@pytest.mark.parametrize("loop", ["once", "closed"])
@pytest.mark.parametrize("mode", ["exact", "fast"])
def test_even_pacing_gives_every_place_one_frame(
    tiny: ModelRunner, cache: FrameCache, mode: str, loop: str
) -> None:
    walk = spec(*SHORTCUTS, pacing="even", frames=9, steps=4, mode=mode, loop=loop)
    found = made(walk, tiny, cache)
    assert [frame.index for frame in found] == list(range(len(walk.places())))
    assert "glided" not in {frame.source for frame in found} or mode == "fast"


def test_even_pacing_is_more_even(tiny: ModelRunner, cache: FrameCache) -> None:
    found = {
        pacing: [f.frame for f in made(spec("glide", pacing=pacing, frames=12), tiny, cache)]
        for pacing in ("linear", "even")
    }
    changes = {pacing: perception.step_distances(found[pacing]) for pacing in found}
    linear, even = (perception.evenness(changes[pacing]) for pacing in ("linear", "even"))
    assert even > max(0.9, linear)


@pytest.mark.parametrize("frames", [2, 3, 9, 24])
def test_even_frames_without_the_glide_are_painted_pictures_of_the_survey(
    tiny: ModelRunner, cache: FrameCache, frames: int
) -> None:
    walk = spec(pacing="even", frames=frames, steps=1, guidance=1.0)
    found = list(walked(walk, tiny, cache))
    finished = sorted((f for f in found if f.finished), key=lambda frame: frame.index)
    surveyed = {frame.key for frame in found if frame.source == "survey"}
    assert {frame.key for frame in finished[1:-1]} <= surveyed
    assert len({frame.key for frame in finished}) == frames == len(finished)
    assert sum(f.unet_samples for f in found) <= 1.75 * frames


@pytest.mark.parametrize("glide", [(), ("glide",)])
def test_an_interrupted_even_walk_resumes(
    tiny: ModelRunner, cache: FrameCache, glide: tuple[Shortcut, ...]
) -> None:
    walk = spec(*glide, pacing="even", frames=9, steps=4)
    walking = walked(walk, tiny, cache)
    spent = sum(next(walking).unet_samples for _ in range(12))
    walking.close()
    whole = list(walked(walk, tiny, FrameCache(cache.folder / "whole")))
    rest = list(walked(walk, tiny, cache))
    keys, whole_keys = ([f.key for f in found if f.finished] for found in (rest, whole))
    assert sorted(keys) == sorted(whole_keys)
    # A frame of a batch that was made before the end, but not handed out, is not counted in either.
    assert 0 < spent + sum(f.unet_samples for f in rest) <= sum(f.unet_samples for f in whole)


@pytest.fixture(scope="module")
def distilled(make_pipeline: Any) -> ModelRunner:
    """A checkpoint that says it was distilled to four steps without guidance."""
    folder = make_pipeline(diffusers.DDIMScheduler(clip_sample=False, steps_offset=1))
    (folder / DISTILLATION).write_text('{"steps": 4, "guidance": 1.0}')
    return load(str(folder), "cpu")


@pytest.mark.parametrize("pacing", ["linear", "dense-middle"])
def test_a_distilled_checkpoint_paints_every_frame_in_its_own_steps(
    distilled: ModelRunner, cache: FrameCache, pacing: str
) -> None:
    new = find(distilled.model.name).new_walk | {"frames": 9, "size": 64, "pacing": pacing}
    found = made(walk_spec(**new), distilled, cache)
    assert {(frame.source, frame.unet_samples) for frame in found} == {("painted", 4)}


def test_fast_and_exact_frames_of_a_distilled_checkpoint_are_the_same(
    distilled: ModelRunner, cache: FrameCache
) -> None:
    few = {"steps": 4, "guidance": 1.0, "frames": 4}
    made(spec(mode="exact", **few), distilled, cache)
    fast = made(spec("solver", "interval", "trunk", **few), distilled, cache)
    assert {frame.source for frame in fast} == {"cache"}
    guided = spec("solver", "interval", "trunk", steps=6, guidance=3.0, frames=3)
    assert {frame.unet_samples for frame in made(guided, distilled, cache)} == {12}


def test_a_distilled_checkpoint_glides_only_when_asked(
    distilled: ModelRunner, cache: FrameCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planner, "GLIDE_CHANGE", 1.0)
    few = {"steps": 4, "guidance": 1.0, "frames": 33}
    sources = {frame.source for frame in made(spec(*SHORTCUTS, **few), distilled, cache)}
    assert sources == {"painted", "glided"}
