"""Workers with a small renderer of their own: real frames, painted slowly.

Run as a script, this file is such a worker:
`python tests/support/stub_worker.py HOME SECONDS_A_FRAME`.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from db import stills, walks
from db.models import Still, Walk
from db.session import reading, writing
from momalisa.engine.frame_cache import FrameCache, frame_key
from momalisa.errors import Cancelled
from momalisa.render import Progress
from momalisa.settings import CHECKOUT, Settings
from momalisa.spec import Place, WalkSpec
from momalisa.storage import Storage, film_key
from momalisa.storage.outbox import File, Outbox, deliver_film
from momalisa.worker.process import run_process
from momalisa.worker.worker import Worker

STOPS: Any = ({"prompt": "a red square"}, {"prompt": "a stormy sea"})


@dataclass(frozen=True)
class Film:
    files: dict[str, str]
    frames_computed: int
    bytes: int = 4
    sha256: str = "5a"
    seconds: float = 0.5
    seconds_to_load: float = 0.1
    unet_samples: int = 8
    distances: list[float] = field(default_factory=lambda: [0.25])
    evenness: float = 1.0
    sharpness: float = 2.0
    device: str = "cpu"
    dtype: str = "float32"
    model_digest: str = "stub"
    waiting: bool = False


@dataclass
class Painter:
    """A renderer whose model is a number of seconds a frame."""

    made: Path
    pace: float = 0.0

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
    ) -> Film:
        ready: list[tuple[int, str]] = []
        made = 0
        for index, place in enumerate(spec.places()):
            key = frame_key(spec, place, runner)
            if cancelled():
                raise Cancelled("called off")
            if cache.get(key) is None:
                time.sleep(self.pace)
                cache.put(key, np.full((8, 8, 3), index, np.uint8))
                with self.made.open("a") as log:
                    log.write(f"{key}\n")
                made += 1
            ready.append((index, key))
            on_progress(Progress("frames", tuple(ready), spec.frames))
        files = {"gif": film_key(walk_id, "film.gif"), "json": film_key(walk_id, "walk.json")}
        film, record = File(files["gif"], b"film"), File(files["json"], json.dumps(entry).encode())
        return Film(files, made, waiting=deliver_film([film, record], storage, outbox))


def ask(settings: Settings, *, remote: bool = False, **choice: Any) -> Walk:
    spec = WalkSpec(stops=STOPS, **{"frames": 6} | choice)
    with writing(settings.database) as session:
        return walks.enqueue(
            session=session,
            spec=spec.model_dump(mode="json"),
            digest=spec.digest(),
            title=spec.title(),
            frames_total=len(spec.places()),
            remote=remote,
        )


def ask_still(settings: Settings, t: float, leg: int = 0, **choice: Any) -> str:
    spec = WalkSpec(stops=STOPS, **{"frames": 6} | choice).model_dump(mode="json")
    with writing(settings.database) as session:
        return stills.ask(session=session, spec=spec, leg=leg, t=t, maker=str(t))


def still_row(settings: Settings, still_id: str) -> Still:
    with reading(settings.database) as session:
        return session.get_one(Still, still_id)


def row(settings: Settings, walk: Walk) -> Walk:
    with reading(settings.database) as session:
        return session.get_one(Walk, walk.id)


def still(spec: WalkSpec, place: Place, runner: str, cache: FrameCache) -> str:
    """Like `render.still`, with the painter's pictures."""
    key = frame_key(spec, place, runner)
    cache.put(key, np.zeros((8, 8, 3), np.uint8))
    return key


def load(name: str, device: str) -> str:
    return name


def worker(settings: Settings, **how: Any) -> Worker:
    quick: dict[str, Any] = {
        "load": load,
        "render": Painter(settings.home / "made.txt"),
        "still": still,
        "beat": 0.05,
    }
    return Worker(settings, **quick | {"poll": 0.02} | how)


@contextmanager
def at_work(settings: Settings, **how: Any) -> Iterator[Worker]:
    """A worker in a thread of this process."""
    one = worker(settings, **how)
    thread = threading.Thread(target=one.run)
    thread.start()
    try:
        yield one
    finally:
        one.stop()
        thread.join()


def made(settings: Settings) -> list[str]:
    path = settings.home / "made.txt"
    return path.read_text().split() if path.exists() else []


@contextmanager
def child(
    settings: Settings, pace: float, **environment: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, __file__, str(settings.home), str(pace)],
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
    slow = Painter(home.home / "made.txt", float(sys.argv[2]))
    run_process(Worker(home, load=load, render=slow, lease=1.0, beat=0.2, poll=0.05))
