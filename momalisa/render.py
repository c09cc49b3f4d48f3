"""A walk's spec to a stored film: the one way, for worker, command line and cloud."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from momalisa import film, perception
from momalisa.errors import Cancelled
from momalisa.frames import Frame, FrameCache, KeptFrames
from momalisa.models.sd import StableDiffusion
from momalisa.outbox import File, Outbox, deliver
from momalisa.spec import WalkSpec
from momalisa.storage import Storage, film_key
from momalisa.walk import frames as walk_frames


@dataclass(frozen=True)
class Progress:
    """How far a walk has come: the frames that are ready, in the order they became so."""

    stage: str
    """"frames", "film" or "storing"."""
    ready: tuple[tuple[int, str], ...]
    """(number of the place, the frame's key in the cache)."""
    total: int
    rough: tuple[tuple[int, str], ...] = ()
    """The previews of places whose frame is not ready."""


@dataclass(frozen=True)
class Painted:
    """A walk's frames by place, and what making them took."""

    frames: Sequence[Frame]
    seconds: float
    frames_computed: int
    unet_samples: int
    distances: list[float] = field(default_factory=list)
    evenness: float = 1.0
    sharpness: float = 1.0


@dataclass(frozen=True)
class Rendered:
    """A stored film: where its files lie, and the figures for its label."""

    files: dict[str, str]
    bytes: int
    sha256: str
    seconds: float
    seconds_to_load: float
    frames: int
    frames_computed: int
    unet_samples: int
    distances: list[float]
    evenness: float
    sharpness: float
    device: str
    dtype: str
    model_digest: str
    waiting: bool = False
    """Whether the film is in this machine's outbox, because its storage was out of reach."""


def _ignore(progress: Progress) -> None:
    """Nobody watches."""


def _never() -> bool:
    return False


def paint(
    spec: WalkSpec,
    model: StableDiffusion,
    cache: FrameCache,
    *,
    batch: int = 0,
    on_progress: Callable[[Progress], None] = _ignore,
    cancelled: Callable[[], bool] = _never,
) -> Painted:
    """Make every frame of a walk and measure how it changes; `batch` as in `walk.frames`.

    Raises Cancelled between two frames, OutOfMemory, BadInput.
    """
    began = time.perf_counter()
    total = len(spec.places())
    ready: dict[int, str] = {}
    rough: dict[int, str] = {}
    computed = samples = 0
    on_progress(Progress("frames", (), total))
    for done in walk_frames(spec, model, cache, batch=batch):
        if done.source == "preview":
            rough[done.index] = done.key
        else:
            ready[done.index] = done.key
            rough.pop(done.index, None)
        computed += done.unet_samples > 0 or done.source == "glided"
        samples += done.unet_samples
        on_progress(Progress("frames", tuple(ready.items()), total, tuple(rough.items())))
        if cancelled():
            raise Cancelled("The walk was cancelled.")
    seconds = time.perf_counter() - began
    found = KeptFrames(cache, [ready[index] for index in range(total)])
    circle = chain(found, found[:1]) if spec.loop == "closed" else found
    distances = perception.steps(circle)
    return Painted(
        found,
        seconds,
        computed,
        samples,
        distances,
        perception.evenness(distances),
        perception.relative_sharpness(found),
    )


def film_of(spec: WalkSpec, painted: Painted) -> bytes:
    """The GIF, in the film's order, with the walk's spec inside it."""
    return film.gif(
        painted.frames, spec.fps, comment=spec.model_dump_json(), order=spec.film_order()
    )


def render(
    spec: WalkSpec,
    *,
    walk_id: str,
    model: StableDiffusion,
    cache: FrameCache,
    storage: Storage,
    outbox: Outbox | None = None,
    entry: Mapping[str, Any] | None = None,
    on_progress: Callable[[Progress], None] = _ignore,
    cancelled: Callable[[], bool] = _never,
) -> Rendered:
    """Paint a walk, make its film and store it. The files are there before this returns.

    Where the storage is out of reach they are in the `outbox`, if there is one. `entry` is what
    else the record should say, as the history has it: the walk's accession number, say.

    Raises Cancelled, OutOfMemory, BadInput or StorageError.
    """
    latest = Progress("frames", (), len(spec.places()))

    def follow(progress: Progress) -> None:
        nonlocal latest
        latest = progress
        on_progress(progress)

    began = time.perf_counter()
    painted = paint(spec, model, cache, on_progress=follow, cancelled=cancelled)
    follow(Progress("film", latest.ready, latest.total))
    data = film_of(spec, painted)
    sha256 = hashlib.sha256(data).hexdigest()
    rendered = Rendered(
        files={
            "gif": film_key(walk_id, f"{sha256[:16]}.gif"),
            "poster": film_key(walk_id, "poster.webp"),
            "json": film_key(walk_id, "walk.json"),
        },
        bytes=len(data),
        sha256=sha256,
        seconds=time.perf_counter() - began,
        seconds_to_load=model.seconds_to_load,
        frames=len(painted.frames),
        frames_computed=painted.frames_computed,
        unet_samples=painted.unet_samples,
        distances=painted.distances,
        evenness=painted.evenness,
        sharpness=painted.sharpness,
        device=str(model.device),
        dtype=str(model.dtype).removeprefix("torch."),
        model_digest=model.digest,
    )
    follow(Progress("storing", latest.ready, latest.total))
    record = {**(entry or {}), **_record(spec, walk_id, rendered)}
    files = _files(rendered, data, film.poster(painted.frames[0]), record)
    waiting = deliver(files, storage, outbox)
    cache.trim()
    return replace(rendered, waiting=waiting)


def _record(spec: WalkSpec, walk_id: str, rendered: Rendered) -> Mapping[str, Any]:
    """What `walk.json` says: enough to rebuild the history from the bucket alone."""
    return {
        "version": 1,
        "walk_id": walk_id,
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "title": spec.title(),
        "digest": spec.digest(),
        "spec": spec.model_dump(mode="json"),
        "result": {name: value for name, value in asdict(rendered).items() if name != "waiting"},
    }


def _files(rendered: Rendered, gif: bytes, poster: bytes, record: Mapping[str, Any]) -> list[File]:
    """The film first, its record last: a record never stands for a film that is not there."""
    text = json.dumps(record, indent=2, ensure_ascii=False).encode()
    parts = {"poster": poster, "gif": gif, "json": text}
    return [File(rendered.files[kind], data) for kind, data in parts.items()]
