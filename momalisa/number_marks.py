"""Marks in the storage of the accession numbers that were given.

A history that is lost, or restored from a backup, would give its last numbers again. So the
storage holds the name of each year's last number, as an empty file. A history whose counter is
behind is raised to it when a program starts; one whose counter is ahead stores a new mark. Both
take one request where nothing is to do.
"""

import logging
import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress

from db import accession_numbers
from db.clock import utc_now
from db.error_messages import HistoryError
from db.session import reading, writing
from momalisa.errors import StorageError
from momalisa.storage import CONTENT_TYPES, Storage

FOLDER = "accession_numbers"
PAUSE = 5.0
"""Seconds at least between two marks, or two tries to store one."""
_MARK = re.compile(rf"{FOLDER}/(?P<year>[0-9]{{4}})\.(?P<last>[0-9]{{6}})\.json")

log = logging.getLogger(__name__)


def exchange_marks(storage: Storage, database: str) -> dict[int, int]:
    """Raise the history's counters to the marks, and the marks to the counters; returns both.

    Raises StorageError or HistoryError.
    """
    marks = _read_marks(storage)
    given = _read_counters(database)
    behind = {year: last for year, last in marks.items() if last > given.get(year, 0)}
    if behind:
        last_ones = ", ".join(f"ML.{year}.{last:04d}" for year, last in sorted(behind.items()))
        sentence = "The history did not know that numbers up to %s were given; it does now"
        log.warning(sentence, last_ones)
        with writing(database) as session:
            accession_numbers.raise_counters(session, behind)
    for year, last in given.items():
        if last > marks.get(year, 0):
            _store_mark(storage, year, last)
    return given | behind


def _read_counters(database: str) -> dict[int, int]:
    with reading(database) as session:
        return accession_numbers.read_counters(session)


def _read_marks(storage: Storage) -> dict[int, int]:
    """Return the largest mark of each year; a year that has not begun is not believed."""
    marks: dict[int, int] = {}
    for stored in storage.list(f"{FOLDER}/"):
        if (mark := _MARK.fullmatch(stored.key)) and int(mark["year"]) <= utc_now().year + 1:
            year, last = int(mark["year"]), int(mark["last"])
            marks[year] = max(last, marks.get(year, 0))
    return marks


def _store_mark(storage: Storage, year: int, last: int) -> None:
    """Store a year's mark, then delete those below it."""
    key = f"{FOLDER}/{year}.{last:06d}.json"
    storage.put(key, b"{}", CONTENT_TYPES[".json"])
    # Old ones harm nothing, and not every account may delete.
    with suppress(StorageError):
        for stored in list(storage.list(f"{FOLDER}/{year}.")):
            if stored.key < key:
                storage.delete(stored.key)


class MarkKeeper:
    """Keeps the marks up to date while a program runs."""

    def __init__(self, get_storage: Callable[[], Storage], database: str) -> None:
        self._get_storage = get_storage
        self._database = database
        self._known: Mapping[int, int] | None = None
        self._next = 0.0
        self._succeeded = True

    def update(self) -> None:
        """Exchange the marks at the first call, and whenever numbers were given since.

        Raises nothing; of failures in a row the first one is logged.
        """
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + PAUSE
        try:
            if self._known != _read_counters(self._database):
                self._known = exchange_marks(self._get_storage(), self._database)
            self._succeeded = True
        except Exception as error:
            if self._succeeded:
                known = isinstance(error, StorageError | HistoryError)
                sentence = "The storage has no mark of the last accession number. %s"
                log.warning(sentence, error, exc_info=not known)
            self._succeeded = False
