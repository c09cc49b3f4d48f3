"""Writes the records (walk.json) of films anew after curators have edited them."""

import logging
import time
from collections.abc import Callable

from pydantic import ValidationError

from db import edits
from db.error_messages import HistoryError
from db.models import Walk
from db.session import reading, writing
from momalisa.backoff import Backoff
from momalisa.errors import NotStored, StorageError
from momalisa.film_intake import take_in_record
from momalisa.number_claims import claim_number
from momalisa.records import Record, find_unknown, write_record
from momalisa.render import record_key
from momalisa.storage import CONTENT_TYPES, Storage, StoredFile

AT_A_TIME = 20
"""Records of one round; films and deletions wait that long."""
SETTLE = 3.0
"""Seconds at least between two writes of one record, so that quick edits are written at once."""
PAUSES = (1.0, 60.0)
"""Seconds without another try after a failure: the first pause, and the longest."""

FILM_PAUSES = (60.0, 3600.0)
"""The same, where it concerns one film: its file is lost, say."""

log = logging.getLogger(__name__)


class RecordWriter:
    """Keeps the stored records up to date with their films' rows, while a program runs."""

    def __init__(self, get_storage: Callable[[], Storage], database: str) -> None:
        self._get_storage = get_storage
        self._database = database
        self._backoff = Backoff(*PAUSES)
        self._next = 0.0
        self._not_before: dict[str, float] = {}
        self._failed: dict[str, Backoff] = {}

    def update(self) -> bool:
        """Write the records of edited films, some of them; True if there may be more to do at once.

        Raises nothing. After a failure it is logged. Where it concerns one film, the others go on,
        and that film waits; after any other one, all wait.
        """
        if time.monotonic() < self._next:
            return False
        try:
            due = self._list_due()
            for walk_id in due:
                self._try(walk_id)
            self._backoff.reset()
        except Exception as error:
            self._next = time.monotonic() + self._backoff.next_pause()
            foreseen = isinstance(error, StorageError | HistoryError)
            log.warning("The records are not up to date. %s", error, exc_info=not foreseen)
            return False
        return len(due) == AT_A_TIME

    def _try(self, walk_id: str) -> None:
        """Write a record; where that fails because of its film, the film waits.

        Raises StorageError or HistoryError if storage or history are out of reach.
        """
        # Also after a failure: the other films come first then.
        self._not_before[walk_id] = time.monotonic() + SETTLE
        try:
            self._write(walk_id)
        except Exception as error:
            pauses = self._failed.setdefault(walk_id, Backoff(*FILM_PAUSES))
            self._not_before[walk_id] = time.monotonic() + pauses.next_pause()
            away = isinstance(error, StorageError | HistoryError)
            if away and not isinstance(error, NotStored):
                raise
            sentence = "The record of walk %s is not up to date. %s"
            log.warning(sentence, walk_id, error, exc_info=not away)
        else:
            self._failed.pop(walk_id, None)

    def _list_due(self) -> list[str]:
        now = time.monotonic()
        self._not_before = {key: time for key, time in self._not_before.items() if time > now}
        with reading(self._database) as session:
            limit = AT_A_TIME + len(self._not_before)
            stale = edits.list_stale(session=session, limit=limit)
        return [walk_id for walk_id in stale if walk_id not in self._not_before][:AT_A_TIME]

    def _write(self, walk_id: str) -> None:
        """Store a film's record, with the later edits of the stored one, which are taken in."""
        with reading(self._database) as session:
            walk = session.get(Walk, walk_id)
        storage, key = self._get_storage(), record_key(walk_id)
        if walk is not None and not storage.exists(walk.files.get("gif", "")):
            raise NotStored("Its film is not in the storage. Is MOMALISA_STORE the right one?")
        previous = _read_or_none(storage, key)
        stored = _parse(previous)
        if stored:
            take_in_record(self._database, walk_id, stored, None)
        if walk is not None and (stored is None or stored.accession != walk.accession):
            claim_number(storage, self._database, walk_id, is_new=True)
        with reading(self._database) as session:
            walk = session.get(Walk, walk_id)
            if walk is None or walk.edited_at is None:
                return
            unknown = find_unknown(session, walk, stored)
            data = write_record(session, walk, unknown)
        written = _store(storage, key, data, previous)
        with writing(self._database) as session:
            edits.mark_recorded(
                session=session,
                walk_id=walk_id,
                edited_at=walk.edited_at,
                # Read again, once the films that it names may be there.
                stored_at=None if any(unknown) else written.updated,
                key=key,
            )


def _store(storage: Storage, key: str, data: bytes, previous: bytes | None) -> StoredFile:
    """Store a record in the place of the one that was read."""
    if previous is None:
        return storage.put(key, data, CONTENT_TYPES[".json"])
    return storage.replace(key, data, CONTENT_TYPES[".json"], previous=previous)


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
