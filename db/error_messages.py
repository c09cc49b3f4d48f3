"""What can go wrong with the history, in sentences a curator understands.

    HistoryError (also OSError)   the history cannot be read or written
    ├── Damaged                   the file is no sound database
    ├── TooNew                    a later version of the app has written it
    ├── ReadOnly                  it may not be written
    ├── Locked                    another program holds it for longer than one waits
    ├── DiskFull                  no room to write
    ├── OutOfReach                the server does not answer, or the file cannot be opened
    ├── NoDriver                  the program that speaks with this kind of server is missing
    └── NotRestorable             a backup cannot be written, or not be brought back

`translate_errors` turns a driver's error into one of these; what is none of them stays as it is.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from sqlalchemy.exc import DBAPIError, SQLAlchemyError


class HistoryError(OSError):
    """Any error of the history whose message is meant for the person in front of the screen."""

    sentence = "The history cannot be used just now."

    @classmethod
    def at(cls, place: str) -> Self:
        """This error of the history at `place`."""
        return cls(f"{cls.sentence} (The history: {place})")


class Damaged(HistoryError):
    """The file is no sound database."""

    sentence = (
        "The history is damaged. Nothing was changed in it. Please stop the app, keep a copy of "
        "the file, and bring the last backup back: python -m momalisa restore FILE. Without a "
        "backup, move the file away and run python -m momalisa sync: the films are not touched."
    )


class TooNew(HistoryError):
    """A later version of the app has written it."""

    sentence = (
        "The history was written by a newer MOMA Lisa than this one. Nothing was changed in it. "
        "Please update this MOMA Lisa."
    )


class ReadOnly(HistoryError):
    """It may not be written."""

    sentence = (
        "The history cannot be written, so nothing was changed. Please allow the app to write "
        "the file and its folder."
    )


class Locked(HistoryError):
    """Another program holds it for longer than one waits."""

    sentence = (
        "Another program keeps the history locked, so nothing was changed. Please try again in a "
        "moment; if this stays, close the program that has the file open."
    )


class DiskFull(HistoryError):
    """No room to write."""

    sentence = (
        "The disk of the history is full, so nothing was changed. Please make some room and try "
        "again."
    )


class OutOfReach(HistoryError):
    """The server does not answer, or the file cannot be opened."""

    sentence = (
        "The history cannot be reached just now. Nothing is lost; please try again in a moment. "
        "If this stays, look at the database that MOMALISA_DATABASE_URL names."
    )


class NoDriver(HistoryError):
    """The program that speaks with this kind of server is missing."""

    sentence = (
        "The history is on a server that this installation cannot speak with. For PostgreSQL: "
        "pip install -r momalisa/cloud/requirements.txt. Other servers cannot hold the history."
    )


class NotRestorable(HistoryError):
    """A backup cannot be written, or not be brought back."""


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
# https://www.postgresql.org/docs/current/errcodes-appendix.html, by their beginnings.
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
    "57P": OutOfReach,
    "28": OutOfReach,
    "3D": OutOfReach,
}


@contextmanager
def translate_errors(place: str) -> Iterator[None]:
    """Turn what the driver says about the history at `place` into a HistoryError."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        kind = _kind(error)
        if kind is None:
            raise
        raise kind.at(place) from error


def _kind(error: Exception) -> type[HistoryError] | None:
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        # The low byte is the kind of error, the others say more about it.
        code = getattr(cause, "sqlite_errorcode", None)
        return None if code is None else _SQLITE.get(code & 0xFF)
    state = getattr(cause, "sqlstate", None)
    if state is None:
        lost = isinstance(error, DBAPIError) and type(cause).__name__ == "OperationalError"
        return OutOfReach if lost else None
    return next((kind for code, kind in _POSTGRESQL.items() if state.startswith(code)), None)
