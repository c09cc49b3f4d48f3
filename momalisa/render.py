"""From a walk's spec to a stored film: for the worker, the command line and the cloud."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from momalisa.engine.cached_frames import CachedFrames
from momalisa.engine.film_measures import measure_film
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.errors import Cancelled
from momalisa.film.encode import encode_gif
from momalisa.film.shown import encode_shown_film, encode_shown_poster
from momalisa.result import RenderStats, Result
from momalisa.spec import Place, WalkSpec
from momalisa.storage import Storage, film_key, webp_name
from momalisa.storage.outbox import RECORD, File, Outbox, deliver_film

if TYPE_CHECKING:
    from momalisa.engine.renderer import WalkFrame
    from momalisa.engine.runner import ModelRunner

TRIES = 3
"""Attempts at a walk's frames while other processes delete some of them from the cache."""


@dataclass(frozen=True)
class Progress:
    """How far a walk has come: the frames that are ready, in the order they became so."""

    stage: str
    """"survey" (measuring for even pacing), "frames", "film" or "storing"."""
    ready: tuple[tuple[int, str], ...]
    """(index of the place, key of its frame in the cache)."""
    total: int
    previews: tuple[tuple[int, str], ...] = ()
    """(index of the place, key of its preview) where the frame is not ready."""
    samples: int = 0
    """Rows sent through the model so far."""
    replaced: tuple[tuple[int, str], ...] = ()
    """The same of pictures that another one has replaced; the cache has them still."""


class RenderedFrames(NamedTuple):
    """A walk's frames by place, and the statistics of their rendering."""

    frames: Sequence[Frame]
    stats: RenderStats


class StoredFilm(NamedTuple):
    """A film in the storage or in the outbox."""

    result: Result
    waiting: bool
    """Whether it is in this machine's outbox, because its storage was out of reach."""


class Renderer(Protocol):
    """Renders a walk and stores its film, on some machine."""

    def __call__(
        self,
        spec: WalkSpec,
        *,
        walk_id: str,
        cache: FrameCache,
        storage: Storage,
        outbox: Outbox | None,
        entry: Mapping[str, Any] | None,
        on_progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
        still_mine: Callable[[], bool],
    ) -> StoredFilm:
        """Raise Cancelled between two frames once `cancelled()` is true.

        `still_mine` is asked right before the record is stored; if it says no, Cancelled is raised.
        """


class ModelRenderer(Protocol):
    """Renders a walk and stores its film with a model of this machine: `render`, or a stub."""

    def __call__(
        self,
        spec: WalkSpec,
        *,
        walk_id: str,
        runner: "ModelRunner",
        cache: FrameCache,
        storage: Storage,
        outbox: Outbox | None,
        entry: Mapping[str, Any] | None,
        on_progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
        still_mine: Callable[[], bool],
    ) -> StoredFilm:
        """Render a walk and store its film. Raises Cancelled as `Renderer` does."""


def _ignore(_value: object) -> None:
    """No-op callback, the default."""


def _never() -> bool:
    return False


def _always() -> bool:
    return True


def render_frames(
    spec: WalkSpec,
    runner: "ModelRunner",
    cache: FrameCache,
    *,
    batch: int = 0,
    on_progress: Callable[[Progress], None] = _ignore,
    cancelled: Callable[[], bool] = _never,
) -> RenderedFrames:
    """Render every frame of a walk and measure how they change; `batch` as in `walk.frames`.

    Raises Cancelled between two frames, OutOfMemory, BadInput.
    """
    # Imported late: a process that only stores films rendered elsewhere needs no torch.
    from momalisa.engine.walk import frames as walk_frames

    tally = _Tally(len(spec.places()))

    def check() -> None:
        if cancelled():
            raise Cancelled("The walk was cancelled.")

    def make_frames() -> list[str]:
        """Make what the cache lacks; returns all keys, by place."""
        for frame in walk_frames(spec, runner, cache, batch=batch):
            on_progress(tally.progress(tally.add(frame)))
            check()
        return [tally.ready[index] for index in range(tally.total)]

    began = time.perf_counter()
    on_progress(tally.progress("frames"))
    keys = _retry_if_lost(make_frames)
    seconds = time.perf_counter() - began
    frames = CachedFrames(cache, keys, lambda: _retry_if_lost(make_frames), on_read=check)
    stats = RenderStats(
        seconds=seconds,
        seconds_to_load=runner.seconds_to_load,
        frames_computed=tally.computed,
        unet_samples=tally.samples,
        **measure_film(spec, frames),
        device=str(runner.model.device),
        dtype=str(runner.model.dtype).removeprefix("torch."),
        model_digest=runner.model.digest,
    )
    return RenderedFrames(frames, stats)


class _Tally:
    """Counts the frames of a walk as they arrive."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.ready: dict[int, str] = {}
        self.previews: dict[int, str] = {}
        self.pictures: dict[str, int] = {}
        self.computed = self.samples = 0

    def add(self, frame: "WalkFrame") -> str:
        """Note a frame or preview; return the stage that it belongs to."""
        self.pictures[frame.key] = frame.index
        if frame.finished:
            self.ready[frame.index] = frame.key
            self.previews.pop(frame.index, None)
        elif frame.index not in self.ready:
            self.previews[frame.index] = frame.key
        self.computed += frame.unet_samples > 0 or frame.source == "glided"
        self.samples += frame.unet_samples
        return "survey" if frame.source == "survey" else "frames"

    def progress(self, stage: str) -> Progress:
        """The progress so far."""
        ready, previews = tuple(self.ready.items()), tuple(self.previews.items())
        shown = {*self.ready.values(), *self.previews.values()}
        replaced = tuple((i, key) for key, i in self.pictures.items() if key not in shown)
        return Progress(stage, ready, self.total, previews, self.samples, replaced)


def _retry_if_lost(make_frames: Callable[[], list[str]]) -> list[str]:
    """Make a walk's frames; begin anew if the cache has lost one on the way."""
    for _ in range(TRIES - 1):
        with suppress(FileNotFoundError):
            return make_frames()
    return make_frames()


