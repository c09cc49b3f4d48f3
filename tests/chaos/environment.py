"""A history, a bucket and workers that troubles come to, and what they lost by them."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from db import walks
from db.models import State, Walk
from db.session import migrate, reading, writing
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.storage import open_storage
from momalisa.storage.outbox import open_outbox
from tests.support import noise_worker
from tests.support.app import House as App
from tests.support.app import running
from tests.support.faults import Proxy, emulator, proxy_before

PATIENCE = 120.0
"""Seconds after which a film that has not arrived counts as lost."""


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
                spec = WalkSpec(stops=stops, frames=4, size=noise_worker.SIZE)
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
        return noise_worker.start(self.settings, self.patience, self.proxy.address)

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
        here = {found.key for found in open_outbox(self.settings).films.list()}
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
            "films left in the outbox": len(open_outbox(self.settings).walk_ids()),
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
