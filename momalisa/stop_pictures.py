"""Pictures that are stops of walks: taken in from outside, and kept by their file's digest.

A picture is checked and written anew, as WebP, in a process with limits; what is kept has no
metadata. From the visitor to the workers it travels in the history (`db.stop_pictures`), beside a
finished film it is a file of the film's own.
"""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from pydantic import ValidationError

from db import stop_pictures
from db.session import reading, writing
from momalisa.engine.frame_cache import FrameCache
from momalisa.engine.picture_crop import NOT_AT_HAND
from momalisa.errors import BadInput, NotStored, StorageError
from momalisa.spec import WalkSpec
from momalisa.storage import Storage, film_key
from momalisa.works.picture import clean_picture

MOST_BYTES = 64 * 2**20
"""Of a file that is taken in."""
LONGEST_SIDE = 1536
"""Pixels of a kept picture's longer side: more than any film shows."""
SHORTEST_SIDE = 64
"""Pixels; of less a film would show a blur."""


class StopPicture(NamedTuple):
    """A picture as it is kept."""

    digest: str
    """SHA-256 of its file, 64 hex digits: `stop.StopImage.digest`."""
    data: bytes
    """Its file, a WebP."""
    width: int
    height: int


def take_in(source: Path) -> StopPicture:
    """Check a picture that came from outside and write it anew; about a second.

    Raises BadInput with a sentence if it is damaged, no picture, too large or too small.
    """
    try:
        size = source.stat().st_size
    except OSError as error:
        raise BadInput(f"{source}: there is no such picture.") from error
    if not source.is_file():
        raise BadInput(f"{source} is no file. Please name a picture.")
    if size > MOST_BYTES:
        raise BadInput(f"The picture has more than {MOST_BYTES // 2**20} MB.")
    with TemporaryDirectory() as folder:
        target = Path(folder) / "picture.webp"
        width, height = clean_picture(
            source, target, ".webp", LONGEST_SIDE, lossless=True, shortest=SHORTEST_SIDE
        )
        data = target.read_bytes()
    return StopPicture(hashlib.sha256(data).hexdigest(), data, width, height)


def take_in_bytes(data: bytes) -> StopPicture:
    """Check an uploaded picture and write it anew, as `take_in` does. Raises BadInput."""
    if len(data) > MOST_BYTES:
        raise BadInput(f"The picture has more than {MOST_BYTES // 2**20} MB.")
    with TemporaryDirectory() as folder:
        source = Path(folder) / "upload"
        source.write_bytes(data)
        return take_in(source)


def keep(picture: StopPicture, database: str, drop: Iterable[str] = ()) -> None:
    """Keep a picture in the history, where workers find it, and drop others by their digests.

    Those that walks in the queue need stay. Raises HistoryError.
    """
    with writing(database) as session:
        stop_pictures.drop(session=session, digests=drop)
        stop_pictures.keep(session=session, **picture._asdict())


def bring(
    spec: WalkSpec, cache: FrameCache, database: str, open_storage: Callable[[], Storage]
) -> None:
    """Bring the pictures of a walk's stops into a machine's frame cache, where they are found.

    Raises BadInput if one is nowhere, or not what it was, HistoryError, and StorageError.
    """
    for digest in spec.pictures:
        if cache.get_file(digest) is not None:
            continue
        data = find_file(digest, database, open_storage)
        if data is None:
            # Though its frames may be in the cache: a film without it could never be repeated.
            raise BadInput(NOT_AT_HAND)
        cache.put_file(digest, data)


def find_file(digest: str, database: str, open_storage: Callable[[], Storage]) -> bytes | None:
    """A picture's file: from the history, or beside a film that has it as a stop; else None.

    Raises HistoryError, and StorageError if it may be where the storage is out of reach.
    """
    with reading(database) as session:
        if data := stop_pictures.find(session=session, digest=digest):
            return data
        films = [
            (walk.id, walk.spec)
            for walk in stop_pictures.find_films(session=session, digest=digest)
        ]
    away: StorageError | None = None
    for walk_id, fields in films:
        try:
            if data := read_file(digest, walk_id, WalkSpec.from_stored(fields), open_storage()):
                return data
        except (NotStored, ValidationError, BadInput):
            continue
        except StorageError as error:
            away = error
    if away is not None:
        raise away
    return None


def read_file(digest: str, walk_id: str, spec: WalkSpec, storage: Storage) -> bytes | None:
    """The picture's file beside a film; None if another is there. Raises StorageError."""
    kind = spec.pictures.get(digest, "")
    data = storage.get(film_key(walk_id, f"{kind}.webp")) if kind else b""
    return data if hashlib.sha256(data).hexdigest() == digest else None
