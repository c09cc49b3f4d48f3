"""`python -m tests.history [--json FILE]`: what the history can bear, on SQLite and PostgreSQL.

Claims a second by four processes, the time of every question the Gallery asks of 50,000 rows,
and what is left of walks after 200 times `kill -9`, in the midst of work and of migrations.
"""

import argparse
import itertools
import json
import multiprocessing
import os
import random
import signal
import sqlite3
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from sqlalchemy import func, insert, select, text
from sqlalchemy.orm import Session

from db import queue, walks
from db.models import DONE, SORT_LENGTH, State, Tag, Walk, folded, new_id, number_of
from db.session import engine_for, migrate, reading, sqlite_file, writing
from db.wanted import ORDERS, Sort
from tests.databases import Databases, SQLite, postgresql, programs

WALKS, WORKERS, ROWS, KILLS, TIMES = 2_000, 4, 50_000, 200, 30
LEASE = 0.2
SCHEMA = Path(__file__).parent / "db" / "schemas" / "0001.sqlite.sql"
NOUNS = ("square", "circle", "sea", "star", "moon", "stripe", "desert", "wave", "tower", "bird")
COLOURS = ("red", "blue", "ochre", "teal", "black", "white", "crimson", "umber", "ivory", "amber")
FORK = multiprocessing.get_context("fork")


def main() -> None:
    """Measure, print a table, and write the figures as JSON if asked to."""
    measures = {one.__name__: one for one in (claims, questions, kills, killed_migrations)}
    parser = argparse.ArgumentParser(prog="python -m tests.history", description=__doc__)
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


def spec(random_: random.Random) -> dict[str, Any]:
    """Settings of some walk."""
    prompts = [f"a {random_.choice(COLOURS)} {random_.choice(NOUNS)} at night" for _ in range(2)]
    return {
        "stops": [{"prompt": prompt, "seed": random_.randrange(2**31)} for prompt in prompts],
        "model": random_.choices(["atelier", "sd15", "rare"], [90, 9.9, 0.1])[0],
        "pacing": random_.choice(["linear", "ease", "dense-middle"]),
        "interpolation": "lerp",
        "frames": 24,
        "steps": 16,
        "guidance": 4.0,
        "size": 256,
    }


def ask(session: Session, number: int = 0) -> str:
    """Put a stub walk into the queue, of one of three makers."""
    return walks.enqueue(
        session=session,
        spec=spec(random.Random(number)),
        digest="d",
        title="a → b",
        frames_total=24,
        maker=f"maker {number % 3}",
    ).id


# Claims


def claims(databases: Databases) -> dict[str, float]:
    """Four processes empty a queue of 2,000 walks."""
    url = databases.fresh()
    with writing(url) as session:
        asked = {ask(session, number) for number in range(WALKS)}
    engine_for(url).dispose()
    finished = FORK.SimpleQueue()
    workers = [FORK.Process(target=_empty, args=(url, finished)) for _ in range(WORKERS)]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    done = Counter(one for _ in workers for one in finished.get())
    seconds = time.perf_counter() - began
    for worker in workers:
        worker.join()
    with reading(url) as session:
        states = Counter(session.scalars(select(Walk.state)))
    return {
        "walks claimed and finished a second, 4 processes": WALKS / seconds,
        "of 2,000 walks finished exactly once": sum(done[one] == 1 for one in asked),
        "of 2,000 rows done": states[State.DONE],
    }


def _empty(url: str, finished: Any) -> None:
    done = []
    while (walk := _claim(url)) is not None:
        if _finish(url, walk):
            done.append(walk.id)
    engine_for(url).dispose()
    finished.put(done)


def _claim(url: str, lease_seconds: float = 60) -> Walk | None:
    with writing(url) as session:
        return queue.claim(session=session, owner=str(os.getpid()), lease_seconds=lease_seconds)


def _lease(walk: Walk) -> dict[str, Any]:
    return {"walk_id": walk.id, "owner": walk.owner, "attempt": walk.attempt}


def _finish(url: str, walk: Walk) -> bool:
    result = {"files": {"gif": f"{walk.id}.gif"}, "evenness": 0.5}
    with writing(url) as session:
        return queue.finish(session=session, **_lease(walk), result=result)


# Questions


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


# kill -9


