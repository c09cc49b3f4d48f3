"""Deletes walks for good: the row with a tombstone first, then all files, now or once in reach."""

import logging
from contextlib import suppress

from filelock import Timeout

from db import deletions, frame_keys, walks
from db.error_messages import HistoryError
from db.models import State, Walk
from db.session import reading, writing
from momalisa.engine.frame_cache import FrameCache
from momalisa.errors import BadInput, StorageError
from momalisa.storage import FILMS_FOLDER, Storage
from momalisa.storage.outbox import Outbox, record_last

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
            delete_files(walk_id, storage, outbox, database)
    except (StorageError, Timeout, HistoryError) as error:
        log.warning("The files of %s are deleted later. %s", walk.accession, error)
    if cache is not None:
        _discard_frames(walk, cache, database)
    return True


def _discard_frames(walk: Walk, cache: FrameCache, database: str) -> None:
    """Delete the cached frames of a deleted walk alone; if that fails, trimming does so later."""
    try:
        with writing(database) as session:
            keys = frame_keys.find_own_frames(session=session, walk=walk)
            frame_keys.forget_stills(session=session, keys=keys)
        cache.discard(keys)
    except OSError as error:
        log.warning("The frames of %s stay in the cache for now. %s", walk.accession, error)


def delete_files(walk_id: str, storage: Storage, outbox: Outbox, database: str) -> None:
    """Delete all files of a deleted walk, its record last, and close its tombstone.

    Does nothing for a walk that was not deleted. Raises StorageError or HistoryError.
    """
    with reading(database) as session:
        if not deletions.is_deleted(session=session, walk_id=walk_id):
            return
    _delete_stored(walk_id, storage, outbox)
    with writing(database) as session:
        deletions.close(session=session, walk_id=walk_id)


def delete_leftovers(walk_id: str, storage: Storage, outbox: Outbox, database: str) -> None:
    """Delete what a worker has stored of a walk that was deleted or cancelled meanwhile.

    Files of a walk in any other state stay: they are another worker's too. Raises HistoryError.
    """
    with reading(database) as session:
        walk = walks.get(session=session, walk_id=walk_id)
    try:
        if walk is None:
            delete_files(walk_id, storage, outbox, database)
        elif walk.state is State.CANCELLED:
            _delete_stored(walk_id, storage, outbox)
    except StorageError as error:
        log.warning("Files of walk %s are left over. %s", walk_id, error)
        with writing(database) as session:
            deletions.reopen(session=session, walk_id=walk_id)


def _delete_stored(walk_id: str, storage: Storage, outbox: Outbox) -> None:
    """Delete all files of a walk, its record last."""
    keys = [stored.key for stored in storage.list(f"{FILMS_FOLDER}/{walk_id}/")]
    for key in sorted(keys, key=record_last):
        with suppress(BadInput):  # an invalid key, of another program
            storage.delete(key)
    outbox.clear(walk_id)


def take_over_removals(outbox: Outbox, database: str) -> None:
    """Turn the notes of earlier versions in a machine's outbox into tombstones.

    A note whose walk has a row is dropped: the walk was not deleted. Raises HistoryError.
    """
    for walk_id in outbox.removals():
        with writing(database) as session:
            if walks.get(session=session, walk_id=walk_id) is None:
                deletions.add(session=session, walk_id=walk_id)
        outbox.forget_removal(walk_id)
