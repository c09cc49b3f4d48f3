"""Deletes walks for good: the row with a tombstone first, then all files, now or once in reach."""

import logging
import re
from collections.abc import Collection
from contextlib import suppress

from filelock import Timeout

from db import deletions, frame_keys, stop_pictures, walks
from db.edits import CLOCKS_DIFFER
from db.error_messages import HistoryError
from db.models import Deletion, State, Walk
from db.session import reading, writing
from momalisa.engine.frame_cache import FrameCache
from momalisa.errors import BadInput, NotStored, StorageError
from momalisa.storage import FILMS_FOLDER, Storage, StoredFile
from momalisa.storage.outbox import Outbox, record_last
from momalisa.stored_films import DamagedFilm, read_record

_OWN_FILM = re.compile(r"/[0-9a-f]{16}\.gif$")
ADVICE = " Is MOMALISA_STORE the right one? They are deleted once they are found."

log = logging.getLogger(__name__)


def delete_walk(
    walk_id: str,
    storage: Storage,
    outbox: Outbox,
    database: str,
    cache: FrameCache | None = None,
) -> bool:
    """Delete a finished walk: its row, then its files; False if there is none of that id.

    Of this machine's frame cache, the frames go that no other walk refers to.

    If the storage is out of reach, a courier deletes the files later: of any machine, since the
    tombstone is in the history. Raises HistoryError, and nothing is deleted.
    """
    with writing(database) as session:
        walk = walks.delete(session=session, walk_id=walk_id)
    if walk is None:
        return False
    try:
        with outbox.lock():
            if not delete_files(walk_id, storage, outbox, database, walk):
                log.warning("The files of %s were not found yet.%s", walk.accession, ADVICE)
    except (StorageError, Timeout, HistoryError) as error:
        log.warning("The files of %s are deleted later. %s", walk.accession, error)
    if cache is not None:
        _discard_frames(walk, cache, database)
    return True


def _discard_frames(walk: Walk, cache: FrameCache, database: str) -> None:
    """Delete a deleted walk's own frames and pictures from the cache; else trimming does later."""
    try:
        with writing(database) as session:
            keys = frame_keys.find_own_frames(session=session, walk=walk)
            frame_keys.forget_stills(session=session, keys=keys)
            pictures = stop_pictures.forget(session=session, spec=walk.spec)
        cache.discard(keys)
        cache.discard_files(pictures)
    except OSError as error:
        log.warning("The frames of %s stay in the cache for now. %s", walk.accession, error)


def delete_files(
    walk_id: str, storage: Storage, outbox: Outbox, database: str, walk: Walk | None = None
) -> bool:
    """Delete all files of a deleted walk, its record last, and close its tombstone.

    `walk` is the deleted row, if it is at hand. False, and the tombstone stays open, if the storage
    may be another gallery's: it has none of the films that it should have, or has no files of the
    walk and not most of the others. True for a walk that was not deleted. Raises StorageError or
    HistoryError.
    """
    with reading(database) as session:
        tombstone = deletions.get(session=session, walk_id=walk_id)
        samples = deletions.sample_films(session=session)
    if tombstone is None:
        return True
    files = list_files(walk_id, storage)
    outbox.clear(walk_id)
    there = sum(storage.exists(key) for key in samples.values())
    if not files:
        never_had_files = walk is not None and walk.sha256 == ""
        closed = tombstone.files_deleted_at is not None
        if not (never_had_files or closed or 2 * there > len(samples)):
            return False
    elif not _has_film_of(walk, files) and (
        (samples and not there)
        or not _is_deleted_film(storage, files, tombstone, 2 * there > len(samples))
    ):
        return False
    _delete_keys(files, storage)
    with writing(database) as session:
        deletions.close(session=session, walk_id=walk_id)
    return True


def _has_film_of(walk: Walk | None, files: Collection[StoredFile]) -> bool:
    """Whether the film that a row names is among the files, of the size that the row names."""
    gif = walk and (walk.files.get("gif"), walk.bytes)
    return any((stored.key, stored.size) == gif for stored in files)


