"""A database, a bucket behind a fault-injecting proxy, and workers; counts what they lose."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from sqlalchemy import select, update

from db import worker_registry
from db.models import State, Walk
from db.session import migrate, reading, writing
from momalisa.settings import Settings
from momalisa.storage import FILMS_FOLDER, open_storage
from momalisa.storage.outbox import RECORD, open_outbox
from tests.support import noise_worker
from tests.support.app import App, running_app
from tests.support.faults import Proxy
from tests.support.storage_emulator import proxied_bucket
from tests.support.walks import enqueue_walk_in

PATIENCE = 120.0
"""Seconds to wait for films to arrive; those missing then are lost."""
STEPS = 4
"""Of the films that the app renders; what is counted is films, whatever they show."""


@dataclass
class Environment:
    """A home, a bucket behind a proxy, and how long workers retry uploads (seconds)."""

    settings: Settings
    proxy: Proxy
    patience: tuple[float, float]
    enqueued: int = 0

    def enqueue_walks(self, count: int) -> None:
        """Put this many different walks into the queue."""
        with writing(self.settings.database) as session:
            for seed in range(self.enqueued, self.enqueued + count):
                stops = ({"prompt": "a square", "seed": seed}, {"prompt": "a sea", "seed": 7})
                enqueue_walk_in(session, stops=stops, frames=4, steps=STEPS, size=noise_worker.SIZE)
        self.enqueued += count

    def rows(self) -> list[Walk]:
        """Read every walk's row."""
        with reading(self.settings.database) as session:
            return list(session.scalars(select(Walk)))

    def count(self, state: State) -> int:
        """Count the walks in a state."""
        return sum(row.state is state for row in self.rows())

    def start_worker(self) -> BaseProcess:
        """Start a worker process with a stub renderer."""
        return noise_worker.start_worker(self.settings, self.patience, self.proxy.address)

    def running_app(self) -> AbstractContextManager[App]:
        """Run the app with its real worker for the length of a block."""
        return running_app(self.settings.home, environment={"MOMALISA_STORE": self.settings.store})

    @contextmanager
    def running_worker(self) -> Iterator[None]:
        """Run a worker process for the length of a block."""
        worker = self.start_worker()
        try:
            yield
        finally:
            worker.terminate()
            worker.join()

    def wait_for_heartbeat(self, worker: BaseProcess) -> None:
        """Wait until a worker is registered. Raises RuntimeError if its process has ended."""
        pids: list[int] = []
        while worker.pid not in pids:
            if not worker.is_alive():
                raise RuntimeError(f"the worker ended with exit code {worker.exitcode}")
            with reading(self.settings.database) as session:
                pids = [alive.pid for alive in worker_registry.list_alive(session=session)]
            time.sleep(0.02)  # between two looks

    def skip_waits(self) -> None:
        """Let walks be tried again at once that would wait some minutes after deaths."""
        if any(row.not_before for row in self.rows()):
            with writing(self.settings.database) as session:
                session.execute(update(Walk).values(not_before=None))

    def wait_for_films(self) -> float:
        """Wait until every walk is over and delivered; returns the seconds that took."""
        began = time.monotonic()
        while any(row.waiting or not row.state.is_final for row in self.rows()):
            if time.monotonic() > began + PATIENCE:
                break
            self.skip_waits()
            time.sleep(0.1)  # between two looks
        return time.monotonic() - began

    def losses(self) -> dict[str, int]:
        """Count what is wrong at this moment; every count must be 0."""
        # Rows first: a film may arrive in the meantime.
        done = [row for row in self.rows() if row.state is State.DONE]
        in_outbox = {file.key for file in open_outbox(self.settings).films.list()}
        in_bucket = {file.key for file in open_storage(self.settings.store_root).list()}
        delivered = [row for row in done if not row.waiting]
        return {
            "rows without their files": sum(
                not set(row.files.values()) <= in_bucket for row in delivered
            ),
            "waiting films that are nowhere": sum(
                not set(row.files.values()) <= in_outbox | in_bucket for row in done if row.waiting
            ),
            "files stored twice": sum(
                times > 1 and not name.endswith(RECORD)  # which is replaced after edits
                for name, times in self.proxy.uploads.items()
            ),
        }

    def final_losses(self) -> dict[str, int]:
        """Count what is wrong after `wait_for_films`, checksums included."""
        storage = open_storage(self.settings.store_root)
        rows = self.rows()
        done = [row for row in rows if row.state is State.DONE and not row.waiting]
        failed = {row.id for row in rows if row.state is State.FAILED}
        intact = sum(
            hashlib.sha256(storage.get(row.files["gif"])).hexdigest() == row.sha256 for row in done
        )
        expected = {key for row in done for key in row.files.values()}
        return {
            **self.losses(),
            "films lost": self.enqueued - len(done),
            "wrong checksums": len(done) - intact,
            "files of no film": sum(
                file.key not in expected and file.key.split("/")[1] not in failed
                for file in storage.list(f"{FILMS_FOLDER}/")
            ),
            "films left in the outbox": len(open_outbox(self.settings).walk_ids()),
        }


@contextmanager
def new_environment(home: Path, patience: tuple[float, float]) -> Iterator[Environment]:
    """Create an empty database, and an empty bucket behind a proxy."""
    with proxied_bucket("films") as proxy:
        settings = Settings(home=home, store="gs://films/store")
        migrate(settings.database)
        yield Environment(settings, proxy, patience)
