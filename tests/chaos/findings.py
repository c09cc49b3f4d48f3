"""What a chaos scenario finds, and what it is called by.

A module of this folder with a constant `SCENARIO` takes part in `python -m tests.chaos`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Self


@dataclass(frozen=True)
class Findings:
    """What went wrong in the runs of a scenario: the counts besides `runs` must all be 0."""

    runs: int
    lost: int = 0
    """Films that were told done and are gone, or whose bytes are wrong."""
    hidden: int = 0
    """Films that are stored, but that the Gallery does not show."""
    doubled: int = 0
    """Films or files that were stored or made twice."""
    resurrected: int = 0
    """Deleted films that came back."""
    numbers_given_twice: int = 0
    """Accession numbers that two walks were given, one after the other."""
    broken: int = 0
    """Inputs that were answered with an unforeseen error, late, or not at all."""
    figures: Mapping[str, Any] = field(default_factory=dict)
    """All else that was measured, for `--json`."""

    @property
    def counts(self) -> dict[str, int]:
        """The counts that must be 0, by the table's headings."""
        return {
            "lost": self.lost,
            "hidden": self.hidden,
            "doubled": self.doubled,
            "resurrected": self.resurrected,
            "numbers given twice": self.numbers_given_twice,
            "broken": self.broken,
        }

    @classmethod
    def add(cls, parts: Iterable[tuple[str, Self]]) -> Self:
        """Add up the findings of the parts of a scenario; their figures are kept by name."""
        named = dict(parts)
        fields = (
            *("runs", "lost", "hidden", "doubled", "resurrected", "numbers_given_twice", "broken"),
        )
        sums = {name: sum(getattr(part, name) for part in named.values()) for name in fields}
        return cls(**sums, figures={name: part.figures for name, part in named.items()})


@dataclass(frozen=True)
class Scenario:
    """A scenario: its name on the command line, and a function that runs it `count` times.

    Or for `count` seconds.
    """

    name: str
    count: int
    """How often it runs unless `--count` says otherwise, or how long unless `--seconds` does."""
    run: Callable[[int], Findings]
    unit: Literal["runs", "seconds"] = "runs"
