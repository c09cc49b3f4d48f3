"""The scenario `burnt-gpus`: devices that break at random moments, for a while or for good.

Each run has the walks of three curators and one supervised worker, whose device breaks at load, in
a frame, while the film is stored, or when the machine is probed. In the end the device is well,
and every walk must be a film.

`python -m tests.chaos.burnt_gpus HOME SEED` is the worker.
"""

import hashlib
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select

from db.models import State, Walk
from db.session import get_engine, migrate, reading, writing
from momalisa.render import Progress, StoredFilm
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.storage import open_storage
from momalisa.worker.process import run_process
from momalisa.worker.renderers import Renderers
from momalisa.worker.supervisor import Supervisor
from momalisa.worker.timing import Timing
from momalisa.worker.worker import Worker
from tests.chaos.findings import Findings, Scenario
from tests.support import noise_worker
from tests.support.walks import enqueue_walk_in

MAKERS, WALKS_EACH = 3, 2
PATIENCE = 120.0
"""Seconds until every walk is a film once the device is well; those missing then are lost."""
FLICKER = 0.3
"""Probability that a device with a passing fault fails when it is used."""
ERRORS = (
    "CUDA error: an illegal memory access was encountered",
    "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
    "CUDA error: uncorrectable ECC error encountered",
    "CUDA out of memory. Tried to allocate 2.00 GiB",
    "Unknown exception",
)


class Device:
    """A device that fails whenever the file `burnt` is there, and at times if `flickering` is."""

    def __init__(self, home: Path, seed: int) -> None:
        self._burnt, self._flickering = home / "burnt", home / "flickering"
        self._log = home / "breaks.txt"
        self._random = random.Random(seed)

    def use(self, moment: str) -> None:
        """Raise an error of a broken device, or do nothing."""
        flickers = self._flickering.exists() and self._random.random() < FLICKER
        if self._burnt.exists() or flickers:
            with self._log.open("a") as log:
                log.write(f"{moment}\n")
            raise RuntimeError(self._random.choice(ERRORS))

    def load(self, name: str, _device: str) -> str:
        """Replace `registry.load`."""
        self.use("load")
        return name

    def render(
        self, spec: WalkSpec, *, on_progress: Callable[[Progress], None], **how: Any
    ) -> StoredFilm:
        """Replace `render`: noise, from a device that may break at every stage."""

        def follow(progress: Progress) -> None:
            on_progress(progress)
            self.use(progress.stage)

        return noise_worker.render_noise(spec, on_progress=follow, **how)

    def probe(self, *_what: Any) -> str:
        """Replace `render_still` for the probe."""
        self.use("probe")
        return ""


def run_worker(home: Path, seed: int) -> None:
    """Run a worker with such a device; it ends when the device breaks."""
    device = Device(home, seed + int(time.time_ns()))
    timing = Timing(
        lease=5.0,
        heartbeat=0.1,
        poll=0.02,
        storage_retries=1.0,
        walk_pauses=(0.05, 2.0),
        machine_pauses=(0.05, 0.5),
    )
    stubs: dict[str, Any] = {"load": device.load, "render": device.render}
    renderers = Renderers(**stubs, render_probe=device.probe)
    run_process(Worker(Settings(home=home), renderers, timing))


def burn(runs: int) -> Findings:
    """Break the devices of this many homes; count the films that are missing at the end."""
    lost = doubled = given_twice = 0
    figures: Counter[str] = Counter()
    for run in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            rows, breaks = _run_home(Path(folder), run)
            storage = open_storage(Settings(home=Path(folder)).store_root)
            films = [file.key for file in storage.list() if file.key.endswith(".gif")]
            intact = sum(
                row.state is State.DONE
                and hashlib.sha256(storage.get(row.files["gif"])).hexdigest() == row.sha256
                for row in rows
            )
        lost += len(rows) - intact
        doubled += len(films) - len(set(films)) + max(0, len(films) - len(rows))
        given_twice += len(rows) - len({row.accession for row in rows})
        figures.update(f"broken at {moment}" for moment in breaks)
        figures["walks failed"] += sum(row.state is State.FAILED for row in rows)
        figures["walks done"] += intact
        figures["attempts"] += sum(row.attempt for row in rows)
        figures["deaths"] += sum(row.deaths for row in rows)
    return Findings(
        runs, lost=lost, doubled=doubled, numbers_given_twice=given_twice, figures=dict(figures)
    )


def _run_home(home: Path, seed: int) -> tuple[list[Walk], list[str]]:
    """Run a supervised worker while its device breaks and heals; return the rows and the breaks."""
    settings, random_ = Settings(home=home), random.Random(seed)
    migrate(settings.database)
    faults = random_.randint(2, 3)
    if random_.random() < 0.5:
        (home / "burnt").touch()  # before the first load
    command = [sys.executable, "-m", "tests.chaos.burnt_gpus", str(home), str(seed)]
    supervisor = Supervisor(settings, command=command, pauses=(0.05, 1.0))
    supervisor.start()
    try:
        for number in range(faults):
            _enqueue_walks(settings, number)
            time.sleep(random_.uniform(0.0, 1.0))  # at any moment of a walk
            _break_device(home, random_)
        _wait_for_films(settings)
    finally:
        supervisor.stop()
    rows = _rows(settings)
    get_engine(settings.database).dispose()
    return rows, _breaks(home)


def _break_device(home: Path, random_: random.Random) -> None:
    """Break the device until it has failed for a while, then make it well."""
    (home / random_.choice(["burnt", "flickering"])).touch()
    before, deadline = len(_breaks(home)), time.monotonic() + 10.0
    while len(_breaks(home)) == before and time.monotonic() < deadline:
        time.sleep(0.02)  # between two looks
    time.sleep(random_.uniform(0.0, 3.0))  # broken for as long
    for name in ("burnt", "flickering"):
        (home / name).unlink(missing_ok=True)


def _breaks(home: Path) -> list[str]:
    """At which moments the device has failed so far."""
    log = home / "breaks.txt"
    return log.read_text().split() if log.exists() else []


def _enqueue_walks(settings: Settings, batch: int) -> None:
    first = batch * MAKERS * WALKS_EACH
    with writing(settings.database) as session:
        for number in range(first, first + MAKERS * WALKS_EACH):
            stops = ({"prompt": "a square", "seed": number}, {"prompt": "a sea", "seed": 7})
            options = {"frames": 4, "size": noise_worker.SIZE, "maker": str(number % MAKERS)}
            enqueue_walk_in(session, stops=stops, **options)


def _wait_for_films(settings: Settings) -> None:
    deadline = time.monotonic() + PATIENCE
    while not all(row.state.is_final for row in _rows(settings)) and time.monotonic() < deadline:
        time.sleep(0.1)  # between two looks


def _rows(settings: Settings) -> list[Walk]:
    with reading(settings.database) as session:
        return list(session.scalars(select(Walk)))


SCENARIO = Scenario("burnt-gpus", 20, burn)

if __name__ == "__main__":
    run_worker(Path(sys.argv[1]), int(sys.argv[2]))
