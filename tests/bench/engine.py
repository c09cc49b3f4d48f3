"""What a walk and its shortcuts cost: `python -m tests.bench.engine`.

Every variant of rendering a walk runs on the same pairs of prompts, in turn, so that a busy machine
slows all of them alike. The table shows medians over the pairs; times are shares of the plain
loop's (diffusers' own pipeline, called for each frame), errors are against exact mode on the same
pair. Size, steps and guidance are the model's own, and "fast" is what a new walk takes: for a model
that was distilled to few steps the same as exact mode. Memory is that of a process of its own. On a
GPU a pipeline with the shape of Stable Diffusion 1.5 and random weights is timed too.

With --against CHECKOUT, only the time of this checkout's engine is compared with another's.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

# Fastest for the plain loop, whose threads then spin while they wait; the engine's do not wait.
os.environ.setdefault("OMP_WAIT_POLICY", "ACTIVE")

import numpy as np
import torch

from momalisa.engine import perception
from momalisa.engine.frame_cache import FrameCache
from momalisa.engine.runner import ModelRunner
from momalisa.models.registry import find, load
from momalisa.render import encode_film, render_frames
from momalisa.spec import LEFT_OUT, SHORTCUTS
from tests.bench.command import new_parser, write_figures
from tests.bench.diffusers_models import load_sd15_shape, render_plainly
from tests.bench.versions import WALKS, compare_checkouts, print_comparison
from tests.bench.walks import (
    Pair,
    Run,
    mean_sharpness,
    measure_error,
    pairs,
    render_walk,
    walk_between,
)

MEMORY_FRAMES = (16, 128)


@dataclass(frozen=True)
class Row:
    """A variant's medians over all pairs; times in seconds of a frame of the plain loop."""

    variant: str
    samples: float
    seconds: float
    preview: float | None
    first: float | None
    error: float
    psnr: float
    evenness: float
    spread: float
    variation: float
    sharpness: float


Variant = Callable[[Pair, int], Run]
"""Renders the walk between a pair, with that many frames."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the measurements, print tables and write JSON if a file is named."""
    options = _parser().parse_args(arguments)
    figures = _compare_checkouts(options) if options.against else _measure(options)
    write_figures(figures, options.json)


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("engine", __doc__)
    parser.add_argument("--model", default="atelier")
    parser.add_argument("--device", default="", help="such as cpu; default: the best there is")
    parser.add_argument("--rounds", type=int, default=3, help="pairs of prompts, one a round")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--steps", type=int, help="default: the model's own")
    parser.add_argument("--even", type=int, default=20, help="pairs for even pacing; 0 for none")
    parser.add_argument("--memory", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="compare with its engine")
    parser.add_argument("--alternations", type=int, default=20, help="with --against (20)")
    return parser


def _measure(options: argparse.Namespace) -> dict[str, Any]:
    runner = load(options.model, options.device)
    runner.trace()
    fields = _fields(options)
    print(f"{runner.model.name} on {runner.model.device}, {torch.get_num_threads()} threads")
    figures: dict[str, Any] = {}
    rounds = pairs(options.rounds)
    figures["variants"] = _print_rows(compare(runner, rounds, fields))
    if options.even:
        figures["even"] = compare_pacings(runner, pairs(options.even), fields)
        _print(figures["even"])
    if options.memory:
        figures["peak MB"] = {n: memory(options.model, n) for n in MEMORY_FRAMES}
        _print(figures["peak MB"])
    if runner.model.device.type == "cuda":
        big = {"frames": 16, "steps": 20, "size": 512, "without": LEFT_OUT}
        rows = compare(load_sd15_shape(), rounds[:3], big)
        figures["like SD 1.5"] = _print_rows(rows)
    return figures


def _fields(options: argparse.Namespace) -> dict[str, Any]:
    """A new walk's fields, with the options' frames and steps; texts are mixed as the loops do."""
    given = {"frames": options.frames, "steps": options.steps, "interpolation": "lerp"}
    return find(options.model).new_walk | {k: v for k, v in given.items() if v is not None}


def _compare_checkouts(options: argparse.Namespace) -> dict[str, Any]:
    common = _fields(options)
    specs = {
        name: [walk_between(pair, **common, **fields) for pair in pairs(options.alternations)]
        for name, fields in WALKS.items()
    }
    figures = compare_checkouts(options.against, specs, options.model, options.device)
    print_comparison(figures)
    return figures


def compare(runner: ModelRunner, rounds: Sequence[Pair], fields: dict[str, Any]) -> list[Row]:
    """Run every variant on every pair, in turn; `fields` are those of all walks."""
    variants = _variants(runner, fields)
    runs: dict[str, list[Run]] = {name: [] for name in variants}
    variants["plain loop"](rounds[0], 2)  # warms up
    for pair in rounds:
        for name, variant in variants.items():
            runs[name].append(variant(pair, fields["frames"]))
    return [_row(name, runs) for name in variants]


