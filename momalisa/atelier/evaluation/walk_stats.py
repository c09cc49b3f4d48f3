"""Metrics of random walks: sharpness, steps and double exposures of their frames."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from statistics import fmean, median

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from momalisa.atelier.evaluation.eval_prompts import EvalPrompt, derangement, manner_prompts
from momalisa.atelier.evaluation.metrics import Metric
from momalisa.atelier.evaluation.picture_generator import PictureGenerator
from momalisa.engine import perception
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.walk import frames
from momalisa.pacing import PacingName
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
    variation: float
    """The coefficient of variation of the changes: 0 for an even walk."""
    evenness: float
    ghosting: float
    """The share of frames that are double exposures."""
    directness: float
    """The straight way between the ends, relative to the walk's."""


@dataclass(frozen=True)
class Bars:
    """The thresholds of a pacing's walks."""

    jump: float
    most_jump: float | None
    variation: float | None
    ghosting: float


BARS = {"linear": Bars(4.0, 10.0, None, 0.12), "even": Bars(1.5, None, 0.25, 0.15)}
"""By pacing; a jump is in mean steps."""


def walk_stats(walk: Sequence[Frame]) -> WalkStats:
    """Measure the frames of a walk."""
    changes = perception.step_distances(walk)
    sharpness = [perception.sharpness(frame) for frame in walk]
    return WalkStats(
        sharpness_between=perception.relative_sharpness(walk),
        sharpness_softer_end=min(sharpness) / max(min(sharpness[0], sharpness[-1]), 1e-9),
        jump=perception.unevenness(changes),
        variation=perception.variation(changes),
        evenness=perception.evenness(changes),
        ghosting=perception.ghosting(walk),
        directness=perception.directness(changes, perception.distance(walk[0], walk[-1])),
    )


def measure_walks(generator: PictureGenerator, pairs: int, pacing: PacingName) -> list[Metric]:
    """Metrics of walks of a pacing between `pairs` random pairs of held-out prompts.

    The reference values are those of the prompts' canvases: cross-faded in the column of
    canvases, and cut from one to the other in the column of chance.
    """
    starts = manner_prompts(pairs, generator.size)
    legs = list(zip(starts, derangement(starts), strict=True))
    with tempfile.TemporaryDirectory() as folder:
        cache = FrameCache(Path(folder))
        bar = tqdm(legs, desc=f"walks, {pacing}", disable=None)
        walks = [walk_stats(_walk(generator, leg, cache, pacing)) for leg in bar]
    shares = np.linspace(0.0, 1.0, FRAMES)
    fades = [walk_stats(_cross_fade(leg, shares)) for leg in legs]
    cuts = [walk_stats(_cross_fade(leg, shares.round())) for leg in legs]
    note = f"medians of {pairs} walks; canvases: faded into each other; chance: cut"
    name = "walk" if pacing == "linear" else f"{pacing} walk"
    return _as_metrics(name, (walks, fades, cuts), BARS[pacing], note)


def _as_metrics(
    name: str, groups: Sequence[Sequence[WalkStats]], bars: Bars, note: str
) -> list[Metric]:
    """Metrics of walks, and of the cross-fades and cuts that these are compared with."""
    walks = groups[0]

    def metric(what: str, field: str, bar: float | None, *, at_most: bool = True) -> Metric:
        values = _medians(field, groups) if field != "ghosting" else _means(field, groups)
        return Metric(f"{name}: {what}", *values, bar=bar, at_most=at_most)

    # The threshold is for the softer end: a walk to a soft picture has to get softer.
    softest = metric("softest, of its softer end", "sharpness_softer_end", 0.8, at_most=False)
    most = max(walk.jump for walk in walks)
    return [
        replace(softest, note=note),
        metric("softest, of the line between", "sharpness_between", None),
        metric("largest step, in mean steps", "jump", bars.jump),
        Metric(f"{name}: largest step of all", most, bar=bars.most_jump, at_most=True),
        metric("variation of steps", "variation", bars.variation),
        metric("evenness", "evenness", None),
        metric("double exposures, share of frames", "ghosting", bars.ghosting),
        metric("directness", "directness", None),
    ]


def _walk(
    generator: PictureGenerator,
    leg: tuple[EvalPrompt, EvalPrompt],
    cache: FrameCache,
    pacing: PacingName,
) -> list[Frame]:
    rng = Random(f"{leg[0].text} {leg[1].text}")
    spec = WalkSpec(
        stops=tuple(Stop(prompt=prompt.text, seed=rng.randrange(2**31)) for prompt in leg),
        frames=FRAMES,
        pacing=pacing,
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


def _means(name: str, groups: Sequence[Sequence[WalkStats]]) -> tuple[float, float, float]:
    walks, fades, cuts = (fmean(getattr(stats, name) for stats in group) for group in groups)
    return walks, fades, cuts
