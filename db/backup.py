"""Copies of a SQLite history: taken while the app runs, and brought back."""

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

from db.error_messages import Damaged, NotRestorable, TooNew, translate_errors
from db.session import list_revisions, sqlite_file


def backup(url: str, file: Path) -> None:
    """Copy the history into a new file, also while others write to it.

    The file gets its name once it is whole and checked. Raises NotRestorable, or another
    HistoryError.
    """
    history = _history(url, "pg_dump --format=custom --file=FILE DATABASE")
    if not file.absolute().parent.is_dir():
        raise NotRestorable(f"There is no folder {file.parent} to put a backup into.")
    if not history.is_file():
        raise NotRestorable(f"There is no history at {history} to make a backup of.")
    if file.exists():
        raise NotRestorable(f"{file} exists already. A backup overwrites nothing: name a new file.")
    os.replace(_checked_copy(history, file), file)


def restore(file: Path, url: str) -> Path | None:
    """Put a backup in the history's place; returns where the history until now is kept.

    None when there was none. An old backup gets the newest schema at the next start. Raises
    NotRestorable, Locked while the app or a worker has the history open, TooNew, or another
    HistoryError; the history is then as it was.
    """
    history = _history(url, "pg_restore --clean --dbname=DATABASE FILE")
    if not file.is_file():
        raise NotRestorable(f"There is no backup at {file}.")
    history.parent.mkdir(parents=True, exist_ok=True)
    try:
        new = _checked_copy(file, history)
    except Damaged as error:
        raise NotRestorable(f"{file} is damaged, or no backup. Nothing was changed.") from error
    try:
        until_now = history.exists()
        kept = _keep(history)
        os.replace(new, history)
    finally:
        new.unlink(missing_ok=True)
    return kept if until_now else None


def _history(url: str, instead: str) -> Path:
    history = sqlite_file(url)
    if history is None:
        raise NotRestorable(f"The history is on a server, which has its own command: {instead}")
    return history


def _checked_copy(source: Path, target: Path) -> Path:
    """A sound copy of a history beside `target`, on the disk. Raises HistoryError."""
    part = target.with_name(f".{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        with (
            translate_errors(str(source)),
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(part)) as new,
        ):
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")
            _check(new, source)
        with part.open("rb") as copy:
            os.fsync(copy.fileno())
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return part


def _check(copy: sqlite3.Connection, source: Path) -> None:
    [sound] = copy.execute("PRAGMA integrity_check(1)").fetchone()
    if sound != "ok" or copy.execute("PRAGMA foreign_key_check").fetchone():
        raise Damaged.at(str(source))
    if (
        copy.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
        is None
    ):
        raise NotRestorable(f"{source} is no history of MOMA Lisa.")
    [revision] = copy.execute("SELECT version_num FROM alembic_version").fetchone() or [None]
    if revision not in list_revisions():
        raise TooNew.at(str(source))


def _keep(history: Path) -> Path:
    """Copy the present history, whatever is left of it, to a name of its own beside it."""
    # A damaged one is copied as it is, with what SQLite has not merged into it.
    with suppress(Damaged), translate_errors(str(history)):
        if history.exists():
            _to_one_file(history)
    now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    kept = history.with_name(f"{history.name}.before-restore-{now}")
    for ending in ("", "-wal", "-shm"):
        part = history.with_name(history.name + ending)
        if part.exists():
            shutil.copy2(part, f"{kept}{ending}")
    for ending in ("-wal", "-shm"):
        # Left behind, it would be read as a part of the history that comes.
        history.with_name(history.name + ending).unlink(missing_ok=True)
    return kept


def _to_one_file(history: Path) -> None:
    """Merge what is beside the file into it. SQLite refuses while others have it open."""
    with closing(sqlite3.connect(history, timeout=0)) as alone:
        alone.execute("PRAGMA journal_mode = DELETE")
