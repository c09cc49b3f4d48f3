"""Compares the engine of two checkouts on the same walks, in one sitting.

Each checkout renders in a process of its own that loads the model once. The two take turns, A B,
then B A, so that a busy machine slows both alike. What counts is the median of the ratios within
such pairs, and its confidence interval.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from momalisa.settings import CHECKOUT
from momalisa.spec import WalkSpec

WALKS: dict[str, dict[str, Any]] = {
    "exact": {"mode": "exact"},
    "fast": {"mode": "fast"},
    "fast, even": {"mode": "fast", "pacing": "even"},
}
CLOCKS = ("seconds", "CPU seconds")
LEVEL = 0.95
"""The probability with which a confidence interval holds the median."""


@dataclass(frozen=True)
class TimedEngine:
    """The engine of a checkout, in a process that waits for walks."""

    process: "subprocess.Popen[str]"

    def render(self, spec: WalkSpec) -> dict[str, Any]:
        """Render a walk; returns its seconds, CPU seconds and the digest of its frames."""
        assert self.process.stdin is not None
        self.process.stdin.write(spec.model_dump_json() + "\n")
        self.process.stdin.flush()
        return self.read()

    def read(self) -> dict[str, Any]:
        """Read the next line of JSON. Raises EOFError when the process has ended."""
        assert self.process.stdout is not None
        if not (line := self.process.stdout.readline()):
            raise EOFError(f"the engine ended with exit code {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def timed_engine(checkout: Path, model: str, device: str) -> Iterator[TimedEngine]:
    """Start the engine of a checkout with an empty home."""
    script = Path(__file__).with_name("timing_worker.py")
    with tempfile.TemporaryDirectory() as home:
        process = subprocess.Popen(
            [sys.executable, script, model, device],
            cwd=checkout,
            # Threads that wait must not take time from the other engine.
            env=os.environ | {"MOMALISA_HOME": home, "OMP_WAIT_POLICY": "PASSIVE"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                engine = TimedEngine(process)
                engine.read()
                yield engine
            finally:
                process.kill()


def compare_checkouts(
    other: Path, specs: Mapping[str, Sequence[WalkSpec]], model: str, device: str
) -> dict[str, dict[str, Any]]:
    """Render every spec with both engines; returns the figures of each kind of walk.

    A ratio is this checkout's seconds divided by the other's.
    """
    with ExitStack() as stack:
        here, there = (
            stack.enter_context(timed_engine(checkout, model, device))
            for checkout in (CHECKOUT, other)
        )
        for kind in specs.values():  # the first walk of a kind compiles and fills caches
            for engine in (here, there):
                engine.render(kind[0])
        pairs: dict[str, list[tuple[dict[str, Any], dict[str, Any]]]] = {name: [] for name in specs}
        for turn, walks in enumerate(zip(*specs.values(), strict=True)):
            for name, spec in zip(specs, walks, strict=True):
                if turn % 2:
                    pairs[name].append((here.render(spec), there.render(spec)))
                else:
                    theirs = there.render(spec)
                    pairs[name].append((here.render(spec), theirs))
    return {name: summarize(runs) for name, runs in pairs.items()}


def summarize(pairs: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> dict[str, Any]:
    """Compute the medians of both engines' times and of their ratios."""
    figures: dict[str, Any] = {
        "pairs": len(pairs),
        "pairs with identical frames": sum(a["sha256"] == b["sha256"] for a, b in pairs),
    }
    for clock in CLOCKS:
        ratios = [here[clock] / there[clock] for here, there in pairs]
        figures[clock] = {
            "this checkout": median(here[clock] for here, _ in pairs),
            "other checkout": median(there[clock] for _, there in pairs),
            "ratio": median(ratios),
            "interval of the ratio": interval_of_median(ratios),
        }
    return figures


def interval_of_median(values: Sequence[float]) -> tuple[float, float]:
    """Compute the confidence interval of a median from order statistics (Conover 1999, 3.2).

    Under 6 values it is the range of all values, which holds the median less often.
    """
    ordered, rank, tail = sorted(values), 0, 0.0
    while (tail := tail + math.comb(len(ordered), rank) / 2 ** len(ordered)) <= (1 - LEVEL) / 2:
        rank += 1
    index = max(rank - 1, 0)
    return ordered[index], ordered[-1 - index]


def print_comparison(figures: dict[str, dict[str, Any]]) -> None:
    """Print a table with a line for each kind of walk and clock."""
    print("walk | clock | this | other | ratio | 95 % interval | pairs | identical frames")
    for name, values in figures.items():
        for clock in CLOCKS:
            times = values[clock]
            low, high = times["interval of the ratio"]
            cells = [name, clock]
            cells += [f"{times[key]:.2f}" for key in ("this checkout", "other checkout")]
            cells += [f"{times['ratio']:.3f}", f"{low:.3f} to {high:.3f}"]
            cells += [f"{values[key]}" for key in ("pairs", "pairs with identical frames")]
            print(" | ".join(cells))
