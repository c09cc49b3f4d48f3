"""`python -m tests.chaos.losses`: count what is lost when processes die and networks fail.

First a database is rebuilt from a large bucket. Then migrations, workers and the app are killed
with `kill -9` at random moments, while the bucket goes offline and comes back. Then faults of every
kind are injected into the network, and the bucket is offline for a while. In the end every film
must be in the bucket exactly once and with the right checksum. The bucket is an emulator behind a
proxy; the workers' frames are noise, the app's are rendered by the shipped model.
"""

import argparse
import json
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from db.models import State
from db.session import migrate
from momalisa.storage import film_key, open_storage
from momalisa.storage.outbox import Outbox, open_outbox
from momalisa.sync import sync
from tests.chaos.environment import PATIENCE, Environment, new_environment
from tests.chaos.findings import Findings, Scenario
from tests.chaos.kills import measure_killed_migrations
from tests.support.databases import SQLite
from tests.support.faults import Fault
from tests.support.noise_worker import encode_record
from tests.support.results import stub_film
from tests.support.storage_emulator import running_emulator
from tests.support.walks import walk_spec

FILES_OF_A_FILM = 3
LIFE = 12.0
"""Seconds in which a new app finishes its first walk, even on busy cores."""


def kill_worker(environment: Environment, random_: random.Random) -> None:
    """Start a worker and kill it within 1.5 s of its first heartbeat."""
    worker = environment.start_worker()
    environment.wait_for_heartbeat(worker)
    time.sleep(random_.uniform(0.0, 1.5))
    worker.kill()
    worker.join()


def kill_app(environment: Environment, random_: random.Random) -> None:
    """Start the app and kill its server while its worker starts, renders or stores."""
    with environment.running_app() as app:
        time.sleep(random_.uniform(0.0, LIFE))
        os.kill(app.pid, signal.SIGKILL)


def measure_kills(
    environment: Environment,
    kills: int,
    seed: int = 0,
    kill: Callable[[Environment, random.Random], None] = kill_worker,
    survivor: Callable[[Environment], AbstractContextManager[object]] = Environment.running_worker,
    queued: int = 4,
) -> dict[str, Any]:
    """Kill at random moments, while the bucket is offline at times; then let a survivor finish.

    Before every kill the queue is filled up to some walks.
    """
    random_ = random.Random(seed)
    stages: Counter[str] = Counter()
    worst: Counter[str] = Counter()
    for _ in range(kills):
        environment.skip_waits()
        environment.enqueue_walks(max(0, queued - environment.count(State.QUEUED)))
        environment.proxy.offline = random_.random() < 0.3
        kill(environment, random_)
        running = [row.stage for row in environment.rows() if row.state is State.RUNNING]
        outbox = " and an outbox" if open_outbox(environment.settings).walk_ids() else ""
        stages[f"{running[0] if running else 'between walks'}{outbox}"] += 1
        environment.proxy.offline = False
        worst |= Counter(environment.losses())
    with survivor(environment):
        environment.wait_for_films()
        failed = environment.count(State.FAILED)
        environment.enqueue_walks(failed)
        environment.wait_for_films()
    environment.enqueued -= failed
    return {
        "kills": kills,
        "killed at": dict(stages),
        "walks": environment.enqueued,
        "failed after three deaths, as they must, and enqueued again": failed,
        "worst counts after a kill": {name: worst[name] for name in environment.losses()},
        "in the end": environment.final_losses(),
    }


def measure_faults(
    environment: Environment, films: int, offline: float, share: float = 0.3
) -> dict[str, Any]:
    """Inject faults of every kind, take the bucket offline (seconds), then let films arrive."""
    environment.enqueue_walks(films)
    environment.proxy.set_fault_rate(share, [fault for fault in Fault if fault is not Fault.STALL])
    environment.proxy.script_faults(Fault.STALL)
    with environment.running_worker():
        with_faults = environment.wait_for_films()
        environment.proxy.set_fault_rate(0.0, ())
        environment.proxy.offline = True
        began = time.monotonic()
        environment.enqueue_walks(films)
        waiting = 0
        while time.monotonic() < began + (offline if waiting else PATIENCE):
            time.sleep(0.1)
            waiting = sum(row.waiting for row in environment.rows())
        environment.proxy.offline = False
        afterwards = environment.wait_for_films()
    return {
        "films": environment.enqueued,
        "faults injected": {
            fault.value: times for fault, times in environment.proxy.fault_counts.items()
        },
        "share of requests with a fault": share,
        "seconds until all films arrived nevertheless": round(with_faults, 1),
        "seconds the bucket was offline": offline,
        "films waiting in the outbox then": waiting,
        "seconds from its return until all films arrived": round(afterwards, 1),
        "in the end": environment.final_losses(),
    }


