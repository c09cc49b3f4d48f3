"""What the history can bear, on SQLite and PostgreSQL: `python -m tests.bench.history`.

Claims a second by four processes, the time of every question the Gallery asks of 50,000 rows,
and what is left of walks after 200 times `kill -9`, in the midst of work and of migrations.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from db import walks
from db.gallery_query import ORDERS, Sort
from db.models import DONE, SORT_LENGTH, State, Tag, Walk, folded, new_id, number_of
from db.session import engine_for, reading, sqlite_file, writing
from tests.chaos.kills import killed_migrations, kills
from tests.support.databases import Databases, SQLite, postgresql, programs
from tests.support.stub_walks import claims, spec

ROWS, TIMES = 50_000, 30


def main() -> None:
    """Measure, print a table, and write the figures as JSON if asked to."""
    measures = {one.__name__: one for one in (claims, questions, kills, killed_migrations)}
    parser = argparse.ArgumentParser(prog="python -m tests.bench.history", description=__doc__)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(measures))
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures there")
    options = parser.parse_args()
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        kinds: dict[str, Databases] = {"SQLite": SQLite(Path(folder))}
        if found := programs():
            kinds["PostgreSQL"] = running.enter_context(postgresql(found))
        for kind, databases in kinds.items():
            figures[kind] = {}
            for name in options.measures or measures:
                print(f"{kind}: {name}", file=sys.stderr)
                figures[kind] |= measures[name](databases)
    for kind, values in figures.items():
        print(f"\n{kind}")
        for name, value in values.items():
            print(f"  {name:60} {value:10.1f}")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))


def questions(databases: Databases) -> dict[str, float]:
    """The 95th percentile, in ms, of each question the Gallery asks.

    On a busy machine the time of this process alone says more: for SQLite, that is all there is.
    """
    url = databases.fresh()
    _fill(url)
    figures: dict[str, float] = {}
    for name, question in _questions(url).items():
        kind = "search" if name.startswith("search") else "question"
        for clock, milliseconds in _p95(url, question).items():
            slowest = f"SLOWEST {kind}, p95 ms{clock}"
            figures[f"{name}, p95 ms{clock}"] = milliseconds
            figures[slowest] = max(milliseconds, figures.pop(slowest, 0.0))
    return figures


def _fill(url: str) -> None:
    random_ = random.Random(0)
    for start in range(0, ROWS, 2_500):
        rows = [_row(random_, number) for number in range(start, start + 2_500)]
        tags = [
            {"walk_id": row["id"], "name": name}
            for row in rows
            for name, share in (("common", 0.3), ("rare", 0.001))
            if random_.random() < share
        ]
        with writing(url) as session:
            session.execute(insert(Walk), rows)
            session.execute(insert(Tag), tags)
    if sqlite_file(url) is None:
        # Within a minute PostgreSQL does so by itself.
        with engine_for(url).connect().execution_options(isolation_level="AUTOCOMMIT") as it:
            it.execute(text("VACUUM ANALYZE"))


def _row(random_: random.Random, number: int) -> dict[str, Any]:
    wanted = spec(random_)
    prompts = [stop["prompt"] for stop in wanted["stops"]]
    title, accession = " → ".join(prompts), f"ML.2026.{number:05d}"
    moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    walk_id = new_id()
    return {
        **{name: value for name, value in wanted.items() if name != "stops"},
        "id": walk_id,
        "accession": accession,
        "state": State.DONE,
        "created_at": moment,
        "started_at": moment,
        "finished_at": moment + timedelta(seconds=20),
        "title": title,
        "spec": wanted,
        "digest": f"{number:064x}",
        "progress": [[place, f"{place:064x}"] for place in range(24)],
        "frames_total": random_.randrange(8, 200),
        "distances": [random_.random() for _ in range(23)],
        "evenness": random_.random(),
        "sharpness": 1.0,
        "files": {kind: f"saved_predictions/{walk_id}/film.{kind}" for kind in ("gif", "webp")},
        "star": random_.random() < 0.01,
        "waiting": random_.random() < 0.0005,
        "words": folded([title, accession, *prompts]),
        "sort_title": folded([title])[:SORT_LENGTH],
        "number": number_of(accession),
    }


def _questions(url: str) -> dict[str, Callable[[Session], object]]:
    """By name, what the Gallery asks; pages of 25, as there."""
    filters: dict[str, dict[str, Any]] = {
        "all": {},
        "common model": {"model": "atelier"},
        "rare model": {"model": "rare"},
        "pacing": {"pacing": "ease"},
        "model and pacing": {"model": "rare", "pacing": "ease"},
        "starred": {"starred": True},
        "waiting": {"waiting": True},
        "common tag": {"tags": ["common"]},
        "rare tag": {"tags": ["rare"]},
        "dates": {"since": datetime(2020, 1, 9).date(), "until": datetime(2020, 1, 12).date()},
    }
    searches = ("crimson", "crim", "c", "a", "night", "crimson desert", "2026.4711", "nowhere")
    found: dict[str, Callable[[Session], object]] = {}

    def add(name: str, **wanted: Any) -> None:
        found[f"{name}: page"] = lambda session: walks.page(session=session, limit=25, **wanted)
        if not wanted.keys() & {"sort", "before"}:
            found[f"{name}: count"] = lambda session: walks.count(session=session, **wanted)

    for name, wanted in filters.items():
        add(name, **wanted)
    for sort in get_args(Sort):
        add(f"by {sort}", sort=sort)
        add(f"by {sort}, deep", sort=sort, before=_deep(url, sort))
    add("starred by title", starred=True, sort="title")
    for words in searches:
        add(f"search “{words}”", search=words)
    add("search “crimson” by evenness", search="crimson", sort="evenness")
    return found | {
        "choices": lambda session: walks.choices(session=session),
        "same film": lambda session: walks.same_film(session=session, digest=f"{4711:064x}"),
    }


def _deep(url: str, sort: Sort) -> str:
    order = select(Walk.id).where(DONE).order_by(*ORDERS[sort].by())
    with reading(url) as session:
        return session.scalars(order.offset(ROWS * 4 // 5).limit(1)).one()


def _p95(url: str, question: Callable[[Session], object]) -> dict[str, float]:
    clocks = {"": time.perf_counter, " of this process": time.process_time}
    taken: dict[str, list[float]] = {name: [] for name in clocks}
    for _ in range(TIMES):
        with reading(url) as session:
            began = {name: clock() for name, clock in clocks.items()}
            question(session)
            for name, clock in clocks.items():
                taken[name].append(1000 * (clock() - began[name]))
    return {name: statistics.quantiles(times, n=20)[-1] for name, times in taken.items()}


if __name__ == "__main__":
    main()