def render_still(spec: WalkSpec, place: Place, runner: "ModelRunner", cache: FrameCache) -> str:
    """Render the frame at any place of a walk unless it is cached; return its key.

    It equals the walk's own frame there, unless that one is cross-faded (shortcut "glide").
    Raises BadInput for a place outside the walk or an unsupported size; OutOfMemory.
    """
    from momalisa.engine import walk

    return walk.stills(spec, [place], runner, cache)[0].key


def render_live(
    spec: WalkSpec,
    places: Sequence[Place],
    runner: "ModelRunner",
    cache: FrameCache,
    rough: bool = False,
) -> list[Frame]:
    """Render and return the frames at places, `rough` ones sooner; raises as `render_still`."""
    from momalisa.engine import walk

    made = walk.stills(spec, places, runner, cache, rough=rough)
    return [still.frame for still in made]


def encode_film(spec: WalkSpec, frames: Sequence[Frame]) -> bytes:
    """Encode the GIF, in the film's order, with the walk's spec in its comment."""
    return encode_gif(frames, spec.fps, comment=spec.model_dump_json(), order=spec.film_order())


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
    still_mine: Callable[[], bool] = _always,
) -> StoredFilm:
    """Render a walk's frames, then make and store its film: `render_frames` and `make_film`.

    Raises Cancelled, OutOfMemory, BadInput or StorageError.
    """
    latest = Progress("frames", (), len(spec.places()))

    def follow(progress: Progress) -> None:
        nonlocal latest
        latest = progress
        on_progress(progress)

    with cache.keep_used():
        rendered = render_frames(spec, runner, cache, on_progress=follow, cancelled=cancelled)
        film = make_film(
            spec,
            rendered,
            walk_id=walk_id,
            storage=storage,
            outbox=outbox,
            entry=entry,
            on_stage=lambda stage: on_progress(replace(latest, stage=stage)),
            still_mine=still_mine,
            pictures={digest: cache.get_file(digest) or b"" for digest in spec.pictures},
        )
    cache.trim()
    return film


def make_film(
    spec: WalkSpec,
    rendered: RenderedFrames,
    *,
    walk_id: str,
    storage: Storage,
    outbox: Outbox | None = None,
    entry: Mapping[str, Any] | None = None,
    on_stage: Callable[[str], None] = _ignore,
    still_mine: Callable[[], bool] = _always,
    pictures: Mapping[str, bytes] = MappingProxyType({}),
) -> StoredFilm:
    """Encode the film of rendered frames and store it with its WebP, poster and record.

    `pictures` are the files of the stops' pictures, by digest, which are stored beside it. If the
    storage is out of reach, the files go to the `outbox`, if there is one. `entry` holds further
    fields of the record, such as the walk's accession number. Calls `on_stage` with "film", then
    with "storing"; asks `still_mine` right before the record is stored, and raises Cancelled if the
    answer is no. Raises StorageError, or BadInput for an invalid `walk_id`.
    """
    on_stage("film")
    began = time.perf_counter()
    gif, webp = _encode_side_by_side(spec, rendered.frames)
    sha256 = hashlib.sha256(gif).hexdigest()
    stops = {spec.pictures[digest]: data for digest, data in pictures.items() if data}
    stats = rendered.stats.model_dump()
    stats["seconds"] += time.perf_counter() - began
    result = Result(
        **stats,
        files={
            "gif": film_key(walk_id, f"{sha256[:16]}.gif"),
            "webp": film_key(walk_id, webp_name(f"{sha256[:16]}.gif")),
            "poster": film_key(walk_id, "poster.webp"),
            "json": record_key(walk_id),
            **{kind: film_key(walk_id, f"{kind}.webp") for kind in stops},
        },
        bytes=len(gif),
        sha256=sha256,
        frames=len(rendered.frames),
    )
    on_stage("storing")
    record = {**(entry or {}), **_record(spec, walk_id, result)}
    poster = encode_shown_poster(spec, rendered.frames)
    files = _files(result, record, {**stops, "poster": poster, "webp": webp, "gif": gif})
    return StoredFilm(result, waiting=deliver_film(files, storage, outbox, still_mine))


def _encode_side_by_side(spec: WalkSpec, frames: Sequence[Frame]) -> tuple[bytes, bytes]:
    with ThreadPoolExecutor(1) as other:  # the GIF is encoded on one core
        webp = other.submit(encode_shown_film, spec, frames)
        return encode_film(spec, frames), webp.result()


def record_key(walk_id: str) -> str:
    """The storage key of a walk's record, which is stored last."""
    return film_key(walk_id, RECORD)


def _record(spec: WalkSpec, walk_id: str, result: Result) -> dict[str, Any]:
    """The content of `walk.json`: enough to rebuild the history from the bucket alone."""
    return {
        "version": 1,
        "walk_id": walk_id,
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "title": spec.title(),
        "digest": spec.digest(),
        "spec": spec.model_dump(mode="json"),
        "result": result.model_dump(),
    }


def _files(result: Result, record: Mapping[str, Any], pictures: Mapping[str, bytes]) -> list[File]:
    """The files to store, the record last: a record implies that its film is stored."""
    text = json.dumps(record, indent=2, ensure_ascii=False).encode()
    parts = {**pictures, "json": text}
    return [File(result.files[kind], data) for kind, data in parts.items()]