def measure_rebuild(folder: Path, objects: int) -> dict[str, Any]:
    """Rebuild a database from a bucket of this many files, a third of them records."""
    films = objects // FILES_OF_A_FILM
    for number in range(films):
        _add_film(folder / "data/films/store", f"walk-{number}", number)
    database = f"sqlite:///{folder}/history.db"
    migrate(database)
    outbox = Outbox(folder / "outbox")
    with running_emulator(folder / "data") as address, pytest.MonkeyPatch.context() as variables:
        variables.setenv("STORAGE_EMULATOR_HOST", f"http://{address}")
        storage = open_storage("gs://films/store")
        began, cpu_began = time.monotonic(), time.process_time()
        first = sync(storage, database, outbox)
        seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu_began
        began = time.monotonic()
        second = sync(storage, database, outbox)
        second_seconds = time.monotonic() - began
    return {
        "files": first.files,
        "films taken in": len(first.taken_in),
        "films not taken in": films - len(first.taken_in),
        "seconds": round(seconds, 1),
        "CPU seconds of this process": round(cpu_seconds, 1),
        "seconds of a second run, which finds nothing new": round(second_seconds, 1),
        "films taken in by it": len(second.taken_in),
    }


def _add_film(store: Path, walk_id: str, seed: int) -> None:
    """Write a film's files, without pictures."""
    spec = walk_spec(stops=({"prompt": "a square", "seed": seed}, {"prompt": "a sea", "seed": 7}))
    names = {"poster": "poster.webp", "gif": "film.gif", "json": "walk.json"}
    keys = {kind: film_key(walk_id, name) for kind, name in names.items()}
    film = stub_film(keys, frames=spec.frames, distances=[0.5] * spec.frames)
    record = encode_record(spec, film.result, {"accession": f"ML.2026.{seed + 1:04d}"})
    for key, data in zip(keys.values(), (b"still", b"film", record), strict=True):
        path = store / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@contextmanager
def _temporary_environment(patience: tuple[float, float]) -> Iterator[Environment]:
    with (
        tempfile.TemporaryDirectory() as home,
        new_environment(Path(home), patience) as environment,
    ):
        yield environment


def run_kills(count: int) -> Findings:
    """Kill migrations (a quarter of the times), workers, and the app (a tenth of the times)."""
    migrations, apps = count // 4, count // 10
    with tempfile.TemporaryDirectory() as folder:
        killed = measure_killed_migrations(SQLite(Path(folder)), kills=migrations)
    damages = sum(killed.values()) - killed["kill -9 during a migration"]
    parts = [("migrations", Findings(migrations, lost=int(damages), figures=killed))]
    app: dict[str, Any] = {"kill": kill_app, "survivor": Environment.running_app}
    for name, kills, options in (
        ("workers", count - migrations - apps, {}),
        ("apps", apps, app),
    ):
        with _temporary_environment((0.5, 1.0)) as environment:
            figures = measure_kills(environment, kills, **options)
            parts.append((name, _count_findings(kills, figures)))
    return Findings.add(parts)


def _count_findings(kills: int, figures: dict[str, Any]) -> Findings:
    """Sort the counts of `measure_kills` by what a curator would suffer."""
    after_a_kill, in_the_end = figures["worst counts after a kill"], figures["in the end"]
    worst = Counter(after_a_kill) | Counter(in_the_end)
    return Findings(
        runs=kills,
        lost=worst["films lost"]
        + worst["wrong checksums"]
        + worst["rows without their files"]
        + worst["waiting films that are nowhere"],
        hidden=worst["files of no film"] + worst["films left in the outbox"],
        doubled=worst["files stored twice"],
        figures=figures,
    )


SCENARIO = Scenario("kills", 200, run_kills)


def main() -> None:
    """Run all measurements and print them as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.losses", description=__doc__)
    parser.add_argument("--kills", type=int, default=130, help="workers to kill (130)")
    parser.add_argument("--apps", type=int, default=20, help="times to kill the app (20)")
    parser.add_argument("--films", type=int, default=20, help="films a phase of faults (20)")
    parser.add_argument("--offline", type=float, default=60.0, help="seconds without a bucket (60)")
    parser.add_argument(
        "--objects", type=int, default=10_000, help="files to rebuild from (10,000)"
    )
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    figures: dict[str, Any] = {}

    def report(name: str, counts: dict[str, Any]) -> None:
        figures[name] = counts
        print(json.dumps({name: counts}, indent=2), flush=True)

    with tempfile.TemporaryDirectory() as folder:
        report("sync", measure_rebuild(Path(folder), options.objects))
    with tempfile.TemporaryDirectory() as folder:
        report("kill -9 of migrations", measure_killed_migrations(SQLite(Path(folder))))
    with _temporary_environment((0.5, 1.0)) as environment:
        report("kill -9 of workers", measure_kills(environment, options.kills))
    with _temporary_environment((0.5, 1.0)) as environment:
        report(
            "kill -9 of the app",
            measure_kills(
                environment, options.apps, kill=kill_app, survivor=Environment.running_app
            ),
        )
    with _temporary_environment((15.0, 120.0)) as environment:
        report("faults", measure_faults(environment, options.films, options.offline))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
