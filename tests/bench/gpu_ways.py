"""The ways to paint a walk that are timed on a GPU: diffusers' own, a community loop, the engine's.

Attention is PyTorch's own (SDPA) in all of them: diffusers has no other by default.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.interpolation import lerp, slerp
from momalisa.engine.runner import ModelRunner
from momalisa.engine.walk import frames as walk_frames
from momalisa.models.fit import Placement, Plan
from momalisa.models.placement import place
from momalisa.spec import Mode, WalkSpec
from tests.bench.diffusers_models import pipeline_of
from tests.bench.walks import Run

Paint = Callable[[ModelRunner, WalkSpec], Run]


class Way(NamedTuple):
    """A way to paint a walk."""

    name: str
    paint: Paint
    mode: Mode
    frames: int = 0
    """So many in place of the option's: those that paint one after the other need few."""


def paint_here(runner: ModelRunner, spec: WalkSpec) -> Run:
    """Paint a walk by the engine, from an empty cache; no film is encoded."""
    began = time.perf_counter()
    moments: dict[bool, float] = {}
    film: dict[int, Frame] = {}
    samples = 0
    with tempfile.TemporaryDirectory() as folder:
        for frame in walk_frames(spec, runner, FrameCache(Path(folder))):
            moments.setdefault(frame.finished, time.perf_counter() - began)
            samples += frame.unet_samples
            if frame.finished:
                film[frame.index] = frame.frame
    seconds = (time.perf_counter() - began) / len(film)
    pictures = [film[index] for index in sorted(film)]
    return Run(pictures, seconds, samples / len(film), moments.get(False), moments[True])


def stock_frame(runner: ModelRunner, spec: WalkSpec) -> Frame:
    """The stock pipeline's picture of the first stop."""
    stop = spec.stops[0]
    noise = runner.model.noise(stop.seed, spec.width, spec.height)[None]
    with _stock_precision(runner):
        return _call(runner, spec, noise, prompt=stop.prompt)


@contextmanager
def _stock_precision(runner: ModelRunner) -> Iterator[None]:
    """Where the autoencoder has the precision that stock pipelines expect, and widen themselves."""
    vae = pipeline_of(runner).vae
    before = vae.dtype
    vae.to(runner.model.dtype)
    try:
        yield
    finally:
        vae.to(before)


def _call(runner: ModelRunner, spec: WalkSpec, noise: torch.Tensor, **texts: Any) -> Frame:
    model = runner.model
    image = pipeline_of(runner)(
        latents=noise.to(model.device, model.dtype),
        num_inference_steps=spec.steps,
        guidance_scale=spec.guidance,
        height=spec.height,
        width=spec.width,
        output_type="np",
        **texts,
    ).images[0]
    return np.asarray((np.nan_to_num(image) * 255).round(), dtype=np.uint8)


def _paint_stock(runner: ModelRunner, spec: WalkSpec) -> Run:
    """One call of the stock pipeline for each frame, as its documentation shows."""
    prompt = spec.stops[0].prompt
    with _stock_precision(runner):
        return _paint_each(
            runner, spec, lambda noise, _t: _call(runner, spec, noise, prompt=prompt)
        )


def _paint_community(runner: ModelRunner, spec: WalkSpec) -> Run:
    """The loop that community walks have: texts encoded once, mixed, a call and a PNG a frame."""
    encoded = [_encode(runner, stop.prompt) for stop in spec.stops]
    noise_like = next(iter(encoded[0].values()))

    def paint(noise: torch.Tensor, t: float) -> Frame:
        at = torch.tensor([t], dtype=torch.float64)
        start, end = ({key: value[0].cpu() for key, value in texts.items()} for texts in encoded)
        mixed = {key: lerp(start[key], end[key], at).to(noise_like) for key in start}
        frame = _call(runner, spec, noise, **mixed)
        Image.fromarray(frame).save(folder / f"{t:.4f}.png")
        return frame

    with tempfile.TemporaryDirectory() as name, _stock_precision(runner):
        folder = Path(name)
        return _paint_each(runner, spec, paint)


def _paint_each(
    runner: ModelRunner, spec: WalkSpec, paint: Callable[[torch.Tensor, float], Frame]
) -> Run:
    """Paint one frame after the other from noise on the arc between the stops' noises."""
    began = time.perf_counter()
    noises = [runner.model.noise(stop.seed, spec.width, spec.height) for stop in spec.stops]
    film: list[Frame] = []
    first = 0.0
    for spot in spec.places():
        at = torch.tensor([spot.t], dtype=torch.float64)
        film.append(paint(slerp(noises[0], noises[1], at), spot.t))
        first = first or time.perf_counter() - began
    seconds = (time.perf_counter() - began) / len(film)
    return Run(film, seconds, 2.0 * spec.steps, None, first)


def _encode(runner: ModelRunner, prompt: str) -> dict[str, torch.Tensor]:
    """The texts' embeddings as the stock pipeline takes them."""
    pipeline = pipeline_of(runner)
    asked = {"device": runner.device, "num_images_per_prompt": 1}
    found = pipeline.encode_prompt(prompt, do_classifier_free_guidance=True, **asked)
    names = ("prompt_embeds", "negative_prompt_embeds", "pooled_prompt_embeds",
             "negative_pooled_prompt_embeds")  # fmt: skip
    return dict(zip(names, found, strict=False))


def _without_channels_last(way: Paint) -> Paint:
    """The same with weights as they are loaded, and not as convolutions read them."""

    def paint(runner: ModelRunner, spec: WalkSpec) -> Run:
        parts = pipeline_of(runner).unet, pipeline_of(runner).vae
        for part in parts:
            part.to(memory_format=torch.contiguous_format)
        try:
            return way(runner, spec)
        finally:
            for part in parts:
                part.to(memory_format=torch.channels_last)

    return paint


def compiled(backend: str) -> Paint:
    """The engine with a compiled network; it is compiled at its first call."""

    def paint(runner: ModelRunner, spec: WalkSpec) -> Run:
        network: Any = runner.model.network
        if network._compiled_call_impl is None:
            network.compile(backend=backend)
        return paint_here(runner, spec)

    return paint


def _placed(placement: Placement) -> Paint:
    """The engine with a pipeline that is in parts on the device."""

    def paint(runner: ModelRunner, spec: WalkSpec) -> Run:
        pipeline = pipeline_of(runner)
        if getattr(pipeline, "placed", "") != placement:
            pipeline.remove_all_hooks()
            pipeline.to("cpu")
            place(pipeline, Plan(placement, "float16", False, 2**40, 0), runner.device)
            pipeline.placed = placement
        return paint_here(runner, spec)

    return paint


WAYS = (
    Way("stock pipeline", _paint_stock, "exact", 4),
    Way("stock, contiguous", _without_channels_last(_paint_stock), "exact", 2),
    Way("community loop", _paint_community, "exact", 4),
    Way("here, exact", paint_here, "exact"),
    Way("here, fast", paint_here, "fast"),
)
IN_PARTS = (
    Way("here, in parts", _placed("parts"), "exact"),
    Way("here, by layers", _placed("groups"), "exact"),
)
"""They change the pipeline, and so come last."""
