"""A worker in a process of its own whose pictures are noise: all else of it is the real one."""

import hashlib
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np

from momalisa.film.encode import encode_gif, encode_poster
from momalisa.render import Progress
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.storage import Storage, film_key
from momalisa.storage.outbox import File, deliver_film
from momalisa.worker.process import run_process
from momalisa.worker.worker import Worker

SIZE = 64

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    ["momalisa.worker.worker", "momalisa.film.encode", "google.cloud.storage"]
)


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
    gif = encode_gif(frames, spec.fps, comment=spec.model_dump_json())
    sha256 = hashlib.sha256(gif).hexdigest()
    names = {"poster": "poster.webp", "gif": f"{sha256[:16]}.gif", "json": "walk.json"}
    keys = {kind: film_key(walk_id, name) for kind, name in names.items()}
    made = Film(keys, len(gif), sha256, len(frames))
    parts = (encode_poster(frames[0]), gif, record_of(spec, made, entry))
    on_progress(Progress("storing", (), spec.frames))
    files = [File(key, part) for key, part in zip(keys.values(), parts, strict=True)]
    return Film(keys, len(gif), sha256, len(frames), deliver_film(files, storage, outbox))


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


def start(settings: Settings, patience: tuple[float, float], address: str) -> BaseProcess:
    """A worker process that lives until it is killed."""
    worker = _processes.Process(target=work, args=(settings, patience, address))
    worker.start()
    return worker
