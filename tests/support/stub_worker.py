"""Workers with a stub renderer, which fills frames with one colour at a given pace.

Run as a script, this file is such a worker:
`python tests/support/stub_worker.py HOME SECONDS_A_FRAME`.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from db import stills
from db.models import Still
from db.session import reading, writing
from momalisa.engine.frame_cache import Frame, FrameCache, frame_key
from momalisa.errors import Cancelled
from momalisa.render import Progress, StoredFilm
from momalisa.settings import CHECKOUT, Settings
from momalisa.spec import Place, WalkSpec
from momalisa.storage import Storage, film_key
from momalisa.storage.outbox import File, Outbox, deliver_film
from momalisa.worker.process import run_process
from momalisa.worker.renderers import Renderers
from momalisa.worker.timing import Timing
from momalisa.worker.worker import Worker
from tests.support.results import stub_film
from tests.support.stored_films import film_record
from tests.support.walks import walk_spec

QUICK: dict[str, Any] = {
    **{"heartbeat": 0.05, "poll": 0.02, "end_retries": (0.02, 0.1)},
    **{"walk_pauses": (0.01, 1.0), "machine_pauses": (0.01, 0.1)},
}
"""Times of a worker that waits for nothing long."""
HASTY: dict[str, Any] = QUICK | {"walk_pauses": (0.01, 0.05)}
"""Times of a worker whose walks are tried many times."""
LOG = "rendered.txt"
"""The file in a worker's home that lists the keys of its rendered frames."""


@dataclass
class StubRenderer:
    """Renders frames of one colour, each in a number of seconds, and logs their keys."""

    log: Path
    seconds_a_frame: float = 0.0

    def __call__(
        self,
        spec: WalkSpec,
        *,
        walk_id: str,
        runner: str,
        cache: FrameCache,
        storage: Storage,
        outbox: Outbox,
        entry: dict[str, Any],
        on_progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
        still_mine: Callable[[], bool],
    ) -> StoredFilm:
        ready: list[tuple[int, str]] = []
        computed = 0
        for index, place in enumerate(spec.places()):
            key = frame_key(spec, place, runner)
            if cancelled():
                raise Cancelled("called off")
            if cache.get(key) is None:
                time.sleep(self.seconds_a_frame)
                cache.put(key, np.full((8, 8, 3), index, np.uint8))
                with self.log.open("a") as log:
                    log.write(f"{key}\n")
                computed += 1
            ready.append((index, key))
            on_progress(Progress("frames", tuple(ready), spec.frames))
        files = {"gif": film_key(walk_id, "film.gif"), "json": film_key(walk_id, "walk.json")}
        content = film_record(walk_id, **entry, spec=spec.model_dump(mode="json"))
        record = File(files["json"], json.dumps(content).encode())
        film = File(files["gif"], b"film")
        on_progress(Progress("storing", tuple(ready), spec.frames))
        waiting = deliver_film([film, record], storage, outbox, still_mine)
        return stub_film(files, frames_computed=computed, waiting=waiting)


def request_still(database: str, t: float, leg: int = 0, **fields: Any) -> str:
    """Request a still at a place of a walk; returns its id."""
    spec = walk_spec(**fields).model_dump(mode="json")
    with writing(database) as session:
        return stills.request(session=session, spec=spec, leg=leg, t=t, maker=str(t))


def read_still(database: str, still_id: str) -> Still:
    """Read a still's row."""
    with reading(database) as session:
        return session.get_one(Still, still_id)


def render_still(spec: WalkSpec, place: Place, runner: str, cache: FrameCache) -> str:
    """Replace `render.render_still`: put a black frame into the cache and return its key."""
    key = frame_key(spec, place, runner)
    cache.put(key, np.zeros((8, 8, 3), np.uint8))
    return key


def render_live(
    spec: WalkSpec, places: Sequence[Place], runner: str, cache: FrameCache, *_rough: bool
) -> list[Frame]:
    """Replace `render.render_live`: frames as grey as their places are far."""
    return [np.full((8, 8, 3), round(100 * (place.leg + place.t)), np.uint8) for place in places]


def load(name: str, device: str) -> str:
    """Replace `registry.load`: the model is its name."""
    return name


def stub_worker(settings: Settings, **options: Any) -> Worker:
    """Build a worker whose model, renderer and stills are stubs."""
    stubs: dict[str, Any] = {
        "load": load,
        "render": StubRenderer(settings.home / LOG),
        "render_still": render_still,
        "render_live": render_live,
        "render_probe": render_still,
    }
    timing = options.pop("timing", Timing(**QUICK))
    return Worker(settings, Renderers(**stubs | options), timing)


@contextmanager
def running_worker(settings: Settings, **options: Any) -> Iterator[Worker]:
    """Run a stub worker in a thread of this process."""
    worker = stub_worker(settings, **options)
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.stop()
        thread.join()


def rendered_keys(settings: Settings) -> list[str]:
    """The keys of all frames that stub renderers have rendered in this home, in order."""
    path = settings.home / LOG
    return path.read_text().split() if path.exists() else []


@contextmanager
def worker_process(
    settings: Settings, seconds_a_frame: float, **environment: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a stub worker in a process of its own; kill it afterwards."""
    process = subprocess.Popen(
        [sys.executable, __file__, str(settings.home), str(seconds_a_frame)],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)} | environment,
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


if __name__ == "__main__":
    home = Settings(home=Path(sys.argv[1]))
    renderer = StubRenderer(home.home / LOG, float(sys.argv[2]))
    quick = Timing(lease=1.0, heartbeat=0.2, poll=0.05)
    run_process(stub_worker(home, render=renderer, timing=quick))
