"""Research code for morphs beside ours: `python -m tests.bench.research --aid DIR`.

DIR is your own clone of QY-H00/attention-interpolation-diffusion (AID; He et al. 2024). It runs as
its notebook for Stable Diffusion does, by `BetaPriorPipeline.generate_interpolation`, with the same
model, noise and steps as the walks here; only its CLIP, whose weights would have to be fetched, is
replaced by the perceived distance that every film here is measured by. That chooses its places, and
so its largest step is one that it aimed at: walks with even pacing do the same. Packages that it
imports for other things and that are missing here are replaced by empty ones.

Of DiffMorpher and FreeMorph the second table has what their code asks of the network by its own
settings. They do not run here: both are written for the weights of Stable Diffusion 2.1 and a GPU
(`.cuda()`, latents of four channels at 768 pixels), and DiffMorpher trains two LoRAs for each pair.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from momalisa.engine import perception
from momalisa.engine.frame_cache import Frame
from momalisa.engine.runner import ModelRunner
from momalisa.models.registry import find, load
from tests.bench.command import describe_load, new_parser, print_table, write_figures
from tests.bench.morphs import Figures, measure, summarize
from tests.bench.walks import Pair, Run, pairs, render_walk, walk_between

EXTRAS = (
    *("bayes_opt", "lpips", "matplotlib", "matplotlib.pyplot", "torchvision"),
    "torchvision.transforms",
)
"""What AID's modules import besides, for another search of its places and for pictures on disk."""
TRIED = 2
"""How many times as many pictures as its notebook shows AID paints, to choose among."""
OURS = (("lerp", "linear"), ("attention", "linear"), ("lerp", "even"), ("attention", "even"))

Interpolate = Callable[[Pair, int], list[Frame]]
"""The frames between a pair, so many of them."""
Foreign = tuple[torch.nn.Module, Interpolate]
"""The network whose rows are counted, and what asks it."""


@dataclass(frozen=True)
class Reading:
    """What research code asks of the network for a film, by its own settings."""

    name: str
    frames: int
    steps: int
    samples: float
    """Rows through the network, a frame."""
    besides: str = ""


def count_aid(frames: int, steps: int, tried: int) -> float:
    """AID: three rows, twice (guidance), for each step of each picture tried but the two ends."""
    return 6.0 * steps * (tried - 2) / frames


def count_diffmorpher(frames: int, steps: int) -> float:
    """DiffMorpher: both ends inverted, then all frames twice, the second time at its own places."""
    return (2.0 * steps + 2.0 * steps * frames) / frames


def count_freemorph(steps: int, share: float = 0.8, iterations: int = 5) -> float:
    """FreeMorph: every frame inverted with five iterations a step, then guided, at 0.8 of all."""
    return steps * share * (iterations + 2.0)


