"""Takes stored films into the history: new ones, and those of walks that had lost their film."""

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, ParamSpec, TypeVar

from sqlalchemy.exc import IntegrityError, InternalError, OperationalError, StatementError
from sqlalchemy.orm import Session

from db import adoption, curation, deletions, edits, queue, walks
from db import repair as row_repair
from db.error_messages import YearFull
from db.models import State
from db.session import reading, writing
from momalisa.deletion import is_new_film, may_be_that_film
from momalisa.errors import BadInput, StorageError
from momalisa.number_claims import leave_numbers
from momalisa.records import Record
from momalisa.repair import Folders, Row, has_film
from momalisa.storage import Storage, StoredFile
from momalisa.storage.outbox import RECORD
from momalisa.stored_films import (
    DamagedFilm,
    find_result,
    find_webp,
    read_film,
    read_film_without_record,
    read_record,
    upload_time,
)

AT_ONCE = 8
"""Concurrent requests: the client library keeps ten connections."""
BATCH = 200
"""Films that are read at once; a run that is interrupted keeps the earlier ones."""
LOCK_SECONDS = 0.3
"""About how long films are added in one transaction, while no other process can write."""

P = ParamSpec("P")
T = TypeVar("T")

_FILM_ERRORS = (StatementError, YearFull, ValueError, ArithmeticError, TypeError, LookupError)
"""What a database raises for values of a film, and what does not concern the other films."""

log = logging.getLogger(__name__)


def select_new(storage: Storage, folders: Folders, database: str) -> tuple[Folders, set[str]]:
    """Return the folders without a row, and the ids of those whose walks were deleted.

    The oldest come first, so that a remix follows its parent. A new film in the folder of a deleted
    walk is one of the former.
    """
    with reading(database) as session:
        unknown_ids = folders.keys() - walks.find_existing_ids(session=session, ids=folders)
        tombstones = deletions.list_of(session=session, ids=unknown_ids)
    deleted_ids = {
        tombstone.walk_id
        for tombstone in tombstones
        if not is_new_film(storage, folders[tombstone.walk_id].values(), tombstone)
    }
    new = {walk_id: folders[walk_id] for walk_id in unknown_ids - deleted_ids}
    oldest_first = sorted(new.items(), key=lambda item: min(s.updated for s in item[1].values()))
    return dict(oldest_first), deleted_ids


def forget_deletions(walk_ids: Collection[str], database: str) -> None:
    """Let new films have the folders of walks that were deleted."""
    with reading(database) as session:
        known = deletions.list_of(session=session, ids=walk_ids)
    if known:
        with writing(database) as session:
            for tombstone in known:
                deletions.forget(session=session, walk_id=tombstone.walk_id)


def reopen_deletions(
    storage: Storage, folders: Folders, walk_ids: Collection[str], database: str
) -> None:
    """Have a courier delete the files of deleted walks: a stalled worker brought them back.

    Not those of another number, which may be another gallery's.
    """
    with reading(database) as session:
        tombstones = deletions.list_of(session=session, ids=walk_ids)
    found = [
        tombstone.walk_id
        for tombstone in tombstones
        if may_be_that_film(storage, folders[tombstone.walk_id].values(), tombstone)
    ]
    if found:
        with writing(database) as session:
            for walk_id in found:
                deletions.reopen(session=session, walk_id=walk_id)


def add_films(
    storage: Storage,
    database: str,
    new: Folders,
    on_progress: Callable[[int, int], None],
) -> tuple[list[str], list[str]]:
    """Read the new films and add their rows.

    Returns the ids of those that were added, and sentences about those that cannot be.
    """
    taken_in, damaged = [], []

    def read(item: tuple[str, Mapping[str, StoredFile]]) -> dict[str, Any] | str:
        return try_action(item[0], read_film, storage, *item)

    items = list(new.items())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, len(items), BATCH):
            films = list(pool.map(read, items[start : start + BATCH]))
            whole = [film for film in films if not isinstance(film, str)]
            numbers = {film["walk_id"]: str(film.get("accession", "")) for film in whole}
            leave_numbers(storage, database, numbers)
            left = list(zip((walk_id for walk_id, _ in items[start:]), films, strict=False))
            while left:
                added = _add_some(database, left)
                taken_in += [
                    walk_id for (walk_id, _), one in zip(left, added, strict=False) if one is True
                ]
                damaged += [one for one in added if isinstance(one, str)]
                del left[: len(added)]
            on_progress(min(start + BATCH, len(items)), len(items))
    return taken_in, damaged