def _is_deleted_film(
    storage: Storage, files: Collection[StoredFile], tombstone: Deletion, is_our_storage: bool
) -> bool:
    """Whether stored files are those of the deleted walk, not of another gallery or program."""
    if not (is_our_storage or may_be_that_film(storage, files, tombstone)):
        return False
    return not is_new_film(storage, files, tombstone)


def may_be_that_film(storage: Storage, files: Collection[StoredFile], tombstone: Deletion) -> bool:
    """Whether a film's record does not contradict the deleted walk's number. Raises StorageError.

    The number of a film of another program may do so: it was taken when the film came in.
    """
    return "" in (tombstone.accession, number := _read_number(storage, files)) or (
        number == tombstone.accession
    )


def is_new_film(storage: Storage, files: Collection[StoredFile], tombstone: Deletion) -> bool:
    """Whether the files of a deleted walk's folder are another film, stored after the deletion.

    What a stalled worker of ours brings is not: it has the walk's number, or no record at all.
    Raises StorageError.
    """
    gifs = [stored for stored in files if stored.key.endswith(".gif")]
    later = [s for s in gifs if s.updated > tombstone.deleted_at + CLOCKS_DIFFER]
    if not later:
        return False
    if any(record_last(stored.key) for stored in files):
        return _read_number(storage, files) != tombstone.accession or not tombstone.accession
    return not all(_OWN_FILM.search(stored.key) for stored in later)


def _read_number(storage: Storage, files: Collection[StoredFile]) -> str:
    """Return the accession number in a film's record; empty if there is none to be read."""
    for stored in files:
        if record_last(stored.key):
            with suppress(DamagedFilm, NotStored):
                return read_record(storage, stored).accession
    return ""


def delete_leftovers(walk_id: str, storage: Storage, outbox: Outbox, database: str) -> None:
    """Delete what a worker has stored of a walk that was deleted or cancelled meanwhile.

    Files of a walk in any other state stay: they are another worker's too. Raises HistoryError.
    """
    with reading(database) as session:
        walk = walks.get(session=session, walk_id=walk_id)
    try:
        if walk is None or walk.state is State.CANCELLED:
            outbox.clear(walk_id)  # first: it is at hand
            # This worker has just stored them, so they are no other gallery's.
            _delete_keys(_without_earlier(list_files(walk_id, storage), walk), storage)
    except StorageError as error:
        log.warning("Files of walk %s are left over. %s", walk_id, error)
        with writing(database) as session:
            deletions.reopen(session=session, walk_id=walk_id)


def _without_earlier(files: Collection[StoredFile], walk: Walk | None) -> list[StoredFile]:
    """Leave out a whole film that was stored before this rendering: a history was restored."""
    if walk is None or walk.started_at is None:
        return list(files)
    began = walk.started_at - CLOCKS_DIFFER
    is_whole = any(record_last(stored.key) and stored.updated < began for stored in files)
    return [stored for stored in files if not is_whole or stored.updated >= began]


def list_files(walk_id: str, storage: Storage) -> list[StoredFile]:
    """List the stored files of a walk."""
    return list(storage.list(f"{FILMS_FOLDER}/{walk_id}/"))


def _delete_keys(files: Collection[StoredFile], storage: Storage) -> None:
    """Delete a walk's files, its record last."""
    for key in sorted((stored.key for stored in files), key=record_last):
        with suppress(BadInput):  # an invalid key, of another program
            storage.delete(key)


def take_over_removals(outbox: Outbox, database: str) -> None:
    """Turn the notes of earlier versions in a machine's outbox into tombstones.

    A note whose walk has a row is dropped: the walk was not deleted. Raises HistoryError.
    """
    for walk_id in outbox.removals():
        with writing(database) as session:
            if walks.get(session=session, walk_id=walk_id) is None:
                deletions.add(session=session, walk_id=walk_id)
        outbox.forget_removal(walk_id)
