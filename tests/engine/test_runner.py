"""A small network is traced where that pays: later than for its first film, with equal frames."""

from pathlib import Path

import numpy as np
import torch

from momalisa.engine.frame_cache import FrameCache
from momalisa.engine.runner import WORTH_TRACING, ModelRunner
from momalisa.engine.walk import frames
from momalisa.models.registry import find
from momalisa.spec import WalkSpec
from tests.support.walks import walk_spec


def _painted(walk: WalkSpec, runner: ModelRunner, folder: Path) -> list[np.ndarray]:
    ready = frames(walk, runner, FrameCache(folder))
    return [frame.frame for frame in ready if frame.finished]


def test_the_first_film_does_not_wait_for_a_trace(tiny: ModelRunner, tmp_path: Path) -> None:
    spec = WalkSpec(stops=walk_spec().stops, **find("atelier").new_walk)
    assert spec.frames * spec.steps < WORTH_TRACING
    runner = ModelRunner(tiny.model)
    assert runner.predict == runner.model.predict
    plain = _painted(walk_spec(frames=4, steps=4, size=64), runner, tmp_path / "plain")
    assert runner.predict == runner.model.predict
    runner.trace()
    assert runner.predict != runner.model.predict
    traced = _painted(walk_spec(frames=4, steps=4, size=64), runner, tmp_path / "traced")
    np.testing.assert_array_equal(plain, traced)


def test_recording_takes_one_core_whatever_others_take(tiny: ModelRunner) -> None:
    runner, threads, before = ModelRunner(tiny.model), list[int](), torch.get_num_threads()
    look = tiny.model.network.register_forward_pre_hook(
        lambda *_: threads.append(torch.get_num_threads())
    )
    torch.set_num_threads(2)
    try:
        runner.trace()
        assert threads
        assert set(threads) == {1}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
        look.remove()


def test_a_network_that_works_long_enough_is_traced(tiny: ModelRunner, tmp_path: Path) -> None:
    runner = ModelRunner(tiny.model)
    walk = walk_spec(frames=1 + WORTH_TRACING // 40, steps=20, size=64, guidance=4.0, mode="exact")
    _painted(walk, runner, tmp_path)
    assert runner.predict != runner.model.predict