def _add_some(database: str, films: Sequence[tuple[str, dict[str, Any] | str]]) -> list[bool | str]:
    """Add films in one short transaction, the first of them at least.

    Returns for each whether it was added, or a sentence.
    """
    added: list[bool | str] = []
    with writing(database) as session:
        until = time.monotonic() + LOCK_SECONDS
        for _, film in films:
            added.append(film if isinstance(film, str) else _adopt(session, film))
            if time.monotonic() > until:
                break
    return added


def take_in_changed_records(
    storage: Storage, database: str, rows: Collection[Row], folders: Folders
) -> tuple[list[str], list[str]]:
    """Take in the edits, votes and parents of records that were stored by others since.

    Returns the ids of the films of which another history had a later edit, and sentences about
    records that cannot be read: the courier writes these anew.
    """
    names = {row.id: row.accession for row in rows}
    with reading(database) as session:
        known = edits.list_records(session=session)
    changed = {
        walk_id: folders[walk_id][RECORD]
        for walk_id, stored_at in known.items()
        if RECORD in folders.get(walk_id, {}) and folders[walk_id][RECORD].updated != stored_at
    }

    def read(item: tuple[str, StoredFile]) -> Record | str:
        return try_action(names.get(item[0], item[0]), read_record, storage, item[1])

    with ThreadPoolExecutor(AT_ONCE) as pool:
        records = dict(zip(changed, pool.map(read, changed.items()), strict=True))
    edited = [
        walk_id
        for walk_id, record in records.items()
        if isinstance(record, Record)
        and take_in_record(database, walk_id, record, changed[walk_id].updated)
    ]
    unreadable = {walk_id: why for walk_id, why in records.items() if isinstance(why, str)}
    # The row says it all; a history that is rebuilt would lack the film.
    mark_stale(unreadable, database)
    return edited, [f"{why} It is written anew." for why in unreadable.values()]


def mark_stale(walk_ids: Collection[str], database: str) -> None:
    """Have the courier write the records of these films anew."""
    if not walk_ids:
        return
    with writing(database) as session:
        for walk_id in walk_ids:
            if (walk := walks.get(session=session, walk_id=walk_id)) is not None:
                edits.mark_stale(session, walk)


def take_in_record(database: str, walk_id: str, record: Record, stored_at: datetime | None) -> bool:
    """Take a record into its film's row; True if an edit of it is the later one."""
    with writing(database) as session:
        return curation.take_in(
            session=session,
            walk_id=walk_id,
            fields=record.model_dump(include=set(edits.FIELDS)),
            edit_times=record.list_edit_times(),
            edited_at=record.edited_at,
            parent=record.parent,
            recorded_votes=[vote.model_dump() for vote in record.votes],
            record_stored_at=stored_at,
        )


def try_action(
    name: str, action: Callable[P, T], *arguments: P.args, **options: P.kwargs
) -> T | str:
    """Call a function; return its value, or a sentence about why the film `name` fails."""
    try:
        return action(*arguments, **options)
    except (DamagedFilm, StorageError, BadInput) as error:
        return f"{name}: {error}"
    except Exception as error:
        # One film, whatever is wrong with it, must not hold up the others.
        log.exception("The film %s cannot be read", name)
        return f"{name}: it cannot be read ({type(error).__name__})."


