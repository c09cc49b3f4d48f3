"""Delivers films from the outbox to their storage, and deletes films, with retries."""

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
"""Seconds between two tries to reach the storage: the first pause, and the longest."""
LOOK = 0.5
"""Seconds between two looks into the outbox."""

log = logging.getLogger(__name__)


def delete_walk(walk_id: str, storage: Storage, outbox: Outbox, database: str) -> bool:
    """Delete a finished walk: its row, then its files; False if there is none of that id.

    If the storage is out of reach, the courier deletes the files later.
    """
    with reading(database) as session:
        walk = walks.get(session=session, walk_id=walk_id)
    if walk is None or not walk.state.is_final:
        return False
    # First, in case this process dies after the row is gone. A full disk may refuse even this.
    with suppress(StorageError):
        outbox.note_removal(walk_id)
    with writing(database) as session:
        walks.delete(session=session, walk_id=walk_id)
    try:
        with outbox.lock():
            _delete_files(walk_id, storage, outbox, database)
    except (StorageError, Timeout) as error:
        log.warning("The files of %s are deleted later. %s", walk.accession, error)
    return True


def _delete_files(walk_id: str, storage: Storage, outbox: Outbox, database: str) -> None:
    """Delete all files of a walk, its record last, unless its row exists (again)."""
    with reading(database) as session:
        gone = walks.get(session=session, walk_id=walk_id) is None
    if gone:
        keys = [stored.key for stored in storage.list(f"{FILMS_FOLDER}/{walk_id}/")]
        for key in sorted(keys, key=record_last):
            with suppress(BadInput):  # an invalid key, of another program
                storage.delete(key)
        outbox.clear(walk_id)
    outbox.forget_removal(walk_id)


class Courier:
    """Delivers the films of the outbox until none waits, and deletes removed films.

    `open_storage` is called once the storage is needed. Several couriers of a machine take turns.
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
        """Deliver whenever a film waits, until `stopping()`; after failures the pauses grow."""
        while not stopping():
            if time.monotonic() >= self._next:
                if self.deliver_all():
                    self._backoff.reset()
                else:
                    self._next = time.monotonic() + self._backoff.next_pause()
            time.sleep(LOOK)

    def deliver_all(self) -> bool:
        """Deliver and delete as much as possible; False, with a log entry, if something failed."""
        try:
            tasks = self._list_tasks()
            if not tasks:
                return True
            with self._outbox.lock():
                return all(self._try(*task) for task in tasks)
        except Timeout:
            return True
        except Exception:
            log.exception("The outbox %s cannot be used", self._outbox.folder)
            return False

    def _list_tasks(self) -> list[tuple[Callable[[str], None], str]]:
        tasks = [(self._deliver_film, walk_id) for walk_id in self._outbox.walk_ids()]
        tasks += [(self._delete_film, walk_id) for walk_id in self._outbox.removals()]
        # Those that failed most often come last, so that they do not hold up the others.
        return sorted(tasks, key=lambda task: self._failures[task[1]])

    def _try(self, task: Callable[[str], None], walk_id: str) -> bool:
        try:
            task(walk_id)
        except Exception as error:
            self._failures[walk_id] += 1
            unexpected = not isinstance(error, StorageError)
            log.warning("The film of walk %s waits. %s", walk_id, error, exc_info=unexpected)
            return False
        return True

    def _deliver_film(self, walk_id: str) -> None:
        with reading(self._database) as session:
            walk = walks.get(session=session, walk_id=walk_id)
        if walk is not None and not walk.state.is_final:
            # Its worker died before it marked the walk as done: the next worker will.
            return
        store_film(self._outbox.files(walk_id), self._get_storage())
        with writing(self._database) as session:
            queue.mark_stored(session=session, walk_id=walk_id)
        self._outbox.clear(walk_id)
        log.info("The film of walk %s has reached its storage", walk_id)

    def _delete_film(self, walk_id: str) -> None:
        _delete_files(walk_id, self._get_storage(), self._outbox, self._database)

    def _get_storage(self) -> Storage:
        if self._storage is None:
            self._storage = self._open_storage()
        return self._storage
