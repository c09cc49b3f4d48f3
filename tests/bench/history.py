"""Database benchmark on SQLite and PostgreSQL: `python -m tests.bench.history`.

Measures the walks that four processes claim a second, the time of every query of the Gallery on
50,000 rows, and what is lost by 200 times `kill -9` during work and migrations.
"""

import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from db import gallery_query, walks
from db.gallery_query import ORDERS, Sort
from db.models import IS_DONE, SORT_LENGTH, State, Tag, Walk
from db.session import get_engine, reading, sqlite_file, writing
from db.text import accession_to_int, generate_id, normalize_words
from tests.bench.command import new_parser, write_figures
from tests.chaos.kills import FORK, measure_killed_migrations, measure_kills
from tests.support.databases import Databases, SQLite, postgresql_programs, running_postgresql
from tests.support.walks import claim_walk, enqueue_walk_in, finish_walk, random_spec

ROWS, REPEATS = 50_000, 30
WALKS, WORKERS = 2_000, 4


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the measurements, print a table and write JSON if a file is named."""
    measures = {
        "claims": claims,
        "queries": queries,
        "kills": measure_kills,
        "killed-migrations": measure_killed_migrations,
    }
    parser = new_parser("history", __doc__)
    parser.add_argument("measures", nargs="*", metavar="MEASURE", help=", ".join(measures))
    options = parser.parse_args(arguments)
    figures: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as servers:
        kinds: dict[str, Databases] = {"SQLite": SQLite(Path(folder))}
        if programs := postgresql_programs():
            kinds["PostgreSQL"] = servers.enter_context(running_postgresql(programs))
        for kind, databases in kinds.items():
            figures[kind] = {}
            for name in options.measures or measures:
                print(f"{kind}: {name}", file=sys.stderr)
                figures[kind] |= measures[name](databases)
    _print_table(figures)
    write_figures(figures, options.json)


def _print_table(figures: dict[str, dict[str, float]]) -> None:
    for kind, values in figures.items():
        print(f"\n{kind}")
        for name, value in values.items():
            print(f"  {name:60} {value:10.1f}")


def claims(databases: Databases) -> dict[str, float]:
    """Measure how fast four processes empty a queue of 2,000 walks."""
    url = databases.fresh()
    walk_ids = _fill_queue(url)
    finished = FORK.SimpleQueue()
    workers = [FORK.Process(target=_empty_queue, args=(url, finished)) for _ in range(WORKERS)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    counts = Counter(walk_id for _ in workers for walk_id in finished.get())
    seconds = time.perf_counter() - began
    for worker in workers:
        worker.join()
    with reading(url) as session:
        states = Counter(session.scalars(select(Walk.state)))
    return {
        "walks claimed and finished a second, 4 processes": WALKS / seconds,
        "of 2,000 walks finished exactly once": sum(counts[each] == 1 for each in walk_ids),
        "of 2,000 rows done": states[State.DONE],
    }


def _fill_queue(url: str) -> set[str]:
    with writing(url) as session:
        walk_ids = {
            enqueue_walk_in(session, **random_spec(random.Random(n)), maker=f"maker {n % 3}").id
            for n in range(WALKS)
        }
    get_engine(url).dispose()
    return walk_ids


def _empty_queue(url: str, finished: Any) -> None:
    walk_ids = []
    while (walk := claim_walk(url)) is not None:
        if finish_walk(url, walk):
            walk_ids.append(walk.id)
    get_engine(url).dispose()
    finished.put(walk_ids)


def queries(databases: Databases) -> dict[str, float]:
    """Measure the 95th percentile, in ms, of each query of the Gallery.

    On a busy machine the CPU time of this process says more; SQLite runs in this process.
    """
    url = databases.fresh()
    _fill_gallery(url)
    figures: dict[str, float] = {}
    for name, query in _queries(url).items():
        kind = "search" if name.startswith("search") else "query"
        for clock, milliseconds in _p95(url, query).items():
            slowest = f"SLOWEST {kind}, p95 ms{clock}"
            figures[f"{name}, p95 ms{clock}"] = milliseconds
            figures[slowest] = max(milliseconds, figures.pop(slowest, 0.0))
    return figures


def _fill_gallery(url: str) -> None:
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
        # PostgreSQL's autovacuum would do so within a minute.
        engine = get_engine(url).execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("VACUUM ANALYZE"))


def _row(random_: random.Random, number: int) -> dict[str, Any]:
    spec = random_spec(random_)
    prompts = [stop["prompt"] for stop in spec["stops"]]
    title, accession = " → ".join(prompts), f"ML.2026.{number:05d}"
    moment = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    walk_id = generate_id()
    return {
        **{name: value for name, value in spec.items() if name != "stops"},
        "id": walk_id,
        "accession": accession,
        "state": State.DONE,
        "created_at": moment,
        "started_at": moment,
        "finished_at": moment + timedelta(seconds=20),
        "title": title,
        "spec": spec,
        "digest": f"{number:064x}",
        "progress": [[place, f"{place:064x}"] for place in range(24)],
        "frames_total": random_.randrange(8, 200),
        "distances": [random_.random() for _ in range(23)],
        "evenness": random_.random(),
        "sharpness": 1.0,
        "files": {kind: f"saved_predictions/{walk_id}/film.{kind}" for kind in ("gif", "webp")},
        "star": random_.random() < 0.01,
        "waiting": random_.random() < 0.0005,
        "words": normalize_words([title, accession, *prompts]),
        "sort_title": normalize_words([title])[:SORT_LENGTH],
        "number": accession_to_int(accession),
    }


def _queries(url: str) -> dict[str, Callable[[Session], object]]:
    """Collect the Gallery's queries by name, with pages of 25."""
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
    queries: dict[str, Callable[[Session], object]] = {}

    def add(name: str, **arguments: Any) -> None:
        queries[f"{name}: page"] = lambda session: walks.list_page(
            session=session, limit=25, **arguments
        )
        if not arguments.keys() & {"sort", "before"}:
            queries[f"{name}: count"] = lambda session: walks.count(session=session, **arguments)

    for name, arguments in filters.items():
        add(name, **arguments)
    for sort in get_args(Sort):
        add(f"by {sort}", sort=sort)
        add(f"by {sort}, deep", sort=sort, before=_walk_id_at_80_percent(url, sort))
    add("starred by title", starred=True, sort="title")
    for search in searches:
        add(f"search “{search}”", search=search)
    add("search “crimson” by evenness", search="crimson", sort="evenness")
    return queries | {
        "choices": lambda session: gallery_query.list_filter_values(session=session),
        "same film": lambda session: walks.list_same_films(session=session, digest=f"{4711:064x}"),
    }


def _walk_id_at_80_percent(url: str, sort: Sort) -> str:
    order = select(Walk.id).where(IS_DONE).order_by(*ORDERS[sort].sort_columns())
    with reading(url) as session:
        return session.scalars(order.offset(ROWS * 4 // 5).limit(1)).one()


def _p95(url: str, query: Callable[[Session], object]) -> dict[str, float]:
    clocks = {"": time.perf_counter, " CPU": time.process_time}
    samples: dict[str, list[float]] = {name: [] for name in clocks}
    for _ in range(REPEATS):
        with reading(url) as session:
            began = {name: clock() for name, clock in clocks.items()}
            query(session)
            for name, clock in clocks.items():
                samples[name].append(1000 * (clock() - began[name]))
    return {name: statistics.quantiles(times, n=20)[-1] for name, times in samples.items()}


if __name__ == "__main__":
    main()
