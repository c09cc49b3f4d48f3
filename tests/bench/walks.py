"""The walks between pairs of prompts that benchmarks render, and what is measured of them."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

from momalisa.engine import perception
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.runner import KEPT, ModelRunner
from momalisa.spec import WalkSpec
from momalisa.stop_pictures import StopPicture

PROMPTS = (
    ("a red square on white", "a stormy sea at night"),
    ("black and white stripes", "colour field painting in orange and maroon"),
    ("a portrait of a woman on blue", "a forest in autumn"),
    ("concentric circles in red, cream and black", "a skyline at night"),
    ("a green cat on pink", "mountains in the snow"),
    ("op art, a black and white bulge", "a vase of flowers on yellow"),
    ("a blue mask on orange", "a desert at dusk"),
    ("paper cut-outs, blue leaves", "a boat on a calm sea"),
    ("three yellow circles on blue", "a pop art heart"),
    ("bauhaus circles on cream", "a starry night over a village"),
)

Pair = tuple[str, str, int]
"""Two prompts, and the seed of the first; the second's is one more."""


@dataclass(frozen=True)
class Run:
    """A walk rendered by one variant; seconds from its start, `seconds` a frame."""

    frames: list[Frame]
    seconds: float
    samples: float
    """Passes through the UNet, a frame."""
    preview: float | None = None
    first: float | None = None


def pairs(count: int) -> list[Pair]:
    """Choose pairs of prompts, each with seeds of its own."""
    return [(*PROMPTS[n % len(PROMPTS)], 100 + 2 * n) for n in range(count)]


def walk_between(pair: Pair, **fields: Any) -> WalkSpec:
    """Build the spec of the walk between a pair."""
    start, end, seed = pair
    stops = [{"prompt": start, "seed": seed}, {"prompt": end, "seed": seed + 1}]
    return WalkSpec.model_validate({"stops": stops} | fields)


def render_walk(runner: ModelRunner, spec: WalkSpec, pictures: Sequence[StopPicture] = ()) -> Run:
    """Render a walk by the engine, from a cache of its pictures alone, as the first of its legs."""
    from momalisa.render import render_frames  # it encodes films, too

    for number in range(KEPT):  # so that it forgets the legs of walks before
        runner.keep(("nothing", number), lambda: None)
    began = time.perf_counter()
    moments: dict[str, float] = {}

    def note(progress: Any) -> None:
        for name, entries in (("first", progress.ready), ("preview", progress.previews)):
            if entries:
                moments.setdefault(name, time.perf_counter() - began)

    with tempfile.TemporaryDirectory() as folder:
        cache = FrameCache(Path(folder))
        for picture in pictures:
            cache.put_file(picture.digest, picture.data)
        frames, stats = render_frames(spec, runner, cache, on_progress=note)
        film = list(frames)
    samples = stats.unet_samples / len(film)
    seconds = stats.seconds / len(film)
    return Run(film, seconds, samples, moments.get("preview"), moments["first"])


def measure_error(run: Run, exact: Run) -> float:
    """The mean distance to exact mode's frames, divided by that between its neighbours."""
    apart = [perception.distance(a, b) for a, b in zip(run.frames, exact.frames, strict=True)]
    return mean(apart) / mean(perception.step_distances(exact.frames))


def mean_sharpness(run: Run) -> float:
    return mean(perception.sharpness(frame) for frame in run.frames)
