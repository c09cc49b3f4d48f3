"""Walks on a GPU beside the stock pipeline and a community loop: `python -m tests.bench.gpu`.

Pipelines of the shape of Stable Diffusion 1.5 and XL with random weights, in float16 and bfloat16.
Every way paints the same walk, in one process, after a walk of two steps that warms it up. The
whole ends in less than five minutes: each row is printed when it is measured, and what no time is
left for, or what fails, is named. `--tiny` does the same with tiny pipelines, on a processor as
well, to see that it works; its figures mean nothing.
"""

import argparse
import gc
import signal
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import diffusers
import numpy as np
import torch

from momalisa.engine.runner import ModelRunner
from momalisa.models.device import best_device
from momalisa.spec import LEFT_OUT
from tests.bench.command import new_parser, print_row, print_table, write_figures
from tests.bench.gpu_shapes import FULL, TINY, Shape, make_runner
from tests.bench.gpu_ways import IN_PARTS, WAYS, Way, compiled, stock_frame
from tests.bench.walks import Pair, Run, pairs, walk_between

SECONDS = 260.0
"""For everything; each pipeline has a share of what is left."""
WARM_UP_STEPS = 2
FAILURES = (RuntimeError, OSError, ImportError, ValueError, TypeError, AttributeError)
"""Of one way to paint, as without a compiler or memory: the others are measured all the same."""
DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16}


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
    jobs = list(_jobs(options))
    for number, (shape, precision, ways) in enumerate(jobs):
        now = time.monotonic()
        share = (until - now) / (len(jobs) - number)
        for row in _measure(shape, precision, ways, device, options, now + share):
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
        yield shape, first, (Way("here, compiled", compiled(options.backend), "exact"),)


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
    expected = stock_frame(runner, walk_between(timed, **fields))
    for way in ways:
        if time.monotonic() > until:
            print(f"No time is left for {shape.name}, {precision}, {way.name}.", flush=True)
            continue
        asked = fields | {"frames": way.frames or options.frames, "mode": way.mode}
        try:
            brief = asked | {"steps": min(WARM_UP_STEPS, options.steps)}
            with _limit_time(until - time.monotonic()):
                seconds = _paint(way, runner, warm, brief)[1]
                run, _, peak = _paint(way, runner, timed, asked)
        except FAILURES as error:
            told = str(error).strip().splitlines() or [type(error).__name__]
            print(f"{shape.name}, {precision}, {way.name} failed: {told[0]}", flush=True)
            continue
        difference = np.abs(run.frames[0].astype(float) - expected).mean()
        yield Row(
            *(shape.name, precision, way.name, 1 / run.seconds, run.preview, run.first),
            *(peak, float(difference), seconds),
        )
    del runner
    gc.collect()


@contextmanager
def _limit_time(seconds: float) -> Iterator[None]:
    """Raise TimeoutError after so many seconds: compiling can take minutes."""

    def end(*_: object) -> None:
        raise TimeoutError("its time was over")

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, max(seconds, 0.1))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


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


if __name__ == "__main__":
    main()