READINGS = (
    Reading("AID, its default", 7, 28, count_aid(7, 28, 16), "CLIP of each picture"),
    Reading("DiffMorpher", 24, 50, count_diffmorpher(24, 50), "two LoRAs trained, 200 steps each"),
    Reading("FreeMorph", 7, 50, count_freemorph(50), "captions by a language model"),
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run AID and our walks on the same pairs, in turn, and print tables."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.aid and not (options.aid / "prior.py").is_file():
        parser.error(f"{options.aid} is no clone of QY-H00/attention-interpolation-diffusion")
    before = describe_load()
    measured = run_all(options)
    print(f"{options.model}, {options.pairs} pairs, {options.frames} frames;", end=" ")
    print(f"{before} before, {describe_load()} after\n")
    names = [name.replace("_", " ") for name in Figures.__dataclass_fields__]
    print_table(["", *names], [[name, *summarize(f).values()] for name, f in measured.items()])
    print("\nBy reading their code, with its own settings:\n")
    rows = [[r.name, r.frames, r.steps, r.samples, r.besides] for r in READINGS]
    print_table(["", "frames", "steps", "samples a frame", "and"], rows)
    write_figures(
        {name: [vars(f) for f in every] for name, every in measured.items()}, options.json
    )


def _parser() -> argparse.ArgumentParser:
    parser = new_parser("research", __doc__)
    parser.add_argument(
        "--aid", type=Path, metavar="DIR", help="a clone of AID; else it is left out"
    )
    parser.add_argument("--model", default="atelier-base", help="a UNet of Stable Diffusion's kind")
    parser.add_argument("--pairs", type=int, default=4)
    parser.add_argument("--frames", type=int, default=7)
    parser.add_argument("--steps", type=int, help="default: the model's own")
    return parser


def run_all(options: argparse.Namespace) -> dict[str, list[Figures]]:
    """The figures of each way, by its name, for each pair."""
    runner = load(options.model)
    aid = open_aid(options.aid, options, runner) if options.aid else None
    fields: dict[str, Any] = find(options.model).new_walk | {"frames": options.frames}
    fields |= {"steps": options.steps or fields["steps"], "mode": "exact"}
    runner.trace()
    measured: dict[str, list[Figures]] = {}
    for interpolation, _ in OURS:  # the first walk of each records what the network does
        warm = {**fields, "frames": 3, "interpolation": interpolation}
        render_walk(runner, walk_between(pairs(1)[0], **warm))
    for pair in pairs(options.pairs):
        for interpolation, pacing in OURS:
            way = {"interpolation": interpolation, "pacing": pacing}
            spec = walk_between(pair, **fields | way)
            measured.setdefault(f"{interpolation}, {pacing}", []).append(
                measure(render_walk(runner, spec))
            )
        if aid:
            run = run_counted(*aid, pair, options.frames)
            measured.setdefault("AID", []).append(measure(run))
    return measured


def run_counted(unet: torch.nn.Module, interpolate: Interpolate, pair: Pair, frames: int) -> Run:
    """Run foreign code, and count the rows that it sends through the network."""
    rows = [0]

    def count(_module: torch.nn.Module, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        rows[0] += len(arguments[0] if arguments else named["sample"])

    hook = unet.register_forward_pre_hook(count, with_kwargs=True)
    began = time.perf_counter()
    try:
        film = interpolate(pair, frames)
    finally:
        hook.remove()
    return Run(film, (time.perf_counter() - began) / frames, rows[0] / frames)


def open_aid(folder: Path, options: argparse.Namespace, runner: ModelRunner) -> Foreign:
    """AID's network, and its interpolation, by the modules in a folder; a model of its own."""
    with _importing_from(folder):
        search, module = import_module("prior"), import_module("pipeline_interpolated_sd")
    card = find(options.model)
    pipeline = module.InterpolationStableDiffusionPipeline.from_pretrained(
        card.source, safety_checker=None, requires_safety_checker=False
    )
    pipeline.set_progress_bar_config(disable=True)

    class ByPerceivedDistance(search.BetaPriorPipeline):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            self.pipe = pipeline

        def _get_feature(self, image: Any) -> Frame:
            return np.asarray(image)

        def _compute_clip(self, one: Frame, other: Frame) -> float:
            return perception.distance(one, other)

    def interpolate(pair: Pair, frames: int) -> list[Frame]:
        start, end, seed = pair
        noises = (runner.model.noise(s, card.size, card.size)[None] for s in (seed, seed + 1))
        with redirect_stdout(StringIO()):  # it prints its search
            images = ByPerceivedDistance().generate_interpolation(
                *(start, end, "", *noises, options.steps or card.steps),
                **{"exploration_size": TRIED * frames, "interpolation_size": frames},
                **{"width": card.size, "height": card.size, "guidance_scale": card.guidance},
            )
        return [np.asarray(image) for image in images]

    return pipeline.unet, interpolate


@contextmanager
def _importing_from(folder: Path) -> Iterator[None]:
    """Modules of a folder can be imported; what they import besides may be missing."""
    missing = {name: _Empty(name) for name in EXTRAS if find_spec(name.partition(".")[0]) is None}
    sys.modules.update(missing)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in missing:
            del sys.modules[name]


class _Empty(ModuleType):
    """A module that has whatever is imported from it, of no use."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return object


if __name__ == "__main__":
    main()
