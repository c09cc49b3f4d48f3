"""What is left of a history after `kill -9`, in the midst of work and of migrations."""

import itertools
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

from db import queue, walks
from db.models import State, Walk
from db.session import engine_for, migrate, reading, sqlite_file, writing
from tests.support.databases import Databases, SQLite
from tests.support.stub_walks import FORK, ask, claim, finish, lease

KILLS = 200
LEASE = 0.2
SCHEMA = Path(__file__).parent.parent / "db" / "schemas" / "0001.sqlite.sql"


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
        while (walk := claim(url)) is not None:
            finish(url, walk)
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
            walk = claim(url, LEASE)
            if walk is None:
                continue
            with writing(url) as session:
                queue.seen(session=session, name=str(os.getpid()), pid=os.getpid(), host="h")
                queue.heartbeat(
                    session=session, **lease(walk), lease_seconds=LEASE, progress=[[0, "k"]]
                )
            if finish(url, walk):
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
