"""Which sampler, and how many steps: fewer against twenty from the same noise."""

import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from statistics import median

from diffusers import DPMSolverMultistepScheduler

from momalisa.atelier.evaluation.classifier import Connoisseur
from momalisa.atelier.evaluation.colour import has_all
from momalisa.atelier.evaluation.eval_prompts import Commission, of_colours, of_manners
from momalisa.atelier.evaluation.figures import share
from momalisa.atelier.evaluation.manner import is_manner
from momalisa.atelier.evaluation.sampler import Sampler
from momalisa.engine import perception
from momalisa.engine.frame_cache import Frame

STEPS = (8, 10, 12, 16, 20)
FULL = STEPS[-1]
OTHER_SEEDS = 1_000_000


@dataclass(frozen=True)
class StepsRow:
    """One sampler at a number of steps."""

    sampler: str
    steps: int
    colour: float
    """Share of prompts of two colours that have both."""
    manner: float
    """Share of prompts that name a manner that show it."""
    sharpness: float
    """Median sharpness, in that of the full number of steps."""
    distance: float
    """Median distance to the full picture, in that of full pictures of different noise."""
    seconds: float
    """For a picture, painted in batches."""


@dataclass(frozen=True)
class _Full:
    """The pictures of the full number of steps, and what every row is held against."""

    asked: list[Commission]
    pictures: list[Frame]
    apart: float
    """The median distance between pictures of one prompt and different noise."""


def compare_steps(sampler: Sampler, connoisseur: Connoisseur, count: int) -> list[StepsRow]:
    """The model's own scheduler and DPM-Solver++ (Lu et al. 2022), on 2 × `count` prompts."""
    asked = of_colours(count, sampler.size, grounded=True) + of_manners(count, sampler.size)
    prompts = [one.prompt for one in asked]
    best = replace(sampler, steps=FULL)
    pictures = best.paint(prompts)
    full = _Full(asked, pictures, _distance(pictures, best.paint(prompts, OTHER_SEEDS)))
    own = sampler.pipeline.scheduler
    solvers = {"own": own, "dpm++": DPMSolverMultistepScheduler.from_config(own.config)}
    return [
        _row(name, replace(sampler.with_scheduler(solver), steps=steps), full, connoisseur)
        for name, solver in solvers.items()
        for steps in STEPS
    ]


def _row(name: str, sampler: Sampler, full: _Full, connoisseur: Connoisseur) -> StepsRow:
    began = time.perf_counter()
    shown = sampler.paint([one.prompt for one in full.asked])
    seconds = time.perf_counter() - began
    half = len(shown) // 2
    manners = connoisseur.look(shown[half:]).manners
    return StepsRow(
        sampler=name,
        steps=sampler.steps,
        colour=share(has_all, full.asked[:half], shown[:half]),
        manner=share(is_manner, full.asked[half:], manners),
        sharpness=_sharpness(shown, full.pictures),
        distance=_distance(shown, full.pictures) / full.apart,
        seconds=seconds / len(shown),
    )


def _distance(some: Sequence[Frame], others: Sequence[Frame]) -> float:
    return median(perception.distance(a, b) for a, b in zip(some, others, strict=True))


def _sharpness(some: Sequence[Frame], others: Sequence[Frame]) -> float:
    pairs = zip(some, others, strict=True)
    return median(perception.sharpness(a) / max(perception.sharpness(b), 1e-9) for a, b in pairs)


def steps_table(rows: Sequence[StepsRow]) -> str:
    """The rows as aligned lines, with one head."""
    head = "".join(f"{field.name:>11}" for field in fields(StepsRow))
    return "\n".join([head, *(_line(row) for row in rows)])


def _line(row: StepsRow) -> str:
    name, steps, *numbers = astuple(row)
    return f"{name:>11}{steps:>11}" + "".join(f"{number:>11.3f}" for number in numbers)
