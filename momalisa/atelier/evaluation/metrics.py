"""Metrics of a model, each with its reference values and pass threshold, as a text table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from momalisa.atelier.evaluation.eval_prompts import EvalPrompt, derangement

Result = TypeVar("Result")
"""What a test checks: a picture, or what was detected in it."""


@dataclass(frozen=True)
class Metric:
    """One measure of a model."""

    name: str
    value: float | None
    """None if the metric is about canvases only."""
    canvases: float | None = None
    """The same metric for held-out canvases: the best value possible."""
    chance: float | None = None
    """The same metric for unrelated pictures."""
    bar: float | None = None
    """The pass threshold."""
    pictures: int | None = None
    """Sample size: a share of 100 pictures has a standard error of about 0.05."""
    at_most: bool = False
    """Whether the threshold is an upper bound."""
    note: str = ""

    @property
    def passed(self) -> bool | None:
        """Whether the value is within the threshold; None without a threshold or value."""
        if self.bar is None or self.value is None:
            return None
        return self.value <= self.bar if self.at_most else self.value >= self.bar


def pass_rate(
    test: Callable[[EvalPrompt, Result], bool],
    prompts: Sequence[EvalPrompt],
    results: Sequence[Result],
) -> float:
    """The share of prompts whose result passes a test, from 0 to 1."""
    pairs = zip(prompts, results, strict=True)
    return float(np.mean([test(prompt, result) for prompt, result in pairs]))


def compare(
    name: str,
    test: Callable[[EvalPrompt, Result], bool],
    prompts: Sequence[EvalPrompt],
    pictures: Sequence[Result],
    canvases: Sequence[Result],
    *,
    bar: float | None = None,
    note: str = "",
) -> Metric:
    """The pass rate of a model's pictures, of canvases, and of pictures of other prompts."""
    return Metric(
        name,
        pass_rate(test, prompts, pictures),
        pass_rate(test, prompts, canvases),
        pass_rate(test, derangement(prompts), pictures),
        bar,
        len(prompts),
        note=note,
    )


TABLE_HEADER = f"{'':44}{'value':>9}{'canvases':>10}{'chance':>9}{'bar':>9}{'of':>5}  held"


def format_metric(metric: Metric) -> str:
    """The metric as a line of the table under TABLE_HEADER."""
    passed = {None: "", True: "yes", False: "NO"}[metric.passed]
    bar = "" if metric.bar is None else f"{'<=' if metric.at_most else '>='} {metric.bar:g}"
    size = "" if metric.pictures is None else metric.pictures
    cells = [_format_number(n) for n in (metric.value, metric.canvases, metric.chance)]
    text = f"{metric.name:44}{cells[0]:>9}{cells[1]:>10}{cells[2]:>9}{bar:>9}{size:>5}  {passed:4}"
    return f"{text} {metric.note}".rstrip()


def _format_number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
