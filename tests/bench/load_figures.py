"""What `tests.bench.load` measured, and whether it is as promised."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from db.models import Walk
from db.session import reading

MAKERS = 50
LIMIT = 1.0
"""Seconds at the 95th percentile that a page may take."""


@dataclass
class Pages:
    """Seconds that pages took, by kind, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)
    fragment_runs: int = 0

    def summary(self) -> dict[str, Any]:
        """Percentiles of all pages, and the 95th of each kind."""
        everything = [value for values in self.seconds.values() for value in values]
        return {
            "pages": len(everything),
            "p50": percentile(everything, 50),
            "p95": percentile(everything, 95),
            "max": round(max(everything, default=0.0), 3),
            "p95 by page": {name: percentile(v, 95) for name, v in sorted(self.seconds.items())},
            "fragment runs": self.fragment_runs,
            "errors": self.errors[:5],
            "number of errors": len(self.errors),
        }


def percentile(values: Sequence[float], share: int) -> float:
    """The value that this share, in percent, stays below; 0 of none."""
    if len(values) < 2:
        return round(max(values, default=0.0), 3)
    return round(statistics.quantiles(values, n=100, method="inclusive")[share - 1], 3)


def judge_queue(url: str) -> dict[str, Any]:
    """How the walks of the queue ended, how fair their order was, and how long they waited."""
    with reading(url) as session:
        rows = session.execute(
            select(Walk.maker, Walk.state, Walk.created_at, Walk.started_at, Walk.attempt)
            .where(Walk.maker != "")
            .order_by(Walk.started_at)
        ).all()
    makers = [maker for maker, *_ in rows]
    ahead = [
        sum(created < other_start < started for _, _, _, other_start, _ in rows if other_start)
        for maker, _, created, started, _ in rows
        if maker.startswith("newcomer") and started
    ]
    waits = [(started - created).total_seconds() for _, _, created, started, _ in rows if started]
    return {
        "walks": len(rows),
        "states": dict(Counter(str(state) for _, state, *_ in rows)),
        "started more than once": sum(attempt > 1 for *_, attempt in rows),
        "largest lead of a maker, in walks": largest_lead(makers),
        "walks started before a newcomer's": {"max": max(ahead, default=0), "makers": MAKERS},
        "seconds waited": {
            "p50": percentile(waits, 50),
            "p95": percentile(waits, 95),
            "max": round(max(waits, default=0.0), 1),
        },
    }


def largest_lead(makers: Sequence[str]) -> int:
    """The most walks that one maker was served more than another who was waiting all the time.

    `makers` are those of the started walks, in their order; newcomers are left out. 1 is a fair
    turn: one of them was served, the other is next.
    """
    makers = [maker for maker in makers if not maker.startswith("newcomer")]
    left, served, lead = Counter(makers), Counter(dict.fromkeys(makers, 0)), 0
    for maker in makers:
        served[maker] += 1
        left[maker] -= 1
        waiting = [served[other] for other in served if left[other]]
        lead = max([lead, *(served[maker] - count for count in waiting)])
    return lead


def find_misses(figures: dict[str, Any]) -> list[str]:
    """What was promised and not kept."""
    queue, misses = figures["queue"], []
    for name in ("sessions", "browsers"):
        if figures[name]["p95"] > LIMIT:
            misses.append(f"{name}: {figures[name]['p95']} s at the 95th percentile")
        if figures[name]["number of errors"]:
            misses.append(f"{name}: errors")
    if queue["states"] != {"done": queue["walks"]}:
        misses.append("not every walk was made")
    # Four workers start walks at the same time, so neighbours in the order may be swapped.
    if queue["largest lead of a maker, in walks"] > 2:
        misses.append("unfair turns")
    if queue["walks started before a newcomer's"]["max"] > MAKERS + figures["workers"] + 20:
        misses.append("a newcomer waited for more than a round")
    return misses
