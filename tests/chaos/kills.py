"""Count what a database has lost after `kill -9` during work and during migrations."""

import itertools
import multiprocessing
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, text

from db import deaths, queue, walks, worker_registry
from db.models import State, Walk
from db.session import get_engine, migrate, reading, sqlite_file, writing
from tests.support.databases import Databases, SQLite
from tests.support.walks import claim_walk, enqueue_walk, finish_walk, lease_of, random_spec

FORK = multiprocessing.get_context("fork")
KILLS = 200
LEASE = 0.2
SCHEMA = Path(__file__).parent.parent / "db" / "schemas" / "0001.sqlite.sql"


def measure_kills(databases: Databases) -> dict[str, float]:
    """Kill a process that enqueues, claims and finishes walks 200 times at random moments."""
    url = databases.fresh()
    random_ = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        for _ in range(KILLS):
            _run_and_kill(random_.uniform(0.01, 1.0), _work, url, log)
        # This process finishes the walks that are left.
        time.sleep(2 * LEASE)
        while (walk := claim_walk(url)) is not None:
            finish_walk(url, walk)
        lines = [line.split() for line in log.read_text().splitlines()]
    finished = Counter(walk_id for event, walk_id in lines if event == "finished")
    with reading(url) as session:
        rows = {walk.id: walk for walk in session.scalars(select(Walk))}
        intact = sqlite_file(url) is None or session.scalar(text("PRAGMA integrity_check")) == "ok"
        matches = walks.count(session=session, search="night")
    done = {walk_id for walk_id, walk in rows.items() if walk.state is State.DONE}
    return {
        "kill -9 during work": KILLS,
        "walks enqueued": sum(event == "enqueued" for event, _ in lines),
        "walks finished before a kill": len(finished),
        "walks lost": sum(event == "enqueued" and walk_id not in rows for event, walk_id in lines)
        + sum(walk_id not in done for walk_id in finished),
        "walks finished twice": sum(times > 1 for times in finished.values()),
        "rows in an impossible state": sum(not _is_possible(walk) for walk in rows.values()),
        "done rows that the search does not find": len(done) - matches,
        "damaged databases": not intact,
    }


def _run_and_kill(seconds: float, work: Callable[..., None], *arguments: object) -> bool:
    """Run `work` in a new process and kill it some seconds later; False if it ended before."""
    started = FORK.Event()
    child = FORK.Process(target=_signal_and_run, args=(started, work, *arguments))
    child.start()
    started.wait()
    child.join(seconds)
    child.kill()
    child.join()
    return child.exitcode == -signal.SIGKILL


def _signal_and_run(started: Any, work: Callable[..., None], *arguments: object) -> None:
    started.set()
    work(*arguments)


def _work(url: str, log: Path) -> None:
    """Enqueue, claim and finish walks; log each committed step, line-buffered."""
    with log.open("a", buffering=1) as lines:
        for number in itertools.count():
            enqueued = enqueue_walk(
                url, **random_spec(random.Random(number)), maker=f"{number % 3}"
            )
            lines.write(f"enqueued {enqueued.id}\n")
            walk = claim_walk(url, LEASE)
            if walk is None:
                continue
            with writing(url) as session:
                worker_registry.record_heartbeat(
                    session=session, name=str(os.getpid()), pid=os.getpid(), host="h"
                )
                queue.renew_lease(
                    session=session, **lease_of(walk), lease_seconds=LEASE, progress=[[0, "k"]]
                )
            if finish_walk(url, walk):
                lines.write(f"finished {walk.id}\n")


def _is_possible(walk: Walk) -> bool:
    """Whether a row's columns fit its state."""
    leased = walk.owner is not None and walk.lease_until is not None
    match walk.state:
        case State.RUNNING:
            return leased and walk.started_at is not None
        case State.QUEUED:
            return walk.owner is None and walk.lease_until is None
        case State.DONE:
            return walk.owner is None and bool(walk.files) and walk.finished_at is not None
        case State.FAILED:
            return walk.owner is None and walk.deaths == deaths.MAX_DEATHS and bool(walk.error)
        case _:
            return False


def measure_killed_migrations(databases: Databases, kills: int = KILLS // 4) -> dict[str, float]:
    """Kill the migration of a database of 203 walks at random moments and run it again."""
    if not isinstance(databases, SQLite):
        return {}
    random_ = random.Random(2)
    killed = unusable = changed = 0
    url = databases.blank()
    _create_old_database(url)
    began = time.perf_counter()
    _run_and_kill(60.0, migrate, url)
    seconds = time.perf_counter() - began
    while killed < kills:
        url = databases.blank()
        _create_old_database(url)
        killed += _run_and_kill(random_.uniform(0.0, seconds), migrate, url)
        try:
            migrate(url)
            with reading(url) as session:
                changed += session.scalar(select(func.count()).select_from(Walk)) != 203
        except Exception as error:
            print(error, file=sys.stderr)
            unusable += 1
        get_engine(url).dispose()
    return {
        "kill -9 during a migration": killed,
        "databases unusable afterwards": unusable,
        "databases with rows lost or added afterwards": changed,
    }


def _create_old_database(url: str) -> None:
    """Create a database of the first schema with 203 walks."""
    file = sqlite_file(url)
    assert file is not None
    file.parent.mkdir()
    with closing(sqlite3.connect(file)) as old, old:
        old.executescript(SCHEMA.read_text())
        columns = [row[1] for row in old.execute("PRAGMA table_info(walks)")]
        copied = ", ".join(columns[2:])
        for number in range(200):
            old.execute(
                f"INSERT INTO walks (id, accession, {copied}) SELECT ?, ?, {copied} FROM walks "
                "WHERE id = 'failed0000000000'",
                (f"walk{number}", f"ML.2025.{number:04d}"),
            )
