"""Compares schedulers and numbers of steps with 20 steps from the same noise."""

import time
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from statistics import median

from diffusers import DPMSolverMultistepScheduler

from momalisa.atelier.evaluation.classifier import Classifier
from momalisa.atelier.evaluation.colour import has_all_colours
from momalisa.atelier.evaluation.eval_prompts import EvalPrompt, colour_prompts, manner_prompts
from momalisa.atelier.evaluation.manner import is_manner
from momalisa.atelier.evaluation.metrics import format_table, pass_rate
from momalisa.atelier.evaluation.picture_generator import PictureGenerator
from momalisa.engine import perception
from momalisa.engine.frame_cache import Frame

STEPS = (8, 10, 12, 16, 20)
FULL_STEPS = STEPS[-1]
OTHER_SEEDS = 1_000_000


@dataclass(frozen=True)
class StepCountResult:
    """Metrics of one scheduler with one number of steps."""

    sampler: str
    steps: int
    colour: float
    """Share of prompts of two colours whose picture has both."""
    manner: float
    """Share of prompts of a manner whose picture has it."""
    sharpness: float
    """Median sharpness, relative to the reference picture."""
    distance: float
    """Median distance to the reference picture, relative to that between different noise."""
    seconds: float
    """Per picture, in batches."""


@dataclass(frozen=True)
class _Reference:
    """Pictures with FULL_STEPS steps, with which every other setting is compared."""

    prompts: list[EvalPrompt]
    pictures: list[Frame]
    seed_distance: float
    """The median distance between pictures of one prompt and different noise."""


def compare_steps(
    generator: PictureGenerator, classifier: Classifier, count: int
) -> list[StepCountResult]:
    """Compare the model's scheduler and DPM-Solver++ (Lu et al. 2022) on 2 × `count` prompts."""
    size = generator.size
    prompts = colour_prompts(count, size, grounded=True) + manner_prompts(count, size)
    texts = [prompt.text for prompt in prompts]
    best = replace(generator, steps=FULL_STEPS)
    pictures = best.generate(texts)
    seed_distance = _median_distance(pictures, best.generate(texts, OTHER_SEEDS))
    reference = _Reference(prompts, pictures, seed_distance)
    own = generator.pipeline.scheduler
    solvers = {"own": own, "dpm++": DPMSolverMultistepScheduler.from_config(own.config)}
    return [
        _measure(
            name, replace(generator.with_scheduler(solver), steps=steps), reference, classifier
        )
        for name, solver in solvers.items()
        for steps in STEPS
    ]


def _measure(
    name: str, generator: PictureGenerator, reference: _Reference, classifier: Classifier
) -> StepCountResult:
    prompts = reference.prompts
    start = time.perf_counter()
    pictures = generator.generate([prompt.text for prompt in prompts])
    seconds = time.perf_counter() - start
    half = len(pictures) // 2
    manners = classifier.predict(pictures[half:]).manners
    return StepCountResult(
        sampler=name,
        steps=generator.steps,
        colour=pass_rate(has_all_colours, prompts[:half], pictures[:half]),
        manner=pass_rate(is_manner, prompts[half:], manners),
        sharpness=_median_sharpness(pictures, reference.pictures),
        distance=_median_distance(pictures, reference.pictures) / reference.seed_distance,
        seconds=seconds / len(pictures),
    )


def _median_distance(pictures: Sequence[Frame], others: Sequence[Frame]) -> float:
    return median(perception.distance(a, b) for a, b in zip(pictures, others, strict=True))


def _median_sharpness(pictures: Sequence[Frame], others: Sequence[Frame]) -> float:
    pairs = zip(pictures, others, strict=True)
    return median(perception.sharpness(a) / max(perception.sharpness(b), 1e-9) for a, b in pairs)


def format_results(results: Sequence[StepCountResult]) -> str:
    """The results as a Markdown table."""
    rows = [[one.sampler, *(f"{number:g}" for number in _round(one))] for one in results]
    return format_table([field.name for field in fields(StepCountResult)], rows)


def _round(result: StepCountResult) -> list[float]:
    """The result's numbers, to three decimals."""
    return [round(number, 3) for number in astuple(result)[1:]]
