"""Backup and restore of a SQLite history; a backup can be made while the app runs."""

import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from db.error_messages import Damaged, DiskFull, NotRestorable, TooNew, translate_errors
from db.files import create_folder, sync_folder
from db.session import get_engine, list_revisions, migrate, sqlite_file
from db.stop_pictures import find_digests

_PG_RESTORE = (
    "pg_restore --clean --if-exists --dbname=DATABASE FILE. Alone, it would bring deleted walks "
    "back: README.md, “Beyond one machine”, says what to keep."
)
_LOGS = ("-wal", "-shm", "-journal")
_SPEC = "SELECT spec FROM walks WHERE id = ?"
_GIVEN = "SELECT year, last FROM accessions"
_DELETED = (
    "SELECT walk_id, accession, deleted_at, files_deleted_at, "
    "walk_id NOT IN (SELECT id FROM walks) FROM deletions"
)

log = logging.getLogger(__name__)


def backup(url: str, file: Path) -> None:
    """Copy the history into a new file, also while other processes write to it.

    The file is moved to its name after it is complete and checked. Raises NotRestorable, or
    another HistoryError.
    """
    history = _require_sqlite_file(url, "pg_dump --format=custom --file=FILE DATABASE")
    if not file.absolute().parent.is_dir():
        raise NotRestorable(f"There is no folder {file.parent} to put a backup into.")
    if not history.is_file():
        raise NotRestorable(f"There is no history at {history} to make a backup of.")
    if file.exists():
        raise NotRestorable(f"{file} exists already. A backup overwrites nothing: name a new file.")
    os.replace(_copy_and_check(history, file), file)
    sync_folder(file.absolute().parent)


def restore(file: Path, url: str) -> Path | None:
    """Replace the history by a backup; returns the path of a copy of the previous history, or None.

    Numbers given since the backup are not given again, and walks deleted since do not come back.
    An old backup is migrated. Raises NotRestorable, Locked while the app or a
    worker has the history open, TooNew, or another HistoryError; the history is then unchanged.
    """
    history = _require_sqlite_file(url, _PG_RESTORE)
    if not file.is_file():
        raise NotRestorable(f"There is no backup at {file}.")
    create_folder(history.parent)
    try:
        new = _copy_and_check(file, history)
    except Damaged as error:
        raise NotRestorable(f"{file} is damaged, or no backup. Nothing was changed.") from error
    try:
        # First: what is carried over has a place only in the newest schema.
        _migrate_copy(new)
        return _put_in_place(new, history)
    finally:
        new.unlink(missing_ok=True)


def _require_sqlite_file(url: str, server_command: str) -> Path:
    """Return the history's file; raises NotRestorable, naming the server's command, if none."""
    history = sqlite_file(url)
    if history is None:
        raise NotRestorable(
            f"The history is on a server, which has its own command: {server_command}"
        )
    return history


def _copy_and_check(source: Path, target: Path) -> Path:
    """Copy a history to a temporary file beside `target`, synced to disk, and check its integrity.

    Raises HistoryError.
    """
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        with (
            translate_errors(str(source)),
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
            closing(_create(part)) as new,
        ):
            with _name_full_disk(target):
                old.backup(new)
                new.execute("PRAGMA journal_mode = DELETE")
            _check(new, source)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part


def _create(part: Path) -> sqlite3.Connection:
    """Create a temporary file; raises NotRestorable with the folder's name if that is refused."""
    try:
        return sqlite3.connect(part)
    except sqlite3.OperationalError as error:
        raise NotRestorable(
            f"No file can be made in {part.absolute().parent}, so nothing was changed. Please let "
            "this program write there, and make room if that disk is full."
        ) from error


