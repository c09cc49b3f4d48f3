"""`python -m tests.chaos.losses`: what is lost when processes die and networks fail?

Real workers in processes of their own, with a real history, a real emulator of Cloud Storage and
a proxy before it. Migrations, workers and the whole app are killed with `kill -9` at random
moments, while the bucket comes and goes. Then the network fails in every way it can, and is gone
altogether for a while. Every film must be in the bucket in the end: once, and with the right
checksum. Before that, a history is rebuilt from a large bucket. Only the workers' pictures are
stubs; the app's are painted.
"""

import argparse
import json
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from db.models import State
from db.session import migrate
from momalisa.spec import WalkSpec
from momalisa.storage import film_key, open_storage
from momalisa.storage.outbox import Outbox, open_outbox
from momalisa.sync import sync
from tests.chaos.environment import PATIENCE, House, house
from tests.chaos.kills import killed_migrations
from tests.support.databases import SQLite
from tests.support.faults import Fault, emulator
from tests.support.noise_worker import Film, record_of

FILES_OF_A_FILM = 3
LIFE = 12.0
"""Seconds within which an app that has started finishes its first walk, even on busy cores."""


def worker_dies(house: House, chance: random.Random) -> None:
    """A worker is killed while it works."""
    worker = house.start()
    house.until_at_work(worker)
    time.sleep(chance.uniform(0.0, 1.5))
    worker.kill()
    worker.join()


def app_dies(house: House, chance: random.Random) -> None:
    """The server is killed while it starts, or while its worker wakes, paints and stores."""
    with house.app() as app:
        time.sleep(chance.uniform(0.0, LIFE))
        os.kill(app.pid, signal.SIGKILL)


def killed(
    house: House,
    kills: int,
    seed: int = 0,
    dies: Callable[[House, random.Random], None] = worker_dies,
    finishes: Callable[[House], AbstractContextManager[object]] = House.worker,
) -> dict[str, Any]:
    """Kill at random moments, while the bucket comes and goes; then let one finish."""
    chance = random.Random(seed)
    stages: Counter[str] = Counter()
    worst: Counter[str] = Counter()
    for _ in range(kills):
        house.ask(max(0, 4 - house.count(State.QUEUED)))
        house.proxy.gone = chance.random() < 0.3
        dies(house, chance)
        under_way = [row.stage for row in house.rows() if row.state is State.RUNNING]
        outbox = " and an outbox" if open_outbox(house.settings).walk_ids() else ""
        stages[f"{under_way[0] if under_way else 'between walks'}{outbox}"] += 1
        house.proxy.gone = False
        worst |= Counter(house.losses())
    with finishes(house):
        house.until_all_arrived()
        again = house.count(State.FAILED)
        house.ask(again)
        house.until_all_arrived()
    house.asked -= again
    return {
        "kills": kills,
        "killed at": dict(stages),
        "walks": house.asked,
        "given up after three deaths, as they must be, and asked for again": again,
        "at the worst of these moments": {name: worst[name] for name in house.losses()},
        "in the end": house.final_losses(),
    }


def faulty(house: House, films: int, gone: float, share: float = 0.3) -> dict[str, Any]:
    """Faults of every kind, then a bucket that is gone for `gone` seconds, then peace."""
    house.ask(films)
    house.proxy.trouble(share, [fault for fault in Fault if fault is not Fault.STALL])
    house.proxy.meet(Fault.STALL)
    with house.worker():
        bad = house.until_all_arrived()
        house.proxy.trouble(0.0, ())
        house.proxy.gone = True
        began = time.monotonic()
        house.ask(films)
        waited = 0
        while time.monotonic() < began + (gone if waited else PATIENCE):
            time.sleep(0.1)
            waited = sum(row.waiting for row in house.rows())
        house.proxy.gone = False
        back = house.until_all_arrived()
    return {
        "films": house.asked,
        "faults met": {fault.value: times for fault, times in house.proxy.met.items()},
        "share of requests that met one": share,
        "seconds until all had arrived in spite of them": round(bad, 1),
        "seconds the bucket was gone": gone,
        "films waiting in the outbox by then": waited,
        "seconds after its return until all had arrived": round(back, 1),
        "in the end": house.final_losses(),
    }


