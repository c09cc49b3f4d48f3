"""Exceptions of the history database, with messages for curators.

    HistoryError (also OSError)   the history cannot be read or written
    ├── Damaged                   the file is corrupt or no database
    ├── TooNew                    its schema is of a later version of the app
    ├── NotUpgraded               its schema is of an earlier version of the app
    ├── NoFolder                  the folder of its file cannot be made
    ├── ReadOnly                  no permission to write it
    ├── Locked                    another program holds the lock for longer than the timeout
    ├── DiskFull                  no space left on the disk
    ├── OutOfReach                the server cannot be reached, or the file cannot be opened
    ├── WrongOption               its address has an option that cannot be used
    ├── NoDriver                  the driver for this kind of server is not installed
    ├── OnNetworkDisk             SQLite's file would be on a network disk
    ├── YearFull                  all accession numbers of the year are given
    └── NotRestorable             a backup cannot be written or restored

`translate_errors` converts a driver's errors to these; other errors pass through unchanged.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from sqlalchemy.exc import DBAPIError, SQLAlchemyError


class HistoryError(OSError):
    """Base class of the history's errors, whose messages are shown to the curator."""

    sentence = "The history cannot be used just now."

    @classmethod
    def at(cls, location: str) -> Self:
        """Create this error for the history at `location`, a path or a URL without password."""
        return cls(f"{cls.sentence} (The history: {location})")


class Damaged(HistoryError):
    """The file is corrupt or no database."""

    sentence = (
        "The history is damaged. Nothing was changed in it. Please stop the app, keep a copy of "
        "the file, and bring the last backup back: python -m momalisa restore FILE. Without a "
        "backup, move the file away and run python -m momalisa sync: the films are not touched."
    )


class TooNew(HistoryError):
    """Its schema is of a later version of the app."""

    sentence = (
        "The history was written by a newer MOMA Lisa than this one. Nothing was changed in it. "
        "Please update this MOMA Lisa."
    )


class NotUpgraded(HistoryError):
    """Its schema is of an earlier version of the app."""

    sentence = (
        "The history is of an earlier version of this program. Nothing was changed in it. Please "
        "make a backup (python -m momalisa backup FILE), and then start the app or a worker, "
        "which brings the history up to date."
    )


class NoFolder(HistoryError):
    """The folder of its file cannot be made."""

    sentence = (
        "The folder of the history cannot be made. Please let MOMALISA_HOME name a folder, not a "
        "file, that this program may make or write to."
    )


class ReadOnly(HistoryError):
    """No permission to write it."""

    sentence = (
        "The history cannot be written, so nothing was changed. Please allow the app to write "
        "the file and its folder."
    )


class Locked(HistoryError):
    """Another program holds the lock for longer than the timeout."""

    sentence = (
        "Another program keeps the history locked, so nothing was changed. Please try again in a "
        "moment; if this stays, close the program that has the file open."
    )


class DiskFull(HistoryError):
    """No space left on the disk."""

    sentence = (
        "The disk of the history is full, so nothing was changed. Please make some room and try "
        "again."
    )


class OutOfReach(HistoryError):
    """The server cannot be reached, or the file cannot be opened."""

    sentence = (
        "The history cannot be reached just now. Nothing is lost; please try again in a moment. "
        "If this stays: may its folder be written, or does the server that MOMALISA_DATABASE_URL "
        "names answer?"
    )


class WrongOption(HistoryError):
    """Its address has an option that cannot be used."""

    sentence = (
        "The address of the history has an option behind its “?” that cannot be used. Please "
        "correct MOMALISA_DATABASE_URL, or leave the option out."
    )


class NoDriver(HistoryError):
    """The driver for this kind of server is not installed."""

    sentence = (
        "The history is on a server that this installation cannot speak with. For PostgreSQL: "
        "pip install -r momalisa/cloud/requirements.txt. Other servers cannot hold the history."
    )


class OnNetworkDisk(HistoryError):
    """SQLite's file would be on a network disk, where its locks do not hold."""

    sentence = (
        "The history would be on a network disk, where SQLite's locks do not hold and two programs "
        "damage it. Nothing was changed. Please set MOMALISA_HOME to a folder on a disk of this "
        "machine, or MOMALISA_DATABASE_URL to a PostgreSQL server. MOMALISA_STORE, where the films "
        "are, may stay on the network disk."
    )


class YearFull(HistoryError):
    """All accession numbers of the year are given."""


class NotRestorable(HistoryError):
    """A backup cannot be written or restored."""


_SQLITE = {
    sqlite3.SQLITE_CORRUPT: Damaged,
    sqlite3.SQLITE_NOTADB: Damaged,
    sqlite3.SQLITE_READONLY: ReadOnly,
    sqlite3.SQLITE_BUSY: Locked,
    sqlite3.SQLITE_LOCKED: Locked,
    sqlite3.SQLITE_FULL: DiskFull,
    sqlite3.SQLITE_CANTOPEN: OutOfReach,
    sqlite3.SQLITE_IOERR: OutOfReach,
}
_WRONG_OPTION = re.compile(r"invalid (connection option|URI query parameter)|bad value for \w+:")
"""What the driver says of an address before it connects."""
# Prefixes of SQLSTATE codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
_POSTGRESQL = {
    "XX001": Damaged,
    "XX002": Damaged,
    "25006": ReadOnly,
    "42501": ReadOnly,
    "55P03": Locked,
    "40P01": Locked,
    "53100": DiskFull,
    "08": OutOfReach,
    "53": OutOfReach,
    "57": OutOfReach,
    "58": OutOfReach,
    "28": OutOfReach,
    "3D": OutOfReach,
}


@contextmanager
def translate_errors(location: str) -> Iterator[None]:
    """Context manager that converts driver errors to a HistoryError about `location`."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        kind = _find_error_class(error)
        if kind is None:
            raise
        raise kind.at(location) from error


def _find_error_class(error: Exception) -> type[HistoryError] | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        # The low byte is the primary error code, the others extend it.
        code = getattr(cause, "sqlite_errorcode", None)
        return None if code is None else _SQLITE.get(code & 0xFF)
    state = getattr(cause, "sqlstate", None)
    if state is None:
        if isinstance(error, DBAPIError) and _WRONG_OPTION.search(str(cause)):
            return WrongOption
        lost = isinstance(error, DBAPIError) and type(cause).__name__ == "OperationalError"
        return OutOfReach if lost else None
    return next((kind for code, kind in _POSTGRESQL.items() if state.startswith(code)), None)
