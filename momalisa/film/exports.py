"""A walk to take away, in formats that are made when asked for; and its settings read back."""

import json
from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any, Literal
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from PIL import Image, ImageSequence
from pydantic import ValidationError

from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.errors import BadInput
from momalisa.film import encode
from momalisa.spec import FPS, WalkSpec, explain

Kind = Literal["mp4", "webp", "zip"]
TYPES: dict[Kind, str] = {"mp4": "video/mp4", "webp": "image/webp", "zip": "application/zip"}
"""The content type of each kind."""
FILMS: dict[Kind, Callable[..., bytes]] = {"mp4": encode.mp4, "webp": encode.webp}
"""The kinds that are films, and what makes them. An archive of frames needs their walk."""
RECORD = "walk.json"

FRAMES_LIMIT = 2**29
"""Bytes of all frames of a walk that is exported: they are in the web server's memory at once."""
SECONDS_LIMIT = 300.0
"""The longest film of another program that is made into another format."""
FILE_LIMIT = 200 * 2**20
TEXT_LIMIT = 2**18
"""Bytes of a record; twelve long prompts and the figures of 2,880 frames take half of it."""
ENTRIES_LIMIT = 10_000
"""Files in an archive: Python keeps an object for each."""

_ENTRY = b"PK\x01\x02"
_TOO_LONG = "This film is too long to be made into another format. Please take the GIF."
_NO_SETTINGS = (
    "This file holds no settings of a walk. Films and frames that were downloaded here do, "
    f"and so does a {RECORD}."
)


def export(kind: Kind, spec: WalkSpec, frames: Sequence[Frame]) -> bytes:
    """A walk's film, or the PNGs of its frames in an archive, with the spec inside.

    `frames` are the walk's distinct ones, by place; the film's order is the spec's.
    """
    if kind == "zip":
        return _archive(spec, frames)
    return FILMS[kind](frames, spec.fps, spec.model_dump_json(), spec.film_order())


def converted(kind: Kind, gif: bytes) -> bytes:
    """Another program's GIF in another format, as it plays.

    Raises BadInput if it is damaged or too long, or if the format is no film's.
    """
    if kind not in FILMS:
        raise BadInput("Another program made this film, so its frames are not kept one by one.")
    fps = _rate(gif)
    return FILMS[kind](encode.frames_in(gif, fps), fps)


def frames_of(
    spec: WalkSpec,
    progress: Sequence[Sequence[Any]],
    cache: FrameCache,
    stored_gif: Callable[[], bytes],
) -> Sequence[Frame]:
    """A walk's frames by place: exact if the cache still has them all, else those of its GIF.

    `progress` is the row's: [place, key], and a third, true value where it is a preview. Raises
    BadInput if they are too many for a web server, or the GIF is damaged.
    """
    places = len(spec.places())
    if 3 * places * spec.size**2 > FRAMES_LIMIT:
        raise BadInput(_TOO_LONG)
    keys = {place: key for place, key, *rough in progress if not any(rough)}
    exact = _exact([keys.get(place) for place in range(places)], cache)
    if exact is not None:
        return exact
    shown = encode.frames_in(stored_gif(), spec.fps)
    if len(shown) < places:
        raise BadInput("The stored film has lost frames. Please make the walk again.")
    return shown[:places]


def settings_in(data: bytes, name: str) -> WalkSpec:
    """The settings inside a film, frame, archive, record or bare spec that somebody brings.

    Raises BadInput, with the file's `name` in the sentence.
    """
    try:
        return _spec(_text(data))
    except BadInput as problem:
        shown = "".join(c for c in name if c.isprintable())[:60]
        raise BadInput(f"“{shown}”: {problem}") from problem


def _rate(gif: bytes) -> int:
    """Frames a second at which no frame of a GIF is left out, as far as a film may have them."""
    with encode.decoding(), Image.open(BytesIO(gif), formats=["GIF"]) as image:
        seconds = [float(each.info["duration"]) / 1000 for each in ImageSequence.Iterator(image)]
        pixels = image.width * image.height * len(seconds)
    if 3 * pixels > FRAMES_LIMIT or sum(seconds) > SECONDS_LIMIT:
        raise BadInput(_TOO_LONG)
    low, high = FPS
    return max(low, round(1 / max(min(seconds), 1 / high)))


def _exact(keys: Sequence[str | None], cache: FrameCache) -> list[Frame] | None:
    """The frames under these keys, or None as soon as one is missing."""
    frames = []
    for key in keys:
        frame = cache.get(key) if key else None
        if frame is None:
            return None
        frames.append(frame)
    return frames


def _archive(spec: WalkSpec, frames: Sequence[Frame]) -> bytes:
    record = {"title": spec.title(), "digest": spec.digest(), "spec": spec.model_dump(mode="json")}
    comment, data = spec.model_dump_json(), BytesIO()
    with ZipFile(data, "w") as archive:  # stored: a PNG does not get smaller
        archive.writestr(RECORD, json.dumps(record, indent=2, ensure_ascii=False))
        for number, frame in enumerate(frames, start=1):
            archive.writestr(f"{number:04}.png", encode.png(frame, comment))
    return data.getvalue()


def _text(data: bytes) -> str | bytes:
    """What should be JSON in a file of any kind."""
    if len(data) > FILE_LIMIT:
        raise BadInput(f"This file is larger than {FILE_LIMIT >> 20} MB, so it is not read.")
    if data[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return data
    return _record_in(data) if data.startswith(b"PK") else encode.comment_in(data)


def _record_in(archive: bytes) -> bytes:
    """The record of an archive, cut where it is longer than one can be: it may be a bomb."""
    if archive.count(_ENTRY) > ENTRIES_LIMIT:
        raise BadInput("This archive holds too many files to be one of ours.")
    with encode.decoding(), ZipFile(BytesIO(archive)) as opened:
        entry = opened.getinfo(RECORD)
        if entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
            raise ValueError("the other kinds unpack all at once")
        with opened.open(entry) as record:
            return record.read(TEXT_LIMIT + 1)


def _spec(text: str | bytes) -> WalkSpec:
    """The spec in a record, or standing alone."""
    if len(text) > TEXT_LIMIT:
        raise BadInput("The settings in this file are far too long to be those of a walk.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise BadInput(_NO_SETTINGS) from None
    fields = found.get("spec", found) if isinstance(found, dict) else {}
    if not isinstance(fields, dict) or "stops" not in fields:
        raise BadInput(_NO_SETTINGS)
    try:
        return WalkSpec.stored(fields)
    except ValidationError as error:
        first = next(iter(explain(error).values()))
        raise BadInput(f"The settings in this file cannot be used. {first}") from None
