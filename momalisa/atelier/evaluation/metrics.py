"""Metrics of a model, each with its reference values and pass threshold, as a Markdown table."""

from collections.abc import Callable, Mapping, Sequence
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


def format_metrics(columns: Mapping[str, Sequence[Metric]]) -> str:
    """A Markdown table of the metrics of each setting, a column each, matched by their names.

    A value beyond its threshold is marked. The columns of canvases and chance are empty where a
    metric has no such reference.
    """
    by_setting = [{metric.name: metric for metric in metrics} for metrics in columns.values()]
    names = dict.fromkeys(name for metrics in by_setting for name in metrics)
    rows = [_format_row([metrics.get(name) for metrics in by_setting]) for name in names]
    return format_table(["", *columns, "canvases", "chance", "bar", "of", "note"], rows)


def format_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _format_row(metrics: Sequence[Metric | None]) -> list[str]:
    """The row of one metric: its value for each setting, if measured, and what they share."""
    measured = [metric for metric in metrics if metric]
    metric = measured[0]
    bar = "" if metric.bar is None else f"{'<=' if metric.at_most else '>='} {metric.bar:g}"
    return [
        metric.name.strip(),
        *(format_value(metric) if metric else "" for metric in metrics),
        _format_number(metric.canvases),
        _format_number(metric.chance),
        bar,
        "" if metric.pictures is None else str(metric.pictures),
        "; ".join(dict.fromkeys(filter(None, (metric.note for metric in measured)))),
    ]


def format_value(metric: Metric) -> str:
    """The value, marked if it is beyond the threshold."""
    return _format_number(metric.value) + (" (missed)" if metric.passed is False else "")


def _format_number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
