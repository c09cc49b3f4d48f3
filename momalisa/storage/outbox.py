"""Delivers films to their storage, or to a local outbox while the storage is unreachable.

A film's record (walk.json) is stored last, so a stored record implies a complete film. The
courier uploads the films in the outbox later.
"""

import json
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from filelock import FileLock

from momalisa.errors import Cancelled, StorageError
from momalisa.settings import Settings
from momalisa.storage import CONTENT_TYPES, FILMS_FOLDER, LocalStorage, Storage
from momalisa.storage.webp_files import store_webp

RECORD = "walk.json"
log = logging.getLogger(__name__)


class File(NamedTuple):
    """A file of a film, to be stored."""

    key: str
    data: bytes


class Outbox:
    """A local folder of films to be uploaded.

    `films` is the storage of the waiting films. With `is_first`, films go here even if their
    storage can be reached: the courier has something to do before they are stored there.
    """

    def __init__(self, folder: Path, *, is_first: bool = False) -> None:
        self.folder = folder
        self.is_first = is_first
        self.films = LocalStorage(folder / "films")
        self._removals = LocalStorage(folder / "removals")

    def walk_ids(self) -> list[str]:
        """The ids of the walks whose complete films wait for upload."""
        return [
            path.parent.name for path in sorted(self.films.root.glob(f"{FILMS_FOLDER}/*/{RECORD}"))
        ]

    def files(self, walk_id: str) -> list[File]:
        """Read a waiting film's files, the record last."""
        keys = [stored.key for stored in self.films.list(f"{FILMS_FOLDER}/{walk_id}/")]
        return [File(key, self.films.get(key)) for key in sorted(keys, key=record_last)]

    def clear(self, walk_id: str) -> None:
        """Remove a film that was uploaded or deleted, its record last."""
        keys = [stored.key for stored in self.films.list(f"{FILMS_FOLDER}/{walk_id}/")]
        for key in sorted(keys, key=record_last):
            self.films.delete(key)

    def removals(self) -> set[str]:
        """The ids of the walks whose files are to be deleted, noted by an earlier version."""
        return {note.key.removesuffix(".json") for note in self._removals.list()}

    def forget_removal(self, walk_id: str) -> None:
        """Drop a note, because it is done, or in the history now."""
        self._removals.delete(f"{walk_id}.json")

    def lock(self) -> FileLock:
        """A lock between processes; entering it raises filelock.Timeout if it is held."""
        return FileLock(self.folder / ".lock", timeout=0)


def open_outbox(settings: Settings) -> Outbox:
    """Open this machine's outbox."""
    return Outbox(settings.home / "outbox")


def record_last(key: str) -> bool:
    """Sort key that orders a film's record after its other files."""
    return PurePosixPath(key).name == RECORD


def deliver_film(
    files: Sequence[File],
    storage: Storage,
    outbox: Outbox | None,
    still_mine: Callable[[], bool] = lambda: True,
) -> bool:
    """Store a film, or put it into the outbox; returns True if it waits in the outbox.

    The record is the last of `files`; `still_mine` is asked right before it is stored. Raises
    Cancelled if the answer is no, StorageError if there is no outbox or it cannot be written.
    """
    # If other films wait, the storage was unreachable a moment ago: skip the retries.
    if outbox is None or not (outbox.is_first or outbox.walk_ids()):
        try:
            store_film(files, storage, still_mine)
            return False
        except StorageError as error:
            if outbox is None:
                raise
            log.warning("The film waits on this machine. %s", error)
    store_film(files, outbox.films, still_mine)
    return True


def store_film(
    files: Sequence[File], storage: Storage, still_mine: Callable[[], bool] = lambda: True
) -> None:
    """Store a film's files in this order, the record last; files that are stored already stay.

    A second run may bring another record, poster or WebP under the same name: another version of
    the encoder makes other bytes of the same frames. The first one stays, except for a picture that
    was cut short, and for a record whose film is gone: it was lost, and this one was made in its
    place. Raises Cancelled, and stores no record, if the film is not `still_mine`.
    """
    for key, data in files:
        name = PurePosixPath(key)
        content_type = CONTENT_TYPES[name.suffix]
        if name.name == RECORD and not still_mine():
            raise Cancelled("The walk was cancelled, deleted or given to another worker meanwhile.")
        if name.suffix == ".webp":
            store_webp(storage, key, data)
        elif name.name != RECORD or not storage.exists(key):
            storage.put(key, data, content_type)
        elif _film_is_gone(stored := storage.get(key), storage):
            storage.replace(key, data, content_type, previous=stored)


def with_number(files: Sequence[File], number: str) -> list[File]:
    """Return a film's files with this accession number in the record."""
    return [File(key, _renumber(data, number) if record_last(key) else data) for key, data in files]


def _renumber(record: bytes, number: str) -> bytes:
    with suppress(ValueError, RecursionError):
        content = json.loads(record)
        if isinstance(content, dict) and content.get("accession", number) != number:
            content["accession"] = number
            return json.dumps(content, indent=2, ensure_ascii=False).encode()
    return record


def _film_is_gone(record: bytes, storage: Storage) -> bool:
    """Whether a record names a film that is not stored; False for a record of another kind."""
    try:
        return not storage.exists(json.loads(record)["result"]["files"]["gif"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False
