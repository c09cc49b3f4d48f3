"""Marks in the storage of the accession numbers that were given.

A history that is lost, or restored from a backup, would give its last numbers again. So the
storage holds the name of each year's last number, as an empty file. A history whose counter is
behind is raised to it when a program starts; one whose counter is ahead stores a new mark. Both
take one request where nothing is to do.
"""

import logging
import re
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from db import accession_numbers, walks
from db.clock import database_now, utc_now
from db.error_messages import HistoryError
from db.session import reading, writing
from momalisa.errors import NotStored, StorageError
from momalisa.storage import CONTENT_TYPES, FILMS_FOLDER, LocalStorage, Storage
from momalisa.storage.outbox import record_last
from momalisa.store_folder import is_beside_history, may_be_made
from momalisa.stored_films import DamagedFilm, read_record

FOLDER = "accession_numbers"
AT_ONCE = 8
"""Records that are read at a time."""
PAUSE = 5.0
"""Seconds at least between two marks, or two tries to store one."""
STEP, FEWEST = 1000, 10
"""A history that begins while its storage is away begins at so many thousands, up to twice that."""
LOOK = 60.0
"""Seconds between two looks for numbers that another history on the same storage has given."""
_MARK = re.compile(rf"{FOLDER}/(?P<year>[0-9]{{4}})\.(?P<last>[0-9]{{6}})\.json")

log = logging.getLogger(__name__)


def exchange_marks(storage: Storage, database: str) -> dict[int, int]:
    """Raise the history's counters to the marks, and the marks to the counters; returns both.

    If the storage is away, a history that has never seen one begins far above the numbers that
    films in it may have. Raises StorageError or HistoryError.
    """
    try:
        marks = _read_marks(storage, database)
        # Without marks, films were copied without them, or are of an earlier release.
        known = marks or _read_numbers(storage, database)
    except StorageError:
        begin_far_above(database)
        raise
    _set_back(database)
    given = _read_counters(database)
    best = {year: _choose_believable(storage, database, year, known[year]) for year in known}
    behind = {year: last for year, last in best.items() if last > given.get(year, 0)}
    if behind:
        last_ones = ", ".join(f"ML.{year}.{last:04d}" for year, last in sorted(behind.items()))
        sentence = "The history did not know that numbers up to %s were given; it does now"
        log.warning(sentence, last_ones)
    if behind or not given:
        with writing(database) as session:
            # Also 0: this history has seen its storage.
            accession_numbers.raise_counters(session, behind or {database_now(session).year: 0})
    given = _read_counters(database)
    for year, last in given.items():
        if last > (best.get(year, 0) if marks else 0):
            _store_mark(storage, year, last)
    return given


def has_given_none(database: str) -> bool:
    """Whether a history is new: it has given no number, and has seen no storage."""
    return not _read_counters(database)


def begin_far_above(database: str) -> None:
    """Let a new history leave out numbers that films in an unknown storage may have."""
    if not has_given_none(database):
        return
    with writing(database) as session:
        first = STEP * (FEWEST + secrets.randbelow(FEWEST))
        accession_numbers.raise_counters(session, {database_now(session).year: first})
    log.warning("The storage is away, and this history is new. Its numbers begin at %s.", first + 1)


def _set_back(database: str) -> None:
    """Set back counters that were raised by a number from a storage and cannot be believed."""
    if all(last <= accession_numbers.PLAUSIBLE for last in _read_counters(database).values()):
        return
    with writing(database) as session:
        if spoiled := accession_numbers.lower_counters(session):
            log.warning("Accession numbers were far too high, and are set back: %s", spoiled)


def _read_counters(database: str) -> dict[int, int]:
    with reading(database) as session:
        return accession_numbers.read_counters(session)


def _read_marks(storage: Storage, database: str) -> dict[int, list[int]]:
    """Return each year's marks; a year that has not begun is not believed.

    Raises StorageError, also if the storage's folder is missing: a disk may not be mounted.
    """
    if isinstance(storage, LocalStorage) and _is_away(storage.root, database):
        raise StorageError(f"There is no folder {storage.root}.")
    marks: dict[int, list[int]] = defaultdict(list)
    for stored in storage.list(f"{FOLDER}/"):
        if (mark := _MARK.fullmatch(stored.key)) and int(mark["year"]) <= utc_now().year + 1:
            marks[int(mark["year"])].append(int(mark["last"]))
    return marks


def _read_numbers(storage: Storage, database: str) -> dict[int, list[int]]:
    """Return the numbers of the stored films that the history does not know, by year.

    Raises StorageError.
    """
    stored = {
        one.key.split("/")[1]: one
        for one in storage.list(f"{FILMS_FOLDER}/")
        if record_last(one.key)
    }
    with reading(database) as session:
        unknown = stored.keys() - walks.find_existing_ids(session=session, ids=stored)

    def read(walk_id: str) -> tuple[int, int] | None:
        with suppress(DamagedFilm, NotStored):
            return accession_numbers.parse(read_record(storage, stored[walk_id]).accession)
        return None

    numbers: dict[int, list[int]] = defaultdict(list)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number in filter(None, pool.map(read, unknown)):
            numbers[number[0]].append(number[1])
    return numbers


def _is_away(folder: Path, database: str) -> bool:
    """Whether a folder is missing that has films, or may have some; it may just not be made yet."""
    if (folder / FILMS_FOLDER).exists():
        return False
    is_elsewhere = not (folder.exists() or is_beside_history(folder, database))
    is_unknown = is_elsewhere and not _read_counters(database)
    return is_unknown or not may_be_made(folder, database)


def _choose_believable(storage: Storage, database: str, year: int, marks: list[int]) -> int:
    """Return the largest of a year's marks that the known walks and films make credible, or 0."""
    with reading(database) as session:
        given = accession_numbers.read_counters(session).get(year, 0)
        ceiling = max(given, accession_numbers.PLAUSIBLE)
        if max(marks) > ceiling:
            folders = {stored.key.split("/")[1] for stored in storage.list(f"{FILMS_FOLDER}/")}
            ceiling = max(given, accession_numbers.find_ceiling(session, year, len(folders)))
    if max(marks) > ceiling:
        _tell_once(f"{FOLDER}/{year}.{max(marks):06d}.json")
    return max((mark for mark in marks if mark <= ceiling), default=0)


@lru_cache(maxsize=100)
def _tell_once(key: str) -> None:
    sentence = "%s in the storage is left out: there are far too few films for such a number."
    log.warning(sentence, key)


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
        self._next = self._look_at = 0.0
        self._succeeded = True

    def update(self) -> None:
        """Exchange the marks at first, whenever numbers were given since, and every LOOK seconds.

        Raises nothing; of failures in a row the first one is logged.
        """
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + PAUSE
        try:
            is_behind = self._known != _read_counters(self._database)
            if is_behind or time.monotonic() >= self._look_at:
                self._known = exchange_marks(self._get_storage(), self._database)
                self._look_at = time.monotonic() + LOOK
            self._succeeded = True
        except Exception as error:
            if self._succeeded:
                known = isinstance(error, StorageError | HistoryError)
                sentence = "The storage has no mark of the last accession number. %s"
                log.warning(sentence, error, exc_info=not known)
            self._succeeded = False
