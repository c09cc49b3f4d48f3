"""Figures, each beside its reference and its bar; the lines of their table."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from momalisa.atelier.evaluation.eval_prompts import Commission, strangers

Seen = TypeVar("Seen")
"""What a test looks at: a picture, or what somebody saw in it."""


@dataclass(frozen=True)
class Figure:
    """One measure of a model."""

    name: str
    value: float | None
    """None where only canvases were looked at."""
    canvases: float | None = None
    """The same measure of held-out canvases: the best there could be."""
    chance: float | None = None
    bar: float | None = None
    pictures: int | None = None
    """How many were looked at: a share of 100 is sure to about 0.05."""
    at_most: bool = False
    """The bar is a ceiling, not a floor."""
    note: str = ""

    @property
    def held(self) -> bool | None:
        """Whether the bar holds; None where there is none."""
        if self.bar is None or self.value is None:
            return None
        return self.value <= self.bar if self.at_most else self.value >= self.bar


def share(
    test: Callable[[Commission, Seen], bool], asked: Sequence[Commission], seen: Sequence[Seen]
) -> float:
    """The share of commissions whose picture passes a test, from 0 to 1."""
    return float(np.mean([test(a, s) for a, s in zip(asked, seen, strict=True)]))


def compared(
    name: str,
    test: Callable[[Commission, Seen], bool],
    asked: Sequence[Commission],
    shown: Sequence[Seen],
    canvases: Sequence[Seen],
    *,
    bar: float | None = None,
    note: str = "",
) -> Figure:
    """The share of pictures that pass a test, of canvases, and of pictures of other prompts."""
    return Figure(
        name,
        share(test, asked, shown),
        share(test, asked, canvases),
        share(test, strangers(asked), shown),
        bar,
        len(asked),
        note=note,
    )


HEAD = f"{'':44}{'value':>9}{'canvases':>10}{'chance':>9}{'bar':>9}{'of':>5}  held"


def line(figure: Figure) -> str:
    """The figure as a line of the table under HEAD."""
    held = {None: "", True: "yes", False: "NO"}[figure.held]
    bar = "" if figure.bar is None else f"{'<=' if figure.at_most else '>='} {figure.bar:g}"
    of = "" if figure.pictures is None else figure.pictures
    cells = [_number(n) for n in (figure.value, figure.canvases, figure.chance)]
    text = f"{figure.name:44}{cells[0]:>9}{cells[1]:>10}{cells[2]:>9}{bar:>9}{of:>5}  {held:4}"
    return f"{text} {figure.note}".rstrip()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
