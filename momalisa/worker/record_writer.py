"""Writes the records (walk.json) of films anew after curators have edited them."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import ValidationError

from db import edits
from db.error_messages import HistoryError
from db.models import Walk
from db.session import reading, writing
from momalisa.backoff import Backoff
from momalisa.errors import NotStored, StorageError
from momalisa.film_intake import CLOCKS_DIFFER, take_in_record
from momalisa.records import Record, write_record
from momalisa.render import record_key
from momalisa.storage import CONTENT_TYPES, Storage, StoredFile

AT_A_TIME = 20
"""Records of one round; films and deletions wait that long."""
SETTLE = 3.0
"""Seconds at least between two writes of one record, so that quick edits are written at once."""
PAUSES = (1.0, 60.0)
"""Seconds without another try after a failure: the first pause, and the longest."""

log = logging.getLogger(__name__)


class RecordWriter:
    """Keeps the stored records up to date with their films' rows, while a program runs."""

    def __init__(self, get_storage: Callable[[], Storage], database: str) -> None:
        self._get_storage = get_storage
        self._database = database
        self._backoff = Backoff(*PAUSES)
        self._next = 0.0
        self._not_before: dict[str, float] = {}

    def update(self) -> bool:
        """Write the records of edited films, some of them; True if there may be more to do at once.

        Raises nothing. After a failure it is logged, and the next try waits.
        """
        if time.monotonic() < self._next:
            return False
        walk_id = ""
        try:
            due = self._list_due()
            for walk_id in due:
                # Also after a failure: the other films come first then.
                self._not_before[walk_id] = time.monotonic() + SETTLE
                self._write(walk_id)
            self._backoff.reset()
        except Exception as error:
            # Whatever is wrong with one film, the courier goes on with the others.
            self._next = time.monotonic() + self._backoff.next_pause()
            self._not_before[walk_id] = time.monotonic() + self._backoff.longest
            foreseen = isinstance(error, StorageError | HistoryError)
            sentence = "The record of walk %s is not up to date. %s"
            log.warning(sentence, walk_id, error, exc_info=not foreseen)
            return False
        return len(due) == AT_A_TIME

    def _list_due(self) -> list[str]:
        now = time.monotonic()
        self._not_before = {key: time for key, time in self._not_before.items() if time > now}
        with reading(self._database) as session:
            limit = AT_A_TIME + len(self._not_before)
            stale = edits.list_stale(session=session, limit=limit)
        return [walk_id for walk_id in stale if walk_id not in self._not_before][:AT_A_TIME]

    def _write(self, walk_id: str) -> None:
        """Store a film's record, unless the stored one has a later edit, which is taken in then."""
        with reading(self._database) as session:
            walk = session.get(Walk, walk_id)
            if walk is None or walk.edited_at is None:
                return
            data = write_record(session, walk)
        storage, key = self._get_storage(), record_key(walk_id)
        previous = _read_or_none(storage, key)
        theirs = _parse(previous)
        latest = datetime.now(UTC) + CLOCKS_DIFFER
        if theirs and theirs.edited_at and walk.edited_at < theirs.edited_at <= latest:
            take_in_record(self._database, walk_id, theirs, None)
            return
        stored = self._store(storage, walk, data, previous)
        with writing(self._database) as session:
            edits.mark_recorded(
                session=session,
                walk_id=walk_id,
                edited_at=walk.edited_at,
                stored_at=stored.updated,
                key=key,
            )

    @staticmethod
    def _store(storage: Storage, walk: Walk, data: bytes, previous: bytes | None) -> StoredFile:
        """Store a record beside its film, in the place of the one that was read."""
        if not storage.exists(walk.files.get("gif", "")):
            raise StorageError("Its film is not in the storage. Is MOMALISA_STORE the right one?")
        key, content_type = record_key(walk.id), CONTENT_TYPES[".json"]
        if previous is None:
            return storage.put(key, data, content_type)
        return storage.replace(key, data, content_type, previous=previous)


def _read_or_none(storage: Storage, key: str) -> bytes | None:
    try:
        return storage.get(key)
    except NotStored:
        return None


def _parse(data: bytes | None) -> Record | None:
    """The record; None if there is none, or none that can be read."""
    try:
        return Record.model_validate_json(data) if data else None
    except ValidationError:
        return None
