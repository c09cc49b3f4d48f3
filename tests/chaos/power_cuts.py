"""The scenario `power-cuts`: a worker's whole home after the power fails at random moments.

`python -m tests.chaos.power_cuts HOME` is the program that is recorded: it makes films, deletes
some, and tells on its standard output what it would tell a curator.
"""

import hashlib
import os
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select, text

from db.models import State, Walk
from db.session import get_engine, migrate, reading, writing
from momalisa.deletion import delete_walk
from momalisa.settings import CHECKOUT, Settings
from momalisa.storage import FILMS_FOLDER, open_storage
from momalisa.storage.outbox import open_outbox
from momalisa.sync import sync
from momalisa.worker.renderers import Renderers
from momalisa.worker.timing import Timing
from momalisa.worker.worker import Worker
from tests.chaos.findings import Findings, Scenario
from tests.support import noise_worker
from tests.support.power_cuts import Call, Disk, record_calls
from tests.support.walks import enqueue_walk_in

FILMS = 6
"""Films that the recorded program makes."""
CUTS_A_RECORD = 25


def work(home: Path) -> None:
    """Make films in a new home, each told when it is queued and done; delete every third."""
    settings = Settings(home=home / "momalisa")
    migrate(settings.database)
    for number in range(FILMS):
        _tell("number", *_enqueue(settings, number))
        if number % 2:
            _finish_walks(settings)
            for row in _rows(settings):
                _tell("done", row.id, row.sha256)
        if number % 3 == 2:
            row = _rows(settings)[0]
            storage = open_storage(settings.store_root)
            _tell("deleting", row.id)
            if delete_walk(row.id, storage, open_outbox(settings), settings.database):
                _tell("deleted", row.id)


def _tell(*words: str) -> None:
    os.write(1, f"{' '.join(words)}\n".encode())


def _enqueue(settings: Settings, seed: int) -> tuple[str, str]:
    """Enqueue a walk; returns its id and its accession number."""
    stops = ({"prompt": "a square", "seed": seed}, {"prompt": "a sea", "seed": 7})
    with writing(settings.database) as session:
        walk = enqueue_walk_in(session, stops=stops, frames=3, size=noise_worker.SIZE)
    return walk.id, walk.accession


def _finish_walks(settings: Settings) -> None:
    """Render and store every queued walk in this process."""
    stubs: dict[str, Any] = {
        "load": lambda name, device: name,
        "render": noise_worker.render_noise,
        "render_probe": lambda *_what: "",
    }
    timing = Timing(lease=60.0, heartbeat=0.1, poll=0.02)
    Worker(settings, Renderers(**stubs), timing).run(once=True)


def _rows(settings: Settings) -> list[Walk]:
    with reading(settings.database) as session:
        done = select(Walk).where(Walk.state == State.DONE).order_by(Walk.created_at)
        return list(session.scalars(done))


def check(home: Path, told: Sequence[str]) -> Findings:
    """Start again in what is left of a home, and compare it with what had been told."""
    words = [line.split() for line in told]
    numbers = {
        walk_id: number for kind, walk_id, *rest in words if kind == "number" for number in rest
    }
    done = {walk_id: sha for kind, walk_id, *rest in words if kind == "done" for sha in rest}
    deleted = {walk_id for kind, walk_id, *_ in words if kind == "deleted"}
    # The power may fail while a walk is deleted: then it is there, or it is not.
    deleting = {walk_id for kind, walk_id, *_ in words if kind == "deleting"}
    settings = Settings(home=home / "momalisa")
    migrate(settings.database)
    with reading(settings.database) as session:
        damaged = session.scalar(text("PRAGMA integrity_check")) != "ok"
        known = set(session.scalars(select(Walk.id)))
    lost = set(numbers) - known - deleting
    # A number that was told is never told again, neither in the history nor by sync.
    _expire_leases(settings)
    again = {_enqueue(settings, 100 + number)[1] for number in range(2)} & set(numbers.values())
    _finish_walks(settings)
    storage = open_storage(settings.store_root)
    report = sync(storage, settings.database, open_outbox(settings))
    rows = {row.id: row for row in _rows(settings)}
    for walk_id, sha256 in done.items():
        if walk_id not in deleting and not _is_intact(rows.get(walk_id), sha256, settings):
            lost.add(walk_id)
    gifs = Counter(
        file.key.split("/")[1]
        for file in storage.list(f"{FILMS_FOLDER}/")
        if file.key.endswith(".gif")
    )
    get_engine(settings.database).dispose()
    return Findings(
        runs=1,
        lost=len(lost) + damaged,
        hidden=len(report.damaged) + len(report.without_files) + len(report.without_row),
        doubled=sum(times > 1 for times in gifs.values()),
        resurrected=len(deleted & rows.keys()),
        numbers_given_twice=len(again),
        figures={"report": list(report.sentences())},
    )


def _expire_leases(settings: Settings) -> None:
    """The worker that held them is gone; wait for no lease."""
    with writing(settings.database) as session:
        session.execute(
            text(
                "UPDATE walks SET lease_until = NULL, owner = NULL, "
                "state = 'queued' WHERE state = 'running'"
            )
        )


def _is_intact(row: Walk | None, sha256: str, settings: Settings) -> bool:
    if row is None:
        return False
    outbox = open_outbox(settings).films
    storage = outbox if row.waiting else open_storage(settings.store_root)
    return hashlib.sha256(storage.get(row.files["gif"])).hexdigest() == sha256


def cut_power(calls: Sequence[Call], home: Path, random_: random.Random) -> Findings:
    """Let the power fail at a random moment of a record, and start again."""
    disk = Disk(home)
    for call in calls[: random_.randrange(len(calls))]:
        disk.run(call)
    with tempfile.TemporaryDirectory() as folder:
        disk.write_remains(Path(folder), random_)
        return check(Path(folder), disk.told)


def record_work(home: Path) -> list[Call]:
    """Record the calls of `work` in a new folder."""
    command = [sys.executable, "-m", "tests.chaos.power_cuts", str(home)]
    return record_calls(command, CHECKOUT, home.with_name("record"))


def run(count: int) -> Findings:
    """Cut the power `count` times, 25 times in each record of a program's work."""
    parts = []
    for number in range(count):
        if number % CUTS_A_RECORD == 0:
            folder = tempfile.TemporaryDirectory()
            home = Path(folder.name) / "home"
            home.mkdir()
            calls = record_work(home)
            folder.cleanup()
            first = next(
                n for n, call in enumerate(calls) if any(str(home) in path for path in call.paths)
            )
            calls = calls[first:]
        parts.append((f"cut {number}", cut_power(calls, home, random.Random(number))))
    return Findings.add(parts)


SCENARIO = Scenario("power-cuts", 50, run)

if __name__ == "__main__":
    work(Path(sys.argv[1]))
