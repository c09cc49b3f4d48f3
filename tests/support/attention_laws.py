"""The laws of attention interpolation, for a tiny pipeline of any family that attends."""

from pathlib import Path

import numpy as np

from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.runner import ModelRunner
from momalisa.engine.walk import frames, stills
from momalisa.spec import Place, WalkSpec

TOLERANCE = 1
"""Of 255 levels: batches of other sizes sum in another order."""


def check_attention(walk: WalkSpec, runner: ModelRunner, folder: Path) -> None:
    """Assert that a walk's ends are the model's own, and that a frame is its place's alone.

    `folder` is an empty one, for its frames.
    """
    walk = walk.model_copy(update={"interpolation": "attention"})
    last = walk.frames - 1
    whole = _paint(walk, runner, FrameCache(folder / "whole"))
    by_text = walk.model_copy(update={"interpolation": "lerp"})
    own = FrameCache(folder / "own")
    for index, t, beside in ((0, 0.0, 1e-5), (last, 1.0, 1.0 - 1e-5)):
        _assert_alike(whole[index], _still(by_text, t, runner, own))
        _assert_alike(whole[index], _still(walk, beside, runner, FrameCache(folder / f"{t}")))
    assert len({frame.tobytes() for frame in whole}) == len(whole)

    resumed = FrameCache(folder / "resumed")
    for index in reversed(range(1, last)):
        _assert_alike(whole[index], _still(walk, index / last, runner, resumed))
    walking = frames(walk, runner, FrameCache(folder / "halted"), batch=1)
    next(walking)
    walking.close()
    again = _paint(walk, runner, FrameCache(folder / "halted"), batch=1)
    for frame, other in zip(whole, again, strict=True):
        _assert_alike(frame, other)

    same = walk.model_copy(update={"stops": (walk.stops[0], walk.stops[0])})
    for frame in _paint(same, runner, FrameCache(folder / "same")):
        _assert_alike(frame, whole[0])


def _paint(walk: WalkSpec, runner: ModelRunner, cache: FrameCache, batch: int = 0) -> list[Frame]:
    """The walk's frames, by their place."""
    found = [frame for frame in frames(walk, runner, cache, batch=batch) if frame.finished]
    return [frame.frame for frame in sorted(found, key=lambda frame: frame.index)]


def _still(walk: WalkSpec, t: float, runner: ModelRunner, cache: FrameCache) -> Frame:
    (still,) = stills(walk, [Place(0, t)], runner, cache)
    return still.frame


def _assert_alike(one: Frame, other: Frame) -> None:
    assert np.abs(one.astype(int) - other).max() <= TOLERANCE
