"""Real worker processes, except for the frames, which are noise."""

import hashlib
import json
import multiprocessing
import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from typing import Any

import numpy as np

from momalisa.film.encode import encode_gif, encode_poster
from momalisa.render import Progress, StoredFilm
from momalisa.result import Result
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.storage import Storage, film_key
from momalisa.storage.outbox import File, deliver_film
from momalisa.worker.process import run_process
from momalisa.worker.renderers import Renderers
from momalisa.worker.timing import Timing
from momalisa.worker.worker import Worker

SIZE = 64

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    ["momalisa.worker.worker", "momalisa.film.encode", "google.cloud.storage"]
)


def render_noise(
    spec: WalkSpec,
    *,
    walk_id: str,
    storage: Storage,
    outbox: Any,
    entry: Mapping[str, Any],
    on_progress: Callable[[Progress], None],
    still_mine: Callable[[], bool],
    **_: Any,
) -> StoredFilm:
    """Replace `render`: encode, store and deliver a film of noise, seeded by the first stop."""
    on_progress(Progress("frames", (), spec.frames))
    noise = np.random.default_rng(spec.stops[0].seed)
    frames = [noise.integers(0, 256, (SIZE, SIZE, 3), np.uint8) for _ in range(spec.frames)]
    time.sleep(0.05)
    on_progress(Progress("film", (), spec.frames))
    gif = encode_gif(frames, spec.fps, comment=spec.model_dump_json())
    sha256 = hashlib.sha256(gif).hexdigest()
    names = {"poster": "poster.webp", "gif": f"{sha256[:16]}.gif", "json": "walk.json"}
    keys = {kind: film_key(walk_id, name) for kind, name in names.items()}
    result = Result(
        files=keys, bytes=len(gif), sha256=sha256, frames=len(frames), frames_computed=len(frames)
    )
    parts = (encode_poster(frames[0]), gif, encode_record(spec, result, entry))
    on_progress(Progress("storing", (), spec.frames))
    files = [File(key, part) for key, part in zip(keys.values(), parts, strict=True)]
    return StoredFilm(result, deliver_film(files, storage, outbox, still_mine))


def encode_record(spec: WalkSpec, result: Result, entry: Mapping[str, Any]) -> bytes:
    """Encode a `walk.json`."""
    record = {
        **entry,
        "finished_at": datetime.now(UTC).isoformat(),
        "title": spec.title(),
        "spec": spec.model_dump(mode="json"),
        "result": result.model_dump(),
    }
    return json.dumps(record, indent=2).encode()


def run_worker(settings: Settings, patience: tuple[float, float], address: str) -> None:
    """Run a worker in this process; `address` is the storage emulator's URL."""
    os.environ["STORAGE_EMULATOR_HOST"] = address
    storage, outbox = patience
    timing = Timing(
        lease=1.0,
        heartbeat=0.1,
        poll=0.02,
        storage_retries=storage,
        outbox_retries=outbox,
        walk_pauses=(0.05, 1.0),
        machine_pauses=(0.05, 0.5),
    )
    stubs: dict[str, Any] = {
        "load": lambda name, device: name,
        "render": render_noise,
        "render_probe": lambda *_what: "",
    }
    run_process(Worker(settings, Renderers(**stubs), timing))


def start_worker(settings: Settings, patience: tuple[float, float], address: str) -> BaseProcess:
    """Start `run_worker` in a new process."""
    worker = _processes.Process(target=run_worker, args=(settings, patience, address))
    worker.start()
    return worker
