"""Random walks: do they keep their sharpness, and do they jump?"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from momalisa.atelier.evaluation.eval_prompts import Commission, of_manners, strangers
from momalisa.atelier.evaluation.figures import Figure
from momalisa.atelier.evaluation.sampler import Sampler
from momalisa.engine import perception
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.walk import frames
from momalisa.spec import Stop, WalkSpec

FRAMES = 24


@dataclass(frozen=True)
class Gait:
    """How a walk goes."""

    softest: float
    """The sharpness of its least sharp frame, against the line between its ends."""
    softer: float
    """The same, against its softer end alone: 1 for a cut."""
    jump: float
    """Its largest step, in its mean step: 1 for an even walk."""
    evenness: float


def gait(walked: Sequence[Frame]) -> Gait:
    """Measure a walk's frames."""
    steps = perception.steps(walked)
    jump = max(steps) / max(float(np.mean(steps)), 1e-9)
    sharp = [perception.sharpness(frame) for frame in walked]
    return Gait(
        softest=perception.relative_sharpness(walked),
        softer=min(sharp) / max(min(sharp[0], sharp[-1]), 1e-9),
        jump=jump,
        evenness=perception.evenness(steps),
    )


def judge_walks(sampler: Sampler, pairs: int) -> list[Figure]:
    """Linear walks between `pairs` random pairs of held-out prompts, beside fades and cuts.

    In the column of canvases, those of the prompts are faded into each other pixel by pixel;
    in that of chance, one follows the other at a cut.
    """
    starts = of_manners(pairs, sampler.size)
    legs = list(zip(starts, strangers(starts), strict=True))
    with tempfile.TemporaryDirectory() as folder:
        cache = FrameCache(Path(folder))
        walked = [
            gait(_walk(sampler, leg, cache)) for leg in tqdm(legs, desc="walks", disable=None)
        ]
    faded = [gait(_mixed(leg, np.linspace(0.0, 1.0, FRAMES))) for leg in legs]
    cut = [gait(_mixed(leg, np.linspace(0.0, 1.0, FRAMES).round())) for leg in legs]
    ways = walked, faded, cut
    note = f"medians of {pairs} walks; canvases: faded into each other; chance: cut"
    return [
        # Of its softer end: no walk to a soft picture could stay as sharp as a sharp one.
        Figure("walk: softest, of its softer end", *_medians("softer", ways), bar=0.8, note=note),
        Figure("walk: softest, of the line between", *_medians("softest", ways)),
        Figure("walk: largest jump, in mean steps", *_medians("jump", ways)),
        Figure("walk: largest jump of all", max(way.jump for way in walked)),
        Figure("walk: evenness", *_medians("evenness", ways)),
    ]


def _walk(sampler: Sampler, leg: tuple[Commission, Commission], cache: FrameCache) -> list[Frame]:
    dice = Random(f"{leg[0].prompt} {leg[1].prompt}")
    spec = WalkSpec(
        stops=tuple(Stop(prompt=one.prompt, seed=dice.randrange(2**31)) for one in leg),
        frames=FRAMES,
        steps=sampler.steps,
        guidance=sampler.guidance,
        size=sampler.size,
    )
    done = {one.index: one.frame for one in frames(spec, sampler.runner, cache)}
    return [done[index] for index in range(len(done))]


def _mixed(leg: tuple[Commission, Commission], shares: NDArray[np.float64]) -> list[Frame]:
    """The second canvas over the first, by shares from 0 to 1."""
    first, second = (one.canvas.astype(np.float32) for one in leg)
    return [(first + share * (second - first)).round().astype(np.uint8) for share in shares]


def _medians(name: str, ways: Sequence[Sequence[Gait]]) -> tuple[float, float, float]:
    walked, faded, cut = (median(getattr(one, name) for one in gaits) for gaits in ways)
    return walked, faded, cut
