"""`python -m tests.losses`: what is lost when processes die and networks fail?

Real workers in processes of their own, with a real history, a real emulator of Cloud Storage and
a proxy before it. Migrations, workers and the whole app are killed with `kill -9` at random
moments, while the bucket comes and goes. Then the network fails in every way it can, and is gone
altogether for a while. Every film must be in the bucket in the end: once, and with the right
checksum. Before that, a history is rebuilt from a large bucket. Only the workers' pictures are
stubs; the app's are painted.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from db import walks
from db.models import State, Walk
from db.session import migrate, reading, writing
from momalisa import film
from momalisa.outbox import File, Outbox, deliver, outbox_of
from momalisa.process import run_process
from momalisa.render import Progress
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.storage import Storage, film_key, open_storage
from momalisa.sync import sync
from momalisa.worker import Worker
from tests.app import House as App
from tests.app import running
from tests.databases import SQLite
from tests.faults import Fault, Proxy, emulator, proxy_before
from tests.kills import killed_migrations

FILES_OF_A_FILM = 3
SIZE = 64
PATIENCE = 120.0
"""Seconds after which a film that has not arrived counts as lost."""
LIFE = 12.0
"""Seconds within which an app that has started finishes its first walk, even on busy cores."""

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["momalisa.worker", "momalisa.film", "google.cloud.storage"])


@dataclass(frozen=True)
class Film:
    """What the stub renderer answers."""

    files: dict[str, str]
    bytes: int
    sha256: str
    frames: int
    waiting: bool = False
    seconds: float = 0.1
    seconds_to_load: float = 0.0
    frames_computed: int = 4
    unet_samples: int = 0
    distances: list[float] = field(default_factory=list)
    evenness: float = 1.0
    sharpness: float = 1.0
    device: str = "cpu"
    dtype: str = "float32"
    model_digest: str = "stub"


def paint(
    spec: WalkSpec,
    *,
    walk_id: str,
    storage: Storage,
    outbox: Any,
    entry: Mapping[str, Any],
    on_progress: Callable[[Progress], None],
    **_: Any,
) -> Film:
    """A film of noise, the same for the same spec; stored as real ones are."""
    on_progress(Progress("frames", (), spec.frames))
    noise = np.random.default_rng(spec.stops[0].seed)
    frames = [noise.integers(0, 256, (SIZE, SIZE, 3), np.uint8) for _ in range(spec.frames)]
    time.sleep(0.05)
    on_progress(Progress("film", (), spec.frames))
    gif = film.gif(frames, spec.fps, comment=spec.model_dump_json())
    sha256 = hashlib.sha256(gif).hexdigest()
    names = {"poster": "poster.webp", "gif": f"{sha256[:16]}.gif", "json": "walk.json"}
    keys = {kind: film_key(walk_id, name) for kind, name in names.items()}
    made = Film(keys, len(gif), sha256, len(frames))
    parts = (film.poster(frames[0]), gif, record_of(spec, made, entry))
    on_progress(Progress("storing", (), spec.frames))
    files = [File(key, part) for key, part in zip(keys.values(), parts, strict=True)]
    return Film(keys, len(gif), sha256, len(frames), deliver(files, storage, outbox))


def record_of(spec: WalkSpec, made: Film, entry: Mapping[str, Any]) -> bytes:
    """A `walk.json`."""
    record = {
        **entry,
        "finished_at": datetime.now(UTC).isoformat(),
        "title": spec.title(),
        "spec": spec.model_dump(mode="json"),
        "result": {name: value for name, value in vars(made).items() if name != "waiting"},
    }
    return json.dumps(record, indent=2).encode()


def work(settings: Settings, patience: tuple[float, float], address: str) -> None:
    """Be a worker process, whose bucket is behind `address`."""
    os.environ["STORAGE_EMULATOR_HOST"] = address
    how: dict[str, Any] = {"lease": 1.0, "beat": 0.1, "poll": 0.02, "patience": patience}
    stub: dict[str, Any] = {"load": lambda name, device: name, "render": paint}
    run_process(Worker(settings, **stub, **how))


@dataclass
class House:
    """A history, a bucket and the way to it."""

    settings: Settings
    proxy: Proxy
    patience: tuple[float, float]
    asked: int = 0

    def ask(self, count: int) -> None:
        """Queue walks, no two alike."""
        with writing(self.settings.database) as session:
            for seed in range(self.asked, self.asked + count):
                stops: Any = ({"prompt": "a square", "seed": seed}, {"prompt": "a sea", "seed": 7})
                spec = WalkSpec(stops=stops, frames=4, size=SIZE)
                walks.enqueue(
                    session=session,
                    spec=spec.model_dump(mode="json"),
                    digest=spec.digest(),
                    title=spec.title(),
                    frames_total=4,
                )
        self.asked += count

    def rows(self) -> list[Walk]:
        """Every walk."""
        with reading(self.settings.database) as session:
            return list(session.scalars(select(Walk)))

    def count(self, state: State) -> int:
        """How many walks are in a state."""
        return sum(row.state is state for row in self.rows())

    def start(self) -> BaseProcess:
        """A worker."""
        told = (self.settings, self.patience, self.proxy.address)
        worker = _processes.Process(target=work, args=told)
        worker.start()
        return worker

    def app(self) -> AbstractContextManager[App]:
        """The app that lives as long as this block, with a worker that really paints."""
        return running(self.settings.home, environment={"MOMALISA_STORE": self.settings.store})

    @contextmanager
    def worker(self) -> Iterator[None]:
        """A worker that lives as long as this block."""
        worker = self.start()
        try:
            yield
        finally:
            worker.terminate()
            worker.join()

    def until_at_work(self, worker: BaseProcess) -> None:
        """Return once a worker says that it lives. Raises RuntimeError if it has died."""
        seen: list[int] = []
        while worker.pid not in seen:
            if not worker.is_alive():
                raise RuntimeError(f"the worker ended with exit code {worker.exitcode}")
            with reading(self.settings.database) as session:
                seen = [one.pid for one in walks.alive_workers(session=session)]
            time.sleep(0.02)

    def until_all_arrived(self) -> float:
        """Seconds until no walk runs or waits any more."""
        began = time.monotonic()
        while any(row.waiting or not row.state.over for row in self.rows()):
            if time.monotonic() > began + PATIENCE:
                break
            time.sleep(0.1)
        return time.monotonic() - began

    def losses(self) -> dict[str, int]:
        """What is wrong at this moment, counted; all zeros are what must be."""
        # Rows first: a film may arrive while we look.
        done = [row for row in self.rows() if row.state is State.DONE]
        here = {found.key for found in outbox_of(self.settings).shelf.list()}
        direct = open_storage(self.settings.store_root)
        there = {found.key for found in direct.list()}
        arrived = [row for row in done if not row.waiting]
        return {
            "rows without their files": sum(
                not set(row.files.values()) <= there for row in arrived
            ),
            "waiting films that are nowhere": sum(
                not set(row.files.values()) <= here | there for row in done if row.waiting
            ),
            "files stored twice": sum(times > 1 for times in self.proxy.stored.values()),
        }

    def final_losses(self) -> dict[str, int]:
        """What is wrong when all is over, checksums included."""
        storage = open_storage(self.settings.store_root)
        rows = self.rows()
        done = [row for row in rows if row.state is State.DONE and not row.waiting]
        given_up = {row.id for row in rows if row.state is State.FAILED}
        good = sum(
            hashlib.sha256(storage.get(row.files["gif"])).hexdigest() == row.sha256 for row in done
        )
        kept = {key for row in done for key in row.files.values()}
        return {
            **self.losses(),
            "films lost": self.asked - len(done),
            "wrong checksums": len(done) - good,
            "files of no film": sum(
                found.key not in kept and found.key.split("/")[1] not in given_up
                for found in storage.list()
            ),
            "films left in the outbox": len(outbox_of(self.settings).walk_ids()),
        }


@contextmanager
def house(home: Path, patience: tuple[float, float]) -> Iterator[House]:
    """A blank history, and an empty bucket behind a proxy."""
    from google.cloud.storage import Client  # type: ignore[import-untyped]

    with emulator() as place, proxy_before(place) as proxy:
        settings = Settings(home=home, store="gs://films/store")
        migrate(settings.database)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("STORAGE_EMULATOR_HOST", proxy.address)
            with closing(Client(project="test")) as client:
                client.create_bucket("films")
            yield House(settings, proxy, patience)


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
        outbox = " and an outbox" if outbox_of(house.settings).walk_ids() else ""
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
    parser = argparse.ArgumentParser(prog="python -m tests.losses", description=__doc__)
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
    # By its own name: the workers' processes look it up.
    from tests import losses

    losses.main()
