"""A walk's spec to a stored film: the one way, for worker, command line and cloud."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from momalisa.engine import perception
from momalisa.engine.frame_cache import CachedFrames, Frame, FrameCache
from momalisa.errors import BadInput, Cancelled
from momalisa.film.encode import encode_gif, encode_poster
from momalisa.spec import Place, WalkSpec
from momalisa.storage import Storage, film_key
from momalisa.storage.outbox import RECORD, File, Outbox, deliver_film

if TYPE_CHECKING:
    from momalisa.engine.runner import ModelRunner


@dataclass(frozen=True)
class Progress:
    """How far a walk has come: the frames that are ready, in the order they became so."""

    stage: str
    """"survey" (of an even pacing), "frames", "film" or "storing"."""
    ready: tuple[tuple[int, str], ...]
    """(number of the place, the frame's key in the cache)."""
    total: int
    rough: tuple[tuple[int, str], ...] = ()
    """The previews of places whose frame is not ready."""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What painting a walk took, what came of it, and the model and machine that did it."""

    seconds: float
    seconds_to_load: float
    frames_computed: int
    unet_samples: int
    distances: list[float]
    evenness: float
    sharpness: float
    device: str
    dtype: str
    model_digest: str

    def figures(self) -> dict[str, Any]:
        """These figures alone, for JSON."""
        return {field.name: getattr(self, field.name) for field in fields(Figures)}


@dataclass(frozen=True, kw_only=True)
class Painted(Figures):
    """A walk's frames by place, and the figures of their making."""

    frames: Sequence[Frame]


@dataclass(frozen=True, kw_only=True)
class Rendered(Figures):
    """A stored film: where its files lie, and the figures for its label."""

    files: dict[str, str]
    bytes: int
    sha256: str
    frames: int
    waiting: bool = False
    """Whether the film is in this machine's outbox, because its storage was out of reach."""


def _ignore(_news: object) -> None:
    """Nobody watches."""


def _never() -> bool:
    return False


def paint(
    spec: WalkSpec,
    runner: "ModelRunner",
    cache: FrameCache,
    *,
    batch: int = 0,
    on_progress: Callable[[Progress], None] = _ignore,
    cancelled: Callable[[], bool] = _never,
) -> Painted:
    """Make every frame of a walk and measure how it changes; `batch` as in `walk.frames`.

    Raises Cancelled between two frames, OutOfMemory, BadInput.
    """
    # Imported late: what only keeps a walk that was painted elsewhere needs no torch.
    from momalisa.engine.walk import frames as walk_frames

    began = time.perf_counter()
    total = len(spec.places())
    ready: dict[int, str] = {}
    rough: dict[int, str] = {}
    computed = samples = 0
    on_progress(Progress("frames", (), total))
    for done in walk_frames(spec, runner, cache, batch=batch):
        if done.finished:
            ready[done.index] = done.key
            rough.pop(done.index, None)
        elif done.index not in ready:
            rough[done.index] = done.key
        computed += done.unet_samples > 0 or done.source == "glided"
        samples += done.unet_samples
        stage = "survey" if done.source == "survey" else "frames"
        on_progress(Progress(stage, tuple(ready.items()), total, tuple(rough.items())))
        if cancelled():
            raise Cancelled("The walk was cancelled.")
    seconds = time.perf_counter() - began
    keys = [ready[index] for index in range(total)]
    found = CachedFrames(cache, keys)
    legs = [CachedFrames(cache, leg) for leg in _legs(spec, keys)]
    circle = chain(found, found[:1]) if spec.loop == "closed" else found
    distances = perception.steps(circle)
    return Painted(
        frames=found,
        seconds=seconds,
        seconds_to_load=runner.seconds_to_load,
        frames_computed=computed,
        unet_samples=samples,
        distances=distances,
        evenness=perception.evenness(distances),
        sharpness=min(perception.relative_sharpness(leg) for leg in legs),
        device=str(runner.model.device),
        dtype=str(runner.model.dtype).removeprefix("torch."),
        model_digest=runner.model.digest,
    )


def _legs(spec: WalkSpec, keys: Sequence[str]) -> Iterator[list[str]]:
    """The keys of each leg's frames, both its stops among them."""
    parts = spec.frames - 1
    for first in range(0, parts * len(spec.legs), parts):
        yield [keys[index % len(keys)] for index in range(first, first + parts + 1)]


def still(spec: WalkSpec, place: Place, runner: "ModelRunner", cache: FrameCache) -> str:
    """The key of the frame at any place of a walk, painted unless the cache has it.

    It is the frame that the walk has there, where that one does not glide. Raises BadInput for a
    place that is not on the walk, or a size the model cannot paint; OutOfMemory.
    """
    from momalisa.engine import walk

    if not 0 <= place.leg < len(spec.legs) or not 0.0 <= place.t <= 1.0:
        raise BadInput("That picture is not on this walk. Please choose a place between two stops.")
    return walk.still(spec, place, runner, cache).key


def film_of(spec: WalkSpec, painted: Painted) -> bytes:
    """The GIF, in the film's order, with the walk's spec inside it."""
    return encode_gif(
        painted.frames, spec.fps, comment=spec.model_dump_json(), order=spec.film_order()
    )


def render(
    spec: WalkSpec,
    *,
    walk_id: str,
    runner: "ModelRunner",
    cache: FrameCache,
    storage: Storage,
    outbox: Outbox | None = None,
    entry: Mapping[str, Any] | None = None,
    on_progress: Callable[[Progress], None] = _ignore,
    cancelled: Callable[[], bool] = _never,
) -> Rendered:
    """Paint a walk, make its film and keep it, as `paint` and `keep` do.

    Raises Cancelled, OutOfMemory, BadInput or StorageError.
    """
    latest = Progress("frames", (), len(spec.places()))

    def follow(progress: Progress) -> None:
        nonlocal latest
        latest = progress
        on_progress(progress)

    painted = paint(spec, runner, cache, on_progress=follow, cancelled=cancelled)
    rendered = keep(
        spec,
        painted,
        walk_id=walk_id,
        storage=storage,
        outbox=outbox,
        entry=entry,
        on_stage=lambda stage: on_progress(replace(latest, stage=stage)),
    )
    cache.trim()
    return rendered


def keep(
    spec: WalkSpec,
    painted: Painted,
    *,
    walk_id: str,
    storage: Storage,
    outbox: Outbox | None = None,
    entry: Mapping[str, Any] | None = None,
    on_stage: Callable[[str], None] = _ignore,
) -> Rendered:
    """Make the film of a painted walk and store it. The files are there before this returns.

    Where the storage is out of reach they are in the `outbox`, if there is one. `entry` is what
    else the record should say, as the history has it: the walk's accession number, say.
    `on_stage` is told "film", then "storing".

    Raises StorageError, or BadInput for a `walk_id` that is none.
    """
    on_stage("film")
    began = time.perf_counter()
    data = film_of(spec, painted)
    sha256 = hashlib.sha256(data).hexdigest()
    taken = time.perf_counter() - began
    rendered = Rendered(
        **painted.figures() | {"seconds": painted.seconds + taken},
        files={
            "gif": film_key(walk_id, f"{sha256[:16]}.gif"),
            "poster": film_key(walk_id, "poster.webp"),
            "json": record_key(walk_id),
        },
        bytes=len(data),
        sha256=sha256,
        frames=len(painted.frames),
    )
    on_stage("storing")
    record = {**(entry or {}), **_record(spec, walk_id, rendered)}
    files = _files(rendered, data, encode_poster(painted.frames[0]), record)
    return replace(rendered, waiting=deliver_film(files, storage, outbox))


def record_key(walk_id: str) -> str:
    """Where a stored walk's record lies; it is stored last."""
    return film_key(walk_id, RECORD)


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
