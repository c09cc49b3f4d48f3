"""Delivers films from the outbox to their storage, and deletes films, with retries.

It also keeps the marks of the accession numbers in the storage (`momalisa.number_marks`).
"""

import logging
import time
from collections import Counter
from collections.abc import Callable

from filelock import Timeout

from db import deletions, queue, walks
from db.error_messages import HistoryError
from db.session import reading, writing
from momalisa.backoff import Backoff
from momalisa.deletion import ADVICE, delete_files, take_over_removals
from momalisa.errors import StorageError
from momalisa.number_claims import claim_number
from momalisa.number_marks import MarkKeeper
from momalisa.storage import Storage
from momalisa.storage.outbox import Outbox, store_film, with_number
from momalisa.worker.record_writer import RecordWriter

PAUSES = (1.0, 60.0)
"""Seconds between two tries to reach the storage: the first pause, and the longest."""
LOOK_AGAIN = (10.0, 600.0)
"""Seconds between two searches for the files of a deleted walk that were not found."""
LOOK = 0.5
"""Seconds between two looks into the outbox."""

log = logging.getLogger(__name__)


class Courier:
    """Delivers the films of the outbox until none waits, and deletes the files of deleted walks.

    `open_storage` is called once the storage is needed. Several couriers of a machine take turns.
    """

    def __init__(self, outbox: Outbox, open_storage: Callable[[], Storage], database: str) -> None:
        self._outbox = outbox
        self._open_storage = open_storage
        self._database = database
        self._storage: Storage | None = None
        self._failures: Counter[str] = Counter()
        self._not_found: dict[str, Backoff] = {}
        self._look_at: dict[str, float] = {}
        self._backoff = Backoff(*PAUSES)
        self._next = 0.0
        self._marks = MarkKeeper(self._get_storage, database)
        self._records = RecordWriter(self._get_storage, database)

    def run(self, stopping: Callable[[], bool]) -> None:
        """Deliver whenever a film waits, until `stopping()`; after failures the pauses grow."""
        while not stopping():
            if time.monotonic() >= self._next:
                if self.deliver_all():
                    self._backoff.reset()
                else:
                    self._next = time.monotonic() + self._backoff.next_pause()
            # Also after a failure, which may be of one film.
            self._marks.update()
            if not self._records.update():
                time.sleep(LOOK)

    def write_records(self) -> None:
        """Write the records of all films that were edited."""
        while self._records.update():
            pass

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
        except HistoryError as error:
            log.warning("The outbox waits. %s", error)
            return False
        except Exception:
            log.exception("The outbox %s cannot be used", self._outbox.folder)
            return False

    def _list_tasks(self) -> list[tuple[Callable[[str], None], str]]:
        take_over_removals(self._outbox, self._database)
        tasks = [(self._deliver_film, walk_id) for walk_id in self._outbox.walk_ids()]
        with reading(self._database) as session:
            deleted = deletions.list_open(session=session)
        now = time.monotonic()
        due = [walk_id for walk_id in deleted if self._look_at.get(walk_id, now) <= now]
        tasks += [(self._delete_film, walk_id) for walk_id in due]
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
            deleted = deletions.is_deleted(session=session, walk_id=walk_id)
        if deleted:
            self._delete_film(walk_id)
            return
        if walk is not None and not walk.state.is_final:
            # Its worker died before it marked the walk as done: the next worker will.
            return
        files = self._outbox.files(walk_id)
        if number := claim_number(self._get_storage(), self._database, walk_id):
            files = with_number(files, number)
        store_film(files, self._get_storage())
        with writing(self._database) as session:
            queue.mark_stored(session=session, walk_id=walk_id)
            if deletions.is_deleted(session=session, walk_id=walk_id):
                # Deleted during the upload: the next round deletes what has arrived.
                deletions.reopen(session=session, walk_id=walk_id)
        self._outbox.clear(walk_id)
        log.info("The film of walk %s has reached its storage", walk_id)

    def _delete_film(self, walk_id: str) -> None:
        if delete_files(walk_id, self._get_storage(), self._outbox, self._database):
            self._not_found.pop(walk_id, None)
            return
        if walk_id not in self._not_found:
            log.warning("The files of deleted walk %s are not found yet.%s", walk_id, ADVICE)
        pauses = self._not_found.setdefault(walk_id, Backoff(*LOOK_AGAIN))
        self._look_at[walk_id] = time.monotonic() + pauses.next_pause()

    def _get_storage(self) -> Storage:
        if self._storage is None:
            self._storage = self._open_storage()
        return self._storage
