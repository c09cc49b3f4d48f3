"""Exports walks as MP4, WebP or ZIP on request; `film.embedded_spec` reads their specs back."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, Literal
from zipfile import ZipFile

import numpy as np
from PIL import ImageSequence

from momalisa import limited_process
from momalisa.engine.cached_frames import CachedFrames
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.errors import BadInput
from momalisa.film.embedded_text import RECORD, decode_errors_as_bad_input
from momalisa.film.encode import (
    Prepare,
    decode_gif,
    decode_webp,
    encode_mp4,
    encode_png,
    encode_webp,
)
from momalisa.film.enlarge import enlarge, shown_size, shrink
from momalisa.film.pixel_budget import open_picture
from momalisa.spec import FPS, WalkSpec

ExportFormat = Literal["mp4", "webp", "zip"]
CONTENT_TYPES: dict[ExportFormat, str] = {
    "mp4": "video/mp4",
    "webp": "image/webp",
    "zip": "application/zip",
}
FILM_ENCODERS: dict[ExportFormat, Callable[..., bytes]] = {"mp4": encode_mp4, "webp": encode_webp}
"""The encoder of each film format. A ZIP holds frames and needs the walk's spec."""
Origin = Literal["cache", "webp", "gif"]
"""What a walk's frames are read from: as they were made; as large as they are shown; dithered."""
PREPARE: dict[Origin, Prepare] = {
    "cache": enlarge,
    "webp": np.asarray,
    "gif": partial(enlarge, sharpen=False),
}
"""What is done with frames before they are encoded as a film."""

FRAMES_LIMIT = 2**29
"""Most bytes of decoded frames in one export: they are held in memory."""
SECONDS_LIMIT = 300.0
"""Longest foreign film that is converted."""
EXPORT_MEMORY, EXPORT_SECONDS = 4 * FRAMES_LIMIT, 300.0
"""What the process that makes an export may use."""

_LOST = "The stored film has lost frames. Please make the walk again."
_TOO_LONG = "This film is too long to be made into another format. Please take the GIF."