@contextmanager
def _name_full_disk(target: Path) -> Iterator[None]:
    """Raise DiskFull about the disk that is written: the one that is read may have room."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
            raise
        raise DiskFull(
            f"The disk of {target.absolute().parent} is full, so nothing was changed. Please make "
            "some room there and try again."
        ) from error


def _check(copy: sqlite3.Connection, source: Path) -> None:
    [integrity] = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if integrity != "ok" or copy.execute("PRAGMA foreign_key_check").fetchone():
        raise Damaged.at(str(source))
    if (
        copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        is None
    ):
        raise NotRestorable(f"{source} is no history of MOMA Lisa.")
    [revision] = copy.execute("SELECT version_num FROM alembic_version").fetchone() or [None]
    if revision not in list_revisions():
        raise TooNew.at(str(source))


def _put_in_place(new: Path, history: Path) -> Path | None:
    """Replace the history, and return the path of its copy; None if there was none."""
    had_history = history.exists()
    previous = None
    try:
        with _lock(history) as connection:
            if had_history:
                previous = _name_copy(history)
                _copy_content(connection, previous)
                _carry_over(previous, new)
            with closing(sqlite3.connect(new)) as source:
                source.backup(connection)
    except Damaged:
        previous = _name_copy(history)
        _copy_as_it_is(history, previous)
        _carry_over(previous, new)
        os.replace(new, history)
    sync_folder(history.parent)
    return previous


@contextmanager
def _lock(history: Path) -> Iterator[sqlite3.Connection]:
    """Open the history and let no other process open it in the body. Raises Locked or Damaged.

    One that opened it before its file is replaced would write into a file without a name, and
    leave a write-ahead log that SQLite applies to the new file. So its content is replaced.
    """
    with (
        translate_errors(str(history)),
        closing(sqlite3.connect(history, timeout=0, isolation_level=None)) as connection,
    ):
        # In this mode the lock of a transaction outlasts it.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("COMMIT")
        yield connection


def _name_copy(history: Path) -> Path:
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    return history.with_name(f"{history.name}.before-restore-{now}")


def _copy_content(connection: sqlite3.Connection, copy: Path) -> None:
    # Not the file: closing it would end all locks that this process has on it.
    with closing(sqlite3.connect(copy)) as target:
        connection.backup(target)


def _copy_as_it_is(history: Path, copy: Path) -> None:
    """Copy a damaged history with its unmerged logs, and remove these."""
    for suffix in ("", *_LOGS):
        part = history.with_name(history.name + suffix)
        if part.exists():
            shutil.copy2(part, f"{copy}{suffix}")
    _remove_logs(history)


def _remove_logs(history: Path) -> None:
    """Remove what SQLite would apply to the restored history."""
    for suffix in _LOGS:
        history.with_name(history.name + suffix).unlink(missing_ok=True)


def _migrate_copy(copy: Path) -> None:
    """Migrate a copy of a history to the newest schema; it is one file again afterwards."""
    url = URL.create("sqlite", database=str(copy)).render_as_string(hide_password=False)
    try:
        migrate(url)
    finally:
        get_engine(url).dispose()
    with translate_errors(str(copy)):
        _merge_wal(copy)


def _carry_over(previous: Path, new: Path) -> None:
    """Let a restored history know the numbers given and the walks deleted since its backup.

    What cannot be read of a damaged history is left out, with a log entry. Raises HistoryError.
    """
    given, deleted = (_read_rows(previous, query) for query in (_GIVEN, _DELETED))
    gone = [row[:1] for row in deleted if row[-1]]
    with translate_errors(str(new)), closing(sqlite3.connect(new)) as history, history:
        history.execute("PRAGMA foreign_keys = ON")  # tags and votes go with their walk
        history.executemany(
            "INSERT INTO accessions (year, last) VALUES (?, ?) "
            "ON CONFLICT (year) DO UPDATE SET last = max(last, excluded.last)",
            given,
        )
        history.executemany(
            "INSERT OR REPLACE INTO deletions (walk_id, accession, deleted_at, files_deleted_at) "
            "VALUES (?, ?, ?, ?)",
            [row[:-1] for row in deleted],
        )
        _delete(history, gone)


def _delete(history: sqlite3.Connection, gone: Sequence[tuple[str]]) -> None:
    """Delete walks by their ids, and the pictures among their stops that no other walk has."""
    specs = [row for walk in gone for row in history.execute(_SPEC, walk)]
    history.executemany("DELETE FROM walks WHERE id = ?", gone)
    digests = {digest for (spec,) in specs for digest in find_digests(json.loads(spec))}
    history.executemany(
        "DELETE FROM stop_pictures WHERE digest = ?1 "
        "AND NOT EXISTS (SELECT 1 FROM walks WHERE instr(spec, ?1))",
        [(digest,) for digest in digests],
    )


def _read_rows(history: Path, query: str) -> list[tuple[Any, ...]]:
    """Return a query's rows; none, with a log entry, where the history cannot be read.

    A history of an earlier release has no tombstones.
    """
    try:
        with closing(sqlite3.connect(f"{history.absolute().as_uri()}?mode=ro", uri=True)) as file:
            table = query.rpartition(" ")[2]
            exists = "SELECT 1 FROM sqlite_master WHERE name = ?"
            if file.execute(exists, (table,)).fetchone() is None:
                return []
            return file.execute(query).fetchall()
    except sqlite3.DatabaseError as error:
        log.warning("Not carried over from the previous history, which cannot be read: %s", error)
        return []


def _merge_wal(history: Path) -> None:
    """Merge the write-ahead log into the file; SQLite refuses while others have it open."""
    with closing(sqlite3.connect(history, timeout=0)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