def rebuilt(folder: Path, objects: int) -> dict[str, Any]:
    """Rebuild a history from a bucket of `objects` files, a third of them records."""
    films = objects // FILES_OF_A_FILM
    for number in range(films):
        _hang(folder / "data/films/store", f"walk-{number}", number)
    history = f"sqlite:///{folder}/history.db"
    migrate(history)
    outbox = Outbox(folder / "outbox")
    with emulator(folder / "data") as place, pytest.MonkeyPatch.context() as environment:
        environment.setenv("STORAGE_EMULATOR_HOST", f"http://{place}")
        storage = open_storage("gs://films/store")
        began, busy = time.monotonic(), time.process_time()
        first = sync(storage, history, outbox)
        rebuilding, working = time.monotonic() - began, time.process_time() - busy
        began = time.monotonic()
        again = sync(storage, history, outbox)
        looking = time.monotonic() - began
    return {
        "files": first.files,
        "films taken in": len(first.taken_in),
        "films not taken in": films - len(first.taken_in),
        "seconds": round(rebuilding, 1),
        "of them busy in this process": round(working, 1),
        "seconds of a second run, which finds nothing new": round(looking, 1),
        "films taken in by it": len(again.taken_in),
    }


def _hang(store: Path, walk_id: str, seed: int) -> None:
    """A film's files, without its pictures."""
    stops: Any = ({"prompt": "a square", "seed": seed}, {"prompt": "a sea", "seed": 7})
    spec = WalkSpec(stops=stops)
    names = {"poster": "poster.webp", "gif": "film.gif", "json": "walk.json"}
    keys = {kind: film_key(walk_id, name) for kind, name in names.items()}
    made = Film(keys, 4, "5a" * 32, spec.frames, distances=[0.5] * spec.frames)
    record = record_of(spec, made, {"accession": f"ML.2026.{seed + 1:04d}"})
    for key, data in zip(keys.values(), (b"still", b"film", record), strict=True):
        path = store / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def main() -> None:
    """Measure, and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.losses", description=__doc__)
    parser.add_argument("--kills", type=int, default=130, help="workers to kill (130)")
    parser.add_argument("--apps", type=int, default=20, help="times to kill the app (20)")
    parser.add_argument("--films", type=int, default=20, help="films a phase of faults (20)")
    parser.add_argument("--gone", type=float, default=60.0, help="seconds without a bucket (60)")
    parser.add_argument(
        "--objects", type=int, default=10_000, help="files to rebuild from (10,000)"
    )
    parser.add_argument("--json", type=Path, help="a file for the figures")
    options = parser.parse_args()
    figures: dict[str, Any] = {}

    def tell(name: str, found: dict[str, Any]) -> None:
        figures[name] = found
        print(json.dumps({name: found}, indent=2), flush=True)

    with tempfile.TemporaryDirectory() as folder:
        tell("sync", rebuilt(Path(folder), options.objects))
    with tempfile.TemporaryDirectory() as folder:
        tell("kill -9 of migrations", killed_migrations(SQLite(Path(folder))))
    with tempfile.TemporaryDirectory() as home, house(Path(home), (0.5, 1.0)) as one:
        tell("kill -9 of workers", killed(one, options.kills))
    with tempfile.TemporaryDirectory() as home, house(Path(home), (0.5, 1.0)) as one:
        tell("kill -9 of the app", killed(one, options.apps, dies=app_dies, finishes=House.app))
    with tempfile.TemporaryDirectory() as home, house(Path(home), (15.0, 120.0)) as one:
        tell("faults", faulty(one, options.films, options.gone))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