def _variants(runner: ModelRunner, common: dict[str, Any]) -> dict[str, Variant]:
    def engine(**fields: Any) -> Variant:
        return lambda pair, _frames: render_walk(runner, walk_between(pair, **(common | fields)))

    def plain(pair: Pair, frames: int) -> Run:
        spec = walk_between(pair, **common, mode="exact")
        film, seconds = render_plainly(runner, spec, frames)
        return Run(film, seconds, (2.0 if spec.guided else 1.0) * spec.steps, None, seconds)

    taken = ["glide"] if runner.distilled else SHORTCUTS
    only = {name: [other for other in SHORTCUTS if other != name] for name in taken}
    return {
        "plain loop": plain,
        "exact": engine(mode="exact"),
        "fast": engine(mode="fast"),
        **{f"only {name}": engine(mode="fast", without=rest) for name, rest in only.items()},
        "fast with trunk and glide": engine(mode="fast", without=[]),
        "exact, even": engine(mode="exact", pacing="even"),
        "fast, even": engine(mode="fast", pacing="even"),
        "fast, even, with glide": engine(mode="fast", pacing="even", without=["trunk"]),
    }


def _row(name: str, runs: dict[str, list[Run]]) -> Row:
    own, exact = runs[name], runs["exact"]
    with_plain = list(zip(own, runs["plain loop"], strict=True))
    with_exact = list(zip(own, exact, strict=True))
    changes = [perception.step_distances(run.frames) for run in own]
    return Row(
        variant=name,
        samples=median(run.samples for run in own),
        seconds=median(run.seconds / plain.seconds for run, plain in with_plain),
        preview=_median([run.preview and run.preview / p.seconds for run, p in with_plain]),
        first=_median([run.first and run.first / p.seconds for run, p in with_plain]),
        error=median(measure_error(run, other) for run, other in with_exact),
        psnr=median(_psnr(run, other) for run, other in with_exact),
        evenness=median(perception.evenness(steps) for steps in changes),
        spread=median(map(perception.unevenness, changes)),
        variation=median(map(perception.variation, changes)),
        sharpness=median(mean_sharpness(run) / mean_sharpness(other) for run, other in with_exact),
    )


def _median(values: Sequence[float | None]) -> float | None:
    numbers = [value for value in values if value is not None]
    return median(numbers) if numbers else None


def _psnr(run: Run, exact: Run) -> float:
    """Peak signal-to-noise ratio of the film, in dB; 99 for equal films."""
    one, other = (np.stack(r.frames).astype(np.float64) for r in (run, exact))
    square = float(((one - other) ** 2).mean())
    return 99.0 if square == 0.0 else 10.0 * float(np.log10(255.0**2 / square))


def compare_pacings(
    runner: ModelRunner, over: Sequence[Pair], fields: dict[str, Any]
) -> dict[str, float]:
    """Compare even with linear pacing in fast mode; medians over pairs."""
    both = [
        [
            render_walk(runner, walk_between(pair, **fields, pacing=name))
            for name in ("linear", "even")
        ]
        for pair in over
    ]
    figures: dict[str, float] = {"pairs": len(over)}
    for number, name in enumerate(("linear", "even")):
        changes = [perception.step_distances(runs[number].frames) for runs in both]
        unevenness = [perception.unevenness(steps) for steps in changes]
        figures[f"{name}: max/mean"] = median(unevenness)
        figures[f"{name}: max/mean, most"] = max(unevenness)
        figures[f"{name}: variation"] = median(map(perception.variation, changes))
        figures[f"{name}: evenness"] = median(perception.evenness(steps) for steps in changes)
        figures[f"{name}: sharpness"] = median(
            perception.relative_sharpness(runs[number].frames) for runs in both
        )
    figures["samples, even to linear"] = median(b.samples / a.samples for a, b in both)
    figures["sharpness, even to linear"] = median(
        mean_sharpness(b) / mean_sharpness(a) for a, b in both
    )
    return figures


def memory(model: str, frames: int) -> float:
    """Measure the peak memory, in MB, of a process that renders that many frames."""
    code = "import sys; from tests.bench.engine import peak; print(peak(*sys.argv[1:]))"
    process = subprocess.run(
        [sys.executable, "-c", code, model, str(frames)],
        capture_output=True,
        text=True,
        check=True,
    )
    return float(process.stdout.split()[-1])


def peak(model: str, frames: str) -> float:
    """Render and encode a walk of two steps; returns this process's peak memory in MB."""
    runner = load(model)
    size = find(model).size
    spec = walk_between(pairs(1)[0], frames=int(frames), steps=2, size=size, without=LEFT_OUT)
    with tempfile.TemporaryDirectory() as folder:
        encode_film(spec, render_frames(spec, runner, FrameCache(Path(folder))).frames)
    if runner.model.device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def _print_rows(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Print rows as a table; returns them for JSON."""
    print("variant | samples | seconds | preview | first | error | PSNR | ", end="")
    print("evenness | max/mean | variation | sharpness")
    for row in rows:
        values = list(asdict(row).values())
        cells = ["" if v is None else v if isinstance(v, str) else f"{v:.2f}" for v in values]
        print(" | ".join(cells))
    return [asdict(row) for row in rows]


def _print(figures: dict[Any, float]) -> None:
    for name, value in figures.items():
        print(f"{name}: {value:.3g}")


if __name__ == "__main__":
    main()
