"""The way of a finished film into its storage, and out of it, also while that is out of reach.

A film is put into the storage its record last, so a record never stands for a film that is not
there. When the storage is away, the film goes the same way into the outbox, a folder of this
machine; a courier brings it on later. What is to be deleted is noted there, too.
"""

import logging
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from filelock import FileLock

from momalisa.errors import StorageError
from momalisa.settings import Settings
from momalisa.storage import FOLDER, TYPES, LocalStorage, Storage

RECORD = "walk.json"
KEPT_AS_IS = {RECORD, "poster.webp"}
"""Names that do not come from a file's bytes: of two attempts at a walk, the first one's stay."""

log = logging.getLogger(__name__)


class File(NamedTuple):
    """A file of a film, on its way."""

    key: str
    data: bytes


class Outbox:
    """What has yet to reach the storage: films, each one whole with its record, and removals."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.shelf = LocalStorage(folder / "films")
        self._notes = LocalStorage(folder / "removals")

    def walk_ids(self) -> list[str]:
        """The walks whose films wait here, whole."""
        return [path.parent.name for path in sorted(self.shelf.root.glob(f"{FOLDER}/*/{RECORD}"))]

    def files(self, walk_id: str) -> list[File]:
        """A waiting film's files, its record last."""
        keys = [stored.key for stored in self.shelf.list(f"{FOLDER}/{walk_id}/")]
        return [File(key, self.shelf.get(key)) for key in sorted(keys, key=record_last)]

    def clear(self, walk_id: str) -> None:
        """Let go of a film that has reached its storage."""
        for file in self.files(walk_id):
            self.shelf.delete(file.key)

    def note_removal(self, walk_id: str) -> None:
        """Remember that a walk's files are to be deleted once its row is gone."""
        self._notes.put(f"{walk_id}.json", b"{}", TYPES[".json"])

    def removals(self) -> set[str]:
        """The walks whose files are to be deleted."""
        return {note.key.removesuffix(".json") for note in self._notes.list()}

    def forget_removal(self, walk_id: str) -> None:
        """What was noted is done, or was called off."""
        self._notes.delete(f"{walk_id}.json")

    def locked(self) -> FileLock:
        """One process of this machine at a time; raises filelock.Timeout at once if another is."""
        return FileLock(self.folder / ".lock", timeout=0)


def outbox_of(settings: Settings) -> Outbox:
    """The outbox of this machine."""
    return Outbox(settings.home / "outbox")


def record_last(key: str) -> bool:
    """A sort key that puts a film's record behind its other files."""
    return PurePosixPath(key).name == RECORD


def deliver(files: Sequence[File], storage: Storage, outbox: Outbox | None) -> bool:
    """Store a film, whose record is last; True when it waits in the outbox instead.

    Raises StorageError when there is no outbox, or when not even that can keep it.
    """
    # While others wait, the storage was away a moment ago: nobody needs to wait for it again.
    if outbox is None or not outbox.walk_ids():
        try:
            store_film(files, storage)
            return False
        except StorageError as error:
            if outbox is None:
                raise
            log.warning("The film waits on this machine. %s", error)
    store_film(files, outbox.shelf)
    return True


def store_film(files: Sequence[File], storage: Storage) -> None:
    """Put a film, whose record is last, into a storage, unless it is there already."""
    for key, data in files:
        name = PurePosixPath(key)
        if name.name not in KEPT_AS_IS or not storage.exists(key):
            storage.put(key, data, TYPES[name.suffix])
