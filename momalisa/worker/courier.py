"""Brings films from the outbox to their storage, and deletes there, also after it was away."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from filelock import Timeout

from db import queue, walks
from db.session import reading, writing
from momalisa.backoff import Backoff
from momalisa.errors import BadInput, StorageError
from momalisa.storage import FILMS_FOLDER, Storage
from momalisa.storage.outbox import Outbox, record_last, store_film

PAUSES = (1.0, 60.0)
"""Seconds between two tries to reach a storage that is away: the first, and the longest."""
LOOK = 0.5
"""Seconds between two looks into the outbox."""

log = logging.getLogger(__name__)


def delete_walk(walk_id: str, storage: Storage, outbox: Outbox, database: str) -> bool:
    """Delete a walk that is over: its row, then its files; False when there is no such walk.

    Files that cannot be deleted now, since the storage is away, the courier deletes later.
    """
    with reading(database) as session:
        walk = walks.get(session=session, walk_id=walk_id)
    if walk is None or not walk.state.is_final:
        return False
    # First, for whoever dies after the row forgets the files. A full disk may refuse even this.
    with suppress(StorageError):
        outbox.note_removal(walk_id)
    with writing(database) as session:
        walks.delete(session=session, walk_id=walk_id)
    try:
        with outbox.lock():
            _remove(walk_id, storage, outbox, database)
    except (StorageError, Timeout) as error:
        log.warning("The files of %s are deleted later. %s", walk.accession, error)
    return True


def _remove(walk_id: str, storage: Storage, outbox: Outbox, database: str) -> None:
    """Delete all in a walk's folder, its record last, unless its row is there still or again."""
    with reading(database) as session:
        gone = walks.get(session=session, walk_id=walk_id) is None
    if gone:
        keys = [stored.key for stored in storage.list(f"{FILMS_FOLDER}/{walk_id}/")]
        for key in sorted(keys, key=record_last):
            with suppress(BadInput):  # a name that no program of ours can have given
                storage.delete(key)
        outbox.clear(walk_id)
    outbox.forget_removal(walk_id)


class Courier:
    """Brings the films of the outbox to their storage, as long as it takes; and deletes there.

    `open_storage` gives the storage, once a film needs it. Of several couriers on a machine one
    is on its way at a time.
    """

    def __init__(self, outbox: Outbox, open_storage: Callable[[], Storage], database: str) -> None:
        self._outbox = outbox
        self._open_storage = open_storage
        self._database = database
        self._storage: Storage | None = None
        self._failures: Counter[str] = Counter()
        self._backoff = Backoff(*PAUSES)
        self._next = 0.0

    def run(self, stopping: Callable[[], bool]) -> None:
        """Go whenever there is something to do, ever less often while the storage is away."""
        while not stopping():
            if time.monotonic() >= self._next:
                if self.go():
                    self._backoff.reset()
                else:
                    self._next = time.monotonic() + self._backoff.next_pause()
            time.sleep(LOOK)

    def go(self) -> bool:
        """Do what can be done; False when something had to wait, and the log says why."""
        try:
            errands = self._errands()
            if not errands:
                return True
            with self._outbox.lock():
                return all(self._done(*errand) for errand in errands)
        except Timeout:
            return True
        except Exception:
            log.exception("The outbox %s cannot be used", self._outbox.folder)
            return False

    def _errands(self) -> list[tuple[Callable[[str], None], str]]:
        errands = [(self._bring, walk_id) for walk_id in self._outbox.walk_ids()]
        errands += [(self._remove, walk_id) for walk_id in self._outbox.removals()]
        # Those that failed most come last: one that is refused must not hold up the others.
        return sorted(errands, key=lambda errand: self._failures[errand[1]])

    def _done(self, errand: Callable[[str], None], walk_id: str) -> bool:
        try:
            errand(walk_id)
        except Exception as error:
            self._failures[walk_id] += 1
            unforeseen = not isinstance(error, StorageError)
            log.warning("The film of walk %s waits. %s", walk_id, error, exc_info=unforeseen)
            return False
        return True

    def _bring(self, walk_id: str) -> None:
        with reading(self._database) as session:
            walk = walks.get(session=session, walk_id=walk_id)
        if walk is not None and not walk.state.is_final:
            # Its worker died before it said that the film is done: the next one will, very soon.
            return
        store_film(self._outbox.files(walk_id), self._opened())
        with writing(self._database) as session:
            queue.mark_stored(session=session, walk_id=walk_id)
        self._outbox.clear(walk_id)
        log.info("The film of walk %s has reached its storage", walk_id)

    def _remove(self, walk_id: str) -> None:
        _remove(walk_id, self._opened(), self._outbox, self._database)

    def _opened(self) -> Storage:
        if self._storage is None:
            self._storage = self._open_storage()
        return self._storage