def _adopt(session: Session, film: Mapping[str, Any]) -> bool | str:
    """Add a film's row in a transaction of its own; False if it has one, or a sentence."""
    problem: Exception
    for _ in range(2):
        try:
            with session.begin_nested():
                return adoption.adopt(session=session, **film) is not None
        except (OperationalError, InternalError):
            raise  # the history, not the film
        except IntegrityError as error:
            problem = error  # another process added it, or gave its number, in between
        except _FILM_ERRORS as error:
            problem = error
            break
    log.error("The film %s cannot be taken in", film["walk_id"], exc_info=problem)
    return f"{film['walk_id']}: it cannot be taken in ({type(problem).__name__})."


def take_back(
    storage: Storage, database: str, rows: Collection[Row], folders: Folders
) -> tuple[list[str], list[str]]:
    """Hang films again whose files were found; changes `rows` to what they are then.

    A film may have been lost and made again under another name, or been given up by an earlier
    repair, and its file is back. Returns the numbers of these films, and sentences about those
    that cannot be read.
    """
    taken_back, damaged = [], []
    for row in rows:
        files = folders.get(row.id, {})
        if _has_arrived(row, files):
            with writing(database) as session:
                queue.mark_stored(session=session, walk_id=row.id)
            row.waiting = False
            taken_back.append(row.accession)
        if not _is_found(row, files):
            continue
        film = try_action(row.accession, _read_found, storage, row, files)
        if isinstance(film, str):
            damaged.append(film)
        if film is None or isinstance(film, str):
            continue
        with writing(database) as session:
            if row_repair.take_back(session=session, walk_id=row.id, state=row.state, **film):
                taken_back.append(row.accession)
                row.state = State.DONE
                row.files = film["result"].get("files", row.files)
                row.bytes = film["result"].get("bytes", row.bytes)
    return taken_back, damaged


def hang_webps(database: str, rows: Collection[Row], folders: Folders) -> None:
    """Play films as WebP that are stored with one, which the history does not know.

    It may have been taken in by an earlier version of this program. Changes `rows`.
    """
    for row in rows:
        files = folders.get(row.id, {})
        if not row.hangs or "webp" in row.files or row.gif not in {f.key for f in files.values()}:
            continue
        if found := find_webp(files, row.gif):
            with writing(database) as session:
                row_repair.set_file(session=session, walk_id=row.id, kind="webp", key=found["webp"])
            row.files = row.files | found


def _has_arrived(row: Row, files: Mapping[str, StoredFile]) -> bool:
    """Whether a film is in the storage that waits for it in the history, as in an old backup.

    What else is missing may be on its way, or lost with its outbox: it is made anew then.
    """
    sizes = {stored.key: stored.size for stored in files.values()}
    return row.state is State.DONE and row.waiting and sizes.get(row.gif) == row.bytes


def _is_found(row: Row, files: Mapping[str, StoredFile]) -> bool:
    """Whether a walk has no film in the history, but has one in the storage."""
    if not has_film(files) or row.state is State.RUNNING:
        return False
    if row.state is State.DONE:
        return row.hangs and row.gif not in {stored.key for stored in files.values()}
    # A walk that was called off, or is in the queue, is left alone unless it had a film before.
    # Without one, it may have been made after the backup that the history was restored from.
    return row.sha256 != "" or (row.state in (State.QUEUED, State.FAILED) and RECORD in files)


def _read_found(
    storage: Storage, row: Row, files: Mapping[str, StoredFile]
) -> dict[str, Any] | None:
    """Return the film's date, and columns of its result that the row lacks.

    None if the walk is in the queue, had no film, and what is stored is not its whole film.
    """
    is_new = row.state is State.QUEUED and row.sha256 == ""
    if is_new and find_result(storage, row.id, row.digest) is None:
        return None
    for stored in files.values():
        if stored.key == row.gif and stored.size == row.bytes:
            return {"finished_at": upload_time(stored), "result": {}}
    try:
        film = read_film(storage, row.id, files)
        names = film["result"].keys()
    except DamagedFilm:
        if row.sha256 == "":
            raise
        film = read_film_without_record(storage, row.id, files)
        names = {"files", "bytes", "sha256"}
        if RECORD in files:
            film["result"]["files"]["json"] = files[RECORD].key
    result = {name: film["result"][name] for name in names}
    return {"finished_at": film["finished_at"], "result": result}
