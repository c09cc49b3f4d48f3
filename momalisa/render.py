"""A walk's spec to a stored film: the one way, for worker, command line and cloud."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from momalisa import film, perception
from momalisa.errors import Cancelled
from momalisa.frames import Frame, FrameCache
from momalisa.models.sd import StableDiffusion
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


@dataclass(frozen=True)
class Painted:
    """A walk's frames by place, and what making them took."""

    frames: list[Frame]
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
    frames: dict[int, Frame] = {}
    ready: list[tuple[int, str]] = []
    computed = samples = 0
    on_progress(Progress("frames", (), total))
    for done in walk_frames(spec, model, cache, batch=batch):
        frames[done.index] = done.frame
        ready.append((done.index, done.key))
        computed += done.unet_samples > 0
        samples += done.unet_samples
        on_progress(Progress("frames", tuple(ready), total))
        if cancelled():
            raise Cancelled("The walk was cancelled.")
    seconds = time.perf_counter() - began
    ordered = [frames[index] for index in range(total)]
    distances = perception.steps(ordered + ordered[:1] if spec.loop == "closed" else ordered)
    return Painted(
        ordered,
        seconds,
        computed,
        samples,
        distances,
        perception.evenness(distances),
        perception.relative_sharpness(ordered),
    )


def film_of(spec: WalkSpec, painted: Painted) -> bytes:
    """The GIF, in the film's order, with the walk's spec inside it."""
    shown = [painted.frames[index] for index in spec.film_order()]
    return film.gif(shown, spec.fps, comment=spec.model_dump_json())


def render(
    spec: WalkSpec,
    *,
    walk_id: str,
    model: StableDiffusion,
    cache: FrameCache,
    storage: Storage,
    on_progress: Callable[[Progress], None] = _ignore,
    cancelled: Callable[[], bool] = _never,
) -> Rendered:
    """Paint a walk, make its film and store it. The files are there before this returns.

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
    record = _record(spec, walk_id, rendered)
    _store(storage, rendered, data, film.poster(painted.frames[0]), record)
    cache.trim()
    return rendered


def _record(spec: WalkSpec, walk_id: str, rendered: Rendered) -> Mapping[str, Any]:
    """What `walk.json` says: enough to rebuild the history from the bucket alone."""
    return {
        "version": 1,
        "walk_id": walk_id,
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "title": spec.title(),
        "digest": spec.digest(),
        "spec": spec.model_dump(mode="json"),
        "result": asdict(rendered),
    }


def _store(
    storage: Storage, rendered: Rendered, gif: bytes, poster: bytes, record: Mapping[str, Any]
) -> None:
    """The film first, its record last: a record never points at a film that is not there.

    What an earlier attempt at this walk has stored already is left as it is.
    """
    text = json.dumps(record, indent=2, ensure_ascii=False).encode()
    for kind, data, content_type in (
        ("poster", poster, "image/webp"),
        ("gif", gif, "image/gif"),
        ("json", text, "application/json"),
    ):
        if not storage.exists(rendered.files[kind]):
            storage.put(rendered.files[kind], data, content_type)