def kills(databases: Databases) -> dict[str, float]:
    """A process that asks, claims, beats and finishes, killed 200 times in the midst of it."""
    url = databases.fresh()
    random_ = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        for _ in range(KILLS):
            _killed(random_.uniform(0.01, 1.0), _work, url, said)
        # What is left is finished by one who is not killed.
        time.sleep(2 * LEASE)
        while (walk := _claim(url)) is not None:
            _finish(url, walk)
        lines = [line.split() for line in said.read_text().splitlines()]
    finished = Counter(one for word, one in lines if word == "finished")
    with reading(url) as session:
        rows = {walk.id: walk for walk in session.scalars(select(Walk))}
        sound = sqlite_file(url) is None or session.scalar(text("PRAGMA integrity_check")) == "ok"
        found = walks.count(session=session, search="night")
    done = {walk_id for walk_id, walk in rows.items() if walk.state is State.DONE}
    return {
        "kill -9 in the midst of work": KILLS,
        "walks asked for": len([1 for word, _ in lines if word == "asked"]),
        "walks finished before a kill": len(finished),
        "walks lost": sum(word == "asked" and one not in rows for word, one in lines)
        + sum(one not in done for one in finished),
        "walks finished twice": sum(times > 1 for times in finished.values()),
        "rows in an impossible state": sum(not _possible(walk) for walk in rows.values()),
        "done rows the search does not know": len(done) - found,
        "damaged databases": not sound,
    }


def _killed(seconds: float, work: Callable[..., None], *told: object) -> bool:
    """Do `work` in a process of its own, kill it some seconds after it began; False if it ended."""
    began = FORK.Event()
    child = FORK.Process(target=_begin, args=(began, work, *told))
    child.start()
    began.wait()
    child.join(seconds)
    child.kill()
    child.join()
    return child.exitcode == -signal.SIGKILL


def _begin(began: Any, work: Callable[..., None], *told: object) -> None:
    began.set()
    work(*told)


def _work(url: str, said: Path) -> None:
    """Ask for walks and make them, and say what was answered, on the disk at once."""
    with said.open("a", buffering=1) as out:
        for number in itertools.count():
            with writing(url) as session:
                asked = ask(session, number)
            out.write(f"asked {asked}\n")
            walk = _claim(url, LEASE)
            if walk is None:
                continue
            with writing(url) as session:
                queue.seen(session=session, name=str(os.getpid()), pid=os.getpid(), host="h")
                queue.heartbeat(
                    session=session, **_lease(walk), lease_seconds=LEASE, progress=[[0, "k"]]
                )
            if _finish(url, walk):
                out.write(f"finished {walk.id}\n")


def _possible(walk: Walk) -> bool:
    leased = walk.owner is not None and walk.lease_until is not None
    match walk.state:
        case State.RUNNING:
            return leased and walk.started_at is not None
        case State.QUEUED:
            return walk.owner is None and walk.lease_until is None
        case State.DONE:
            return walk.owner is None and bool(walk.files) and walk.finished_at is not None
        case State.FAILED:
            return walk.owner is None and walk.deaths == queue.DEATHS and bool(walk.error)
        case _:
            return False


def killed_migrations(databases: Databases) -> dict[str, float]:
    """A migration of 203 old walks, killed in the midst of it; then it is done again."""
    if not isinstance(databases, SQLite):
        return {}
    random_ = random.Random(2)
    killed = unusable = changed = 0
    url = databases.blank()
    _old(url)
    began = time.perf_counter()
    _killed(60.0, migrate, url)
    whole = time.perf_counter() - began
    while killed < KILLS // 4:
        url = databases.blank()
        _old(url)
        killed += _killed(random_.uniform(0.0, whole), migrate, url)
        try:
            migrate(url)
            with reading(url) as session:
                changed += session.scalar(select(func.count()).select_from(Walk)) != 203
        except Exception as error:
            print(error, file=sys.stderr)
            unusable += 1
        engine_for(url).dispose()
    return {
        "kill -9 in the midst of a migration": killed,
        "unusable databases after it": unusable,
        "databases with other rows after it": changed,
    }


def _old(url: str) -> None:
    """A history of the first schema."""
    file = sqlite_file(url)
    assert file is not None
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as old, old:
        old.executescript(SCHEMA.read_text())
        columns = [row[1] for row in old.execute("PRAGMA table_info(walks)")]
        kept = ", ".join(columns[2:])
        for number in range(200):
            old.execute(
                f"INSERT INTO walks (id, accession, {kept}) SELECT ?, ?, {kept} FROM walks "
                "WHERE id = 'failed0000000000'",
                (f"walk{number}", f"ML.2025.{number:04d}"),
            )


if __name__ == "__main__":
    main()