def export_film(
    kind: ExportFormat,
    target: Path,
    *,
    spec: WalkSpec | None,
    progress: Sequence[Sequence[Any]],
    cache: Path,
    film: Path | None,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Write a finished film in another format into the file `target`, in a limited process.

    `spec` and `progress` are those of its walk, None for a film of another program; `cache` is the
    folder of frames; `film` is the stored film, None where `needs_film` is false: a walk's WebP or
    GIF, another program's GIF. Raises BadInput if the film is damaged, not the walk's, or too large
    to be converted; Cancelled once `stopped()` is true.
    """
    limited_process.call(
        f"{__name__}:write_film",
        memory=EXPORT_MEMORY,
        seconds=EXPORT_SECONDS,
        stopped=stopped,
        kind=kind,
        target=str(target),
        spec=spec and spec.model_dump(mode="json"),
        progress=[*progress],
        cache=str(cache),
        film=film and str(film),
    )


def write_film(
    kind: ExportFormat,
    target: str,
    spec: dict[str, Any] | None,
    progress: Sequence[Sequence[Any]],
    cache: str,
    film: str | None,
) -> None:
    """Do the work of `export_film`, with arguments that are values of JSON."""

    def stored_film() -> bytes:
        if film is None:  # a frame was dropped from the cache just now
            raise BadInput("The film's frames are no longer at hand. Please ask for it again.")
        return Path(film).read_bytes()

    if spec is None:
        data = convert_gif(kind, stored_film())
    else:
        walk = WalkSpec.from_stored(spec)
        frames, origin = load_frames(walk, progress, FrameCache(Path(cache)), stored_film)
        data = export_walk(kind, walk, frames, origin)
    Path(target).write_bytes(data)


def needs_film(spec: WalkSpec | None, progress: Sequence[Sequence[Any]], cache: FrameCache) -> bool:
    """Whether an export needs the stored film, since not all of its frames are in the cache."""
    return spec is None or find_cached_frames(spec, progress, cache) is None


def find_cached_frames(
    spec: WalkSpec, progress: Sequence[Sequence[Any]], cache: FrameCache
) -> CachedFrames | None:
    """A walk's frames in order of place, to be read one by one; None if the cache lacks any."""
    keys = [key for key in _frame_keys(spec, progress) if key and cache.path(key).exists()]
    return CachedFrames(cache, keys) if len(keys) == len(spec.places()) else None


def export_walk(
    kind: ExportFormat, spec: WalkSpec, frames: Sequence[Frame], origin: Origin = "cache"
) -> bytes:
    """Export a walk as a film, or as a ZIP of its frames as PNGs, with the spec embedded.

    Films are as large as the app shows them, the PNGs as the frames were made.

    `frames` has one frame (h, w, 3) for each place of the walk; `spec` decides their order in
    the film.
    """
    if kind == "zip":
        return _make_zip(spec, [shrink(frame, spec.height, spec.width) for frame in frames])
    comment, order = spec.model_dump_json(), spec.film_order()
    return FILM_ENCODERS[kind](frames, spec.fps, comment, order, prepare=PREPARE[origin])


def convert_gif(kind: ExportFormat, gif: bytes) -> bytes:
    """Convert a GIF that another program made to another film format, with the same timing.

    Raises BadInput if the GIF is damaged or too long, or if the format is not a film's.
    """
    if kind not in FILM_ENCODERS:
        raise BadInput("Another program made this film, so its frames are not kept one by one.")
    fps = _smallest_fps(gif)
    return FILM_ENCODERS[kind](decode_gif(gif, fps), fps)


def load_frames(
    spec: WalkSpec,
    progress: Sequence[Sequence[Any]],
    cache: FrameCache,
    stored_film: Callable[[], bytes],
) -> tuple[Sequence[Frame], Origin]:
    """Load a walk's frames in order of place: from the cache if it has all, else from its film.

    `progress` is the column of the walk's row: [place, key] of each frame, with a third, true
    value for previews. `stored_film` returns the WebP or the GIF. Raises BadInput if the frames
    exceed FRAMES_LIMIT, or the film is damaged or not the walk's.
    """
    places = len(spec.places())
    if 3 * places * spec.pixels > FRAMES_LIMIT:
        raise BadInput(_TOO_LONG)
    cached = _get_all(_frame_keys(spec, progress), cache)
    if cached is not None:
        return cached, "cache"
    film, pixels = stored_film(), FRAMES_LIMIT // 3 * 2
    if film.startswith(b"RIFF"):
        frames = decode_webp(film, pixels)
        # One of an earlier version may be as large as it was made, or lack frames that are alike.
        if len(frames) != len(spec.film_order()) or not _are_shown_size(frames, spec):
            raise BadInput(_LOST)
        return frames[:places], "webp"
    frames = decode_gif(film, spec.fps, pixels)
    if len(frames) < places:
        raise BadInput(_LOST)
    return frames[:places], "gif"


def _are_shown_size(frames: Sequence[Frame], spec: WalkSpec) -> bool:
    size = shown_size(spec.height, spec.width)
    return all(frame.shape[:2] == size for frame in frames)


def _smallest_fps(gif: bytes) -> int:
    """The lowest frame rate that skips no frame of a GIF, capped at the maximum fps."""
    with decode_errors_as_bad_input(), open_picture(BytesIO(gif), ("GIF",)) as image:
        frames = int(getattr(image, "n_frames", 1))  # counted without decoding them
        if 3 * image.width * image.height * frames > FRAMES_LIMIT:
            raise BadInput(_TOO_LONG)
        seconds = [float(frame.info["duration"]) / 1000 for frame in ImageSequence.Iterator(image)]
    if sum(seconds) > SECONDS_LIMIT:
        raise BadInput(_TOO_LONG)
    low, high = FPS
    return max(low, round(1 / max(min(seconds), 1 / high)))


def _frame_keys(spec: WalkSpec, progress: Sequence[Sequence[Any]]) -> list[str | None]:
    """The key of the frame at each place, None where only a preview is known."""
    keys = {place: key for place, key, *preview in progress if not any(preview)}
    return [keys.get(place) for place in range(len(spec.places()))]


def _get_all(keys: Sequence[str | None], cache: FrameCache) -> list[Frame] | None:
    """The cached frames under these keys, or None if one is missing."""
    frames = []
    for key in keys:
        frame = cache.get(key) if key else None
        if frame is None:
            return None
        frames.append(frame)
    return frames


def _make_zip(spec: WalkSpec, frames: Sequence[Frame]) -> bytes:
    """A ZIP of walk.json and of each frame as a PNG."""
    record = {"title": spec.title(), "digest": spec.digest(), "spec": spec.model_dump(mode="json")}
    comment, data = spec.model_dump_json(), BytesIO()
    with ZipFile(data, "w") as archive:  # uncompressed: PNGs are compressed already
        archive.writestr(RECORD, json.dumps(record, indent=2, ensure_ascii=False))
        for number, frame in enumerate(frames, start=1):
            archive.writestr(f"{number:04}.png", encode_png(frame, comment))
    return data.getvalue()
