"""Walks on a GPU beside the stock pipeline and a community loop: `python -m tests.bench.gpu`.

Pipelines of the shape of Stable Diffusion 1.5 and XL with random weights, in float16 and bfloat16.
Every way paints the same walk, in one process, after a walk that warms it up. The whole ends in
less than five minutes: what no time is left for is named. `--tiny` does the same with tiny
pipelines, on a processor as well, to see that it works; its figures mean nothing.

Attention is PyTorch's own (SDPA) in every row: diffusers has no other by default.
"""

import argparse
import gc
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import diffusers
import numpy as np
import torch

from momalisa.engine.frame_cache import Frame
from momalisa.engine.interpolation import lerp, slerp
from momalisa.engine.runner import ModelRunner
from momalisa.models.device import best_device
from momalisa.models.fit import Placement, Plan
from momalisa.models.placement import place
from momalisa.spec import LEFT_OUT, Mode, WalkSpec
from tests.bench.command import new_parser, print_row, print_table, write_figures
from tests.bench.diffusers_models import pipeline_of
from tests.bench.gpu_shapes import FULL, TINY, Shape, make_runner
from tests.bench.walks import Pair, Run, pairs, render_walk, walk_between

SECONDS = 280.0
"""For everything, but for the row that is under way."""
DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16}
Paint = Callable[[ModelRunner, WalkSpec], Run]


class Way(NamedTuple):
    """A way to paint a walk."""

    name: str
    paint: Paint
    mode: Mode
    frames: int = 0
    """So many in place of the option's: those that paint one after the other need few."""


@dataclass(frozen=True)
class Row:
    """What was measured of one way to paint a walk."""

    shape: str
    precision: str
    way: str
    frames_a_second: float
    preview: float | None
    """Seconds to the first preview."""
    first: float | None
    """Seconds to the first frame."""
    gigabytes: float | None
    """The most memory of the device; None on a processor."""
    difference: float
    """Mean difference of the first frame from the stock pipeline's, in levels of 255."""
    warm_up: float
    """Seconds of the walk before: with compiling, what it costs."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print a table and write JSON if a file is named.

    Raises SystemExit on a machine without a GPU, unless the pipelines are tiny.
    """
    options = _parser().parse_args(arguments)
    diffusers.utils.logging.set_verbosity_error()
    warnings.filterwarnings("ignore", module="torch._dynamo")
    device = torch.device(options.device or best_device())
    if device.type == "cpu" and not options.tiny:
        raise SystemExit("There is no GPU here. To see that the script works: --tiny")
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)  # parts of a pipeline that travel are for one thread
        _measure_all(device, options)
    finally:
        torch.set_num_threads(threads)


def _measure_all(device: torch.device, options: argparse.Namespace) -> None:
    """Measure everything, and print and write each row as it comes: the time may run out."""
    rows: list[dict[str, Any]] = []
    until = time.monotonic() + options.seconds
    print(f"{_name(device)}, PyTorch {torch.__version__}, {options.frames} frames", flush=True)
    print_table(tuple(Row.__dataclass_fields__), [])
    for shape, precision, ways in _jobs(options):
        for row in _measure(shape, precision, ways, device, options, until):
            rows.append(asdict(row))
            print_row(tuple(rows[-1].values()))
            write_figures({"device": _name(device), "rows": rows}, options.json)


def _jobs(options: argparse.Namespace) -> Iterator[tuple[Shape, str, Sequence[Way]]]:
    """What is measured on which pipeline: what takes longest, compiling, comes last."""
    shapes, first = TINY if options.tiny else FULL, options.precision[0]
    for shape in shapes:
        for precision in options.precision:
            yield shape, precision, WAYS + (IN_PARTS if precision == first else ())
    for shape in shapes if options.compile else ():
        yield shape, first, (Way("here, compiled", _compiled(options.backend), "exact"),)


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("gpu", __doc__)
    parser.add_argument("--device", default="", help="such as cuda:1; default: the best there is")
    parser.add_argument("--tiny", action="store_true", help="tiny pipelines, to see that it works")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--precision", nargs="+", choices=DTYPES, default=list(DTYPES))
    parser.add_argument("--seconds", type=float, default=SECONDS, help=f"for all ({SECONDS:g})")
    parser.add_argument("--compile", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--backend", default="inductor", help="of torch.compile (inductor)")
    return parser


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def _measure(
    shape: Shape,
    precision: str,
    ways: Sequence[Way],
    device: torch.device,
    options: argparse.Namespace,
    until: float,
) -> Iterator[Row]:
    """Measure these ways on a pipeline of that shape, as long as there is time."""
    if time.monotonic() > until:
        print(f"No time is left for {shape.name}, {precision}.", flush=True)
        return
    runner = make_runner(shape, device, DTYPES[precision])
    fields = {"steps": options.steps, "size": shape.size, "guidance": 7.5, "without": LEFT_OUT}
    warm, timed = pairs(2)
    expected = _stock_frame(runner, walk_between(timed, **fields))
    for way in ways:
        if time.monotonic() > until:
            print(f"No time is left for {shape.name}, {precision}, {way.name}.", flush=True)
            continue
        asked = fields | {"frames": way.frames or options.frames, "mode": way.mode}
        seconds = _paint(way, runner, warm, asked)[1]
        run, _, peak = _paint(way, runner, timed, asked)
        difference = np.abs(run.frames[0].astype(float) - expected).mean()
        yield Row(
            *(shape.name, precision, way.name, 1 / run.seconds, run.preview, run.first),
            *(peak, float(difference), seconds),
        )
    del runner
    gc.collect()


def _paint(
    way: Way, runner: ModelRunner, pair: Pair, fields: dict[str, Any]
) -> tuple[Run, float, float | None]:
    """Paint a walk; the run, its seconds, and the most memory of the device in GB."""
    on_gpu = runner.device.type == "cuda"
    if on_gpu:
        torch.cuda.synchronize()
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    began = time.perf_counter()
    run = way.paint(runner, walk_between(pair, **fields))
    seconds = time.perf_counter() - began
    return run, seconds, torch.cuda.max_memory_allocated() / 1e9 if on_gpu else None


def _stock_frame(runner: ModelRunner, spec: WalkSpec) -> Frame:
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
    from PIL import Image

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


def _compiled(backend: str) -> Paint:
    """The engine with a compiled network; it is compiled at its first call."""

    def paint(runner: ModelRunner, spec: WalkSpec) -> Run:
        network: Any = runner.model.network
        if network._compiled_call_impl is None:
            network.compile(backend=backend)
        return render_walk(runner, spec)

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
        return render_walk(runner, spec)

    return paint


WAYS = (
    Way("stock pipeline", _paint_stock, "exact", 4),
    Way("stock, contiguous", _without_channels_last(_paint_stock), "exact", 2),
    Way("community loop", _paint_community, "exact", 4),
    Way("here, exact", render_walk, "exact"),
    Way("here, fast", render_walk, "fast"),
)
IN_PARTS = (
    Way("here, in parts", _placed("parts"), "exact"),
    Way("here, by layers", _placed("groups"), "exact"),
)
"""They change the pipeline, and so come last."""


if __name__ == "__main__":
    main()
