"""A model of few steps against its base in many: `python -m tests.bench.few_steps`.

Both walk between the same pairs of prompts, in turn, by the same interpolation. The base's pictures
are those of its exact mode, and its time is that of the plain loop (diffusers' own pipeline, frame
after frame), measured over the first frames of each walk. An error is the mean perceived distance
to the base's frames, in distances between its neighbours. Medians over the pairs, double exposures
as means.
"""

import argparse
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any, get_args

# Fastest for the plain loop, whose threads then spin while they wait; the engine's do not wait.
os.environ.setdefault("OMP_WAIT_POLICY", "ACTIVE")

from tqdm import tqdm

from momalisa.engine import perception
from momalisa.engine.runner import ModelRunner
from momalisa.models.registry import find, load
from momalisa.spec import Interpolation
from tests.bench.command import describe_load, new_parser, print_table, write_figures
from tests.bench.diffusers_models import render_plainly
from tests.bench.walks import (
    Pair,
    Run,
    mean_sharpness,
    measure_error,
    pairs,
    render_walk,
    walk_between,
)


@dataclass(frozen=True)
class Rendered:
    """The walk between one pair, by both models."""

    linear: Run
    even: Run
    base: Run
    plain_seconds: float
    """Of a frame of the base in the plain loop."""


FIGURES: dict[str, Callable[[Rendered], float]] = {
    "UNet samples a frame": lambda r: r.linear.samples,
    "UNet samples a frame, even": lambda r: r.even.samples,
    "seconds a frame": lambda r: r.linear.seconds,
    "seconds a frame, even": lambda r: r.even.seconds,
    "seconds a frame of the base, plain loop": lambda r: r.plain_seconds,
    "seconds, of the plain loop's": lambda r: r.linear.seconds / r.plain_seconds,
    "error, in neighbour distances": lambda r: measure_error(r.linear, r.base),
    "sharpness, of the base's pictures": lambda r: (
        mean_sharpness(r.linear) / mean_sharpness(r.base)
    ),
    "softest frame, of the line between": lambda r: perception.relative_sharpness(r.linear.frames),
    "double exposures": lambda r: perception.ghosting(r.linear.frames),
    "double exposures, even": lambda r: perception.ghosting(r.even.frames),
    "double exposures, base": lambda r: perception.ghosting(r.base.frames),
    "largest step, in mean steps": lambda r: perception.unevenness(_steps(r.linear)),
    "largest step, even": lambda r: perception.unevenness(_steps(r.even)),
    "largest step, base": lambda r: perception.unevenness(_steps(r.base)),
    "variation of steps, even": lambda r: perception.variation(_steps(r.even)),
}
"""What is measured of the walks between a pair."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both models, print a Markdown table and write JSON if a file is named."""
    options = _parser().parse_args(arguments)
    before = describe_load()
    walks = render_pairs(options)
    rows = {name: [figure(walk) for walk in walks] for name, figure in FIGURES.items()}
    print(
        f"{options.model} against {options.base}, {options.pairs} pairs, {options.frames} frames;"
    )
    print(f"{before} before, {describe_load()} after\n")
    print_table(["", "median", "least", "most"], [_row(*row) for row in rows.items()])
    write_figures(rows, options.json)


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("few_steps", __doc__)
    parser.add_argument("--model", default="atelier")
    parser.add_argument("--base", default="atelier-base")
    parser.add_argument("--device", default="", help="such as cpu; default: the best there is")
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--steps", type=int, help="of the model; default: its own")
    parser.add_argument("--base-steps", type=int, default=20)
    parser.add_argument("--interpolation", choices=get_args(Interpolation), default="lerp")
    parser.add_argument("--plain-frames", type=int, default=4, help="in the plain loop, a pair")
    return parser


def render_pairs(options: argparse.Namespace) -> list[Rendered]:
    """Render the walks between the pairs by both models, in turn."""
    model, base = load(options.model, options.device), load(options.base, options.device)
    model.trace()
    base.trace()
    common = {"frames": options.frames, "interpolation": options.interpolation}
    own = find(options.model).new_walk | common
    own |= {"steps": options.steps or own["steps"]}
    exact = find(options.base).new_walk | common | {"mode": "exact", "steps": options.base_steps}
    chosen = pairs(options.pairs)
    render_plainly(base, walk_between(chosen[0], **exact), 1)  # warms up
    bar = tqdm(chosen, desc="pairs", disable=None)
    return [_render_pair(model, base, pair, own, exact, options.plain_frames) for pair in bar]


def _render_pair(
    model: ModelRunner,
    base: ModelRunner,
    pair: Pair,
    own: dict[str, Any],
    exact: dict[str, Any],
    plain_frames: int,
) -> Rendered:
    linear = render_walk(model, walk_between(pair, **own))
    _, plain_seconds = render_plainly(base, walk_between(pair, **exact), plain_frames)
    even = render_walk(model, walk_between(pair, **own | {"pacing": "even"}))
    return Rendered(linear, even, render_walk(base, walk_between(pair, **exact)), plain_seconds)


def _steps(run: Run) -> list[float]:
    return perception.step_distances(run.frames)


def _row(name: str, values: Sequence[float]) -> list[object]:
    middle = fmean(values) if name.startswith("double") else median(values)
    return [name, float(middle), float(min(values)), float(max(values))]


if __name__ == "__main__":
    main()
