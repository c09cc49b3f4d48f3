"""Metrics of random walks: sharpness, largest jump and evenness of their frames."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from momalisa.atelier.evaluation.eval_prompts import EvalPrompt, derangement, manner_prompts
from momalisa.atelier.evaluation.metrics import Metric
from momalisa.atelier.evaluation.picture_generator import PictureGenerator
from momalisa.engine import perception
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.walk import frames
from momalisa.spec import LEFT_OUT, Stop, WalkSpec

FRAMES = 24


@dataclass(frozen=True)
class WalkStats:
    """Statistics of a walk's frames."""

    sharpness_between: float
    """The lowest sharpness, relative to the interpolated sharpness of the ends."""
    sharpness_softer_end: float
    """The lowest sharpness, relative to the less sharp end: 1 for a cut."""
    jump: float
    """The largest change between frames, relative to the mean change: 1 for an even walk."""
    evenness: float


def walk_stats(walk: Sequence[Frame]) -> WalkStats:
    """Measure the frames of a walk."""
    changes = perception.step_distances(walk)
    sharpness = [perception.sharpness(frame) for frame in walk]
    return WalkStats(
        sharpness_between=perception.relative_sharpness(walk),
        sharpness_softer_end=min(sharpness) / max(min(sharpness[0], sharpness[-1]), 1e-9),
        jump=max(changes) / max(float(np.mean(changes)), 1e-9),
        evenness=perception.evenness(changes),
    )


def measure_walks(generator: PictureGenerator, pairs: int) -> list[Metric]:
    """Metrics of linear walks between `pairs` random pairs of held-out prompts.

    The reference values are those of the prompts' canvases: cross-faded in the column of
    canvases, and cut from one to the other in the column of chance.
    """
    starts = manner_prompts(pairs, generator.size)
    legs = list(zip(starts, derangement(starts), strict=True))
    with tempfile.TemporaryDirectory() as folder:
        cache = FrameCache(Path(folder))
        bar = tqdm(legs, desc="walks", disable=None)
        walks = [walk_stats(_walk(generator, leg, cache)) for leg in bar]
    shares = np.linspace(0.0, 1.0, FRAMES)
    fades = [walk_stats(_cross_fade(leg, shares)) for leg in legs]
    cuts = [walk_stats(_cross_fade(leg, shares.round())) for leg in legs]
    groups = walks, fades, cuts
    note = f"medians of {pairs} walks; canvases: faded into each other; chance: cut"
    return [
        # The threshold is for the softer end: a walk to a soft picture has to get softer.
        Metric(
            "walk: softest, of its softer end",
            *_medians("sharpness_softer_end", groups),
            bar=0.8,
            note=note,
        ),
        Metric("walk: softest, of the line between", *_medians("sharpness_between", groups)),
        Metric("walk: largest jump, in mean steps", *_medians("jump", groups)),
        Metric("walk: largest jump of all", max(walk.jump for walk in walks)),
        Metric("walk: evenness", *_medians("evenness", groups)),
    ]


def _walk(
    generator: PictureGenerator, leg: tuple[EvalPrompt, EvalPrompt], cache: FrameCache
) -> list[Frame]:
    rng = Random(f"{leg[0].text} {leg[1].text}")
    spec = WalkSpec(
        stops=tuple(Stop(prompt=prompt.text, seed=rng.randrange(2**31)) for prompt in leg),
        frames=FRAMES,
        steps=generator.steps,
        guidance=generator.guidance,
        size=generator.size,
        without=LEFT_OUT,
    )
    done = {one.index: one.frame for one in frames(spec, generator.runner, cache)}
    return [done[index] for index in range(len(done))]


def _cross_fade(leg: tuple[EvalPrompt, EvalPrompt], shares: NDArray[np.float64]) -> list[Frame]:
    """Mix two canvases pixel by pixel, with shares (n) from 0 to 1 of the second."""
    first, second = (prompt.canvas.astype(np.float32) for prompt in leg)
    return [(first + share * (second - first)).round().astype(np.uint8) for share in shares]


def _medians(name: str, groups: Sequence[Sequence[WalkStats]]) -> tuple[float, float, float]:
    walks, fades, cuts = (median(getattr(stats, name) for stats in group) for group in groups)
    return walks, fades, cuts
