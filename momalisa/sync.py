"""Reconciles the database with the storage: adds missing rows, reports all other differences.

A film's row may be missing (a lost database, a film of another program), and so may a row's
files. Sync adds rows; it changes existing rows only to repair them, and deletes nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db import deletions, queue, walks
from db.models import State, Walk
from db.session import reading, writing
from momalisa.deletion import take_over_removals
from momalisa.errors import BadInput, StorageError
from momalisa.storage import FILMS_FOLDER, Storage, StoredFile, check_key, film_key
from momalisa.storage.outbox import RECORD, Outbox
from momalisa.stored_films import DamagedFilm, read_film

AT_ONCE = 8
"""Concurrent requests: the client library keeps ten connections."""
BATCH = 200
"""Films added by one transaction; a run that is interrupted keeps the earlier ones."""
ID_LENGTH = 128

_Folders = dict[str, dict[str, StoredFile]]


@dataclass
class Report:
    """Findings and changes: walk ids, accession numbers, keys and sentences."""

    files: int = 0
    films: int = 0
    taken_in: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    without_files: list[str] = field(default_factory=list)
    without_row: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)

    @property
    def agree(self) -> bool:
        """Whether nothing needs a person's attention."""
        return not (self.damaged or self.without_files or self.without_row)

    def sentences(self) -> Iterator[str]:
        """The report in sentences."""
        yield f"{self.films:,} films ({self.files:,} files) are in the storage."
        yield f"{len(self.taken_in):,} of them were new to the history and hang there now."
        for what, found in (
            ("Of deleted walks, and deleted again soon", self.deleted),
            ("Waiting for the storage", self.waiting),
            ("In the history, but without their files (--repair makes them again)",
             self.without_files),
            ("In the storage, but of no film in the history", self.without_row),
            ("Damaged", self.damaged),
            ("Repaired", self.repaired),
        ):  # fmt: skip
            if found:
                yield f"{what}: {len(found):,}"
                yield from (f"  {one}" for one in found)


class _Row(BaseModel):
    """The columns of a walk that concern its files."""

    id: str
    accession: str
    state: State
    waiting: bool
    files: dict[str, str]
    bytes: int
    repeatable: bool


def sync(
    storage: Storage,
    database: str,
    outbox: Outbox,
    *,
    repair: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Add rows for stored films that have none, and report all other differences.

    With `repair`, walks without their files are queued again, and films that have reached the
    storage are no longer marked as waiting. Calls `on_progress` with the numbers of new films that
    were read and that were found. Raises StorageError if the storage cannot be read, or if it is
    empty and a repair is requested.
    """
    # Rows before files: otherwise a film finished in between would seem to lack its files.
    with reading(database) as session:
        rows = _read_rows(session)
    report = Report()
    folders = _list_folders(storage, report)
    take_over_removals(outbox, database)
    new = _select_new(folders, database, report)
    _add_films(storage, database, new, report, on_progress)
    in_outbox = set(outbox.walk_ids())
    problems = [row for row in rows if _compare(row, folders.get(row.id, {}), in_outbox, report)]
    if repair and problems:
        if not folders:
            raise StorageError(
                f"The storage is empty, but the history knows {len(problems):,} films. "
                "Nothing was changed. Please check MOMALISA_STORE, or bring the disk back."
            )
        _repair(storage, database, problems, report)
    return report


def _read_rows(session: Session) -> list[_Row]:
    columns = (Walk.id, Walk.accession, Walk.state, Walk.waiting, Walk.files, Walk.bytes)
    repeatable = (Walk.digest != "").label("repeatable")
    rows = session.execute(select(*columns, repeatable)).mappings()
    return [_Row.model_construct(**row) for row in rows]


def _list_folders(storage: Storage, report: Report) -> _Folders:
    """Return the stored files by walk and name; report files outside of a walk's folder."""
    folders: _Folders = defaultdict(dict)
    for stored in storage.list(f"{FILMS_FOLDER}/"):
        report.files += 1
        _, walk_id, *name = stored.key.split("/")
        if len(name) == 1 and 0 < len(walk_id) <= ID_LENGTH and _is_key(stored.key):
            folders[walk_id][name[0]] = stored
        elif not stored.key.endswith("/"):  # the Google Cloud console's placeholder of a folder
            report.without_row.append(ascii(stored.key))
    report.films = len(folders)
    return dict(folders)


def _is_key(key: str) -> bool:
    try:
        check_key(key)
    except BadInput:
        return False
    return True


def _select_new(folders: _Folders, database: str, report: Report) -> _Folders:
    """Return the folders without a row, the oldest first, so that a remix follows its parent.

    Those of deleted walks are left out: a stalled worker brought them, and a courier deletes them.
    """
    with writing(database) as session:
        existing_ids = walks.find_existing_ids(session=session, ids=folders)
        unknown_ids = folders.keys() - existing_ids
        deleted_ids = deletions.find_deleted_ids(session=session, ids=unknown_ids)
        for walk_id in deleted_ids:
            deletions.reopen(session=session, walk_id=walk_id)
    report.deleted += sorted(deleted_ids)
    new = {walk_id: folders[walk_id] for walk_id in unknown_ids - deleted_ids}
    return dict(sorted(new.items(), key=lambda item: min(s.updated for s in item[1].values())))


def _add_films(
    storage: Storage,
    database: str,
    new: _Folders,
    report: Report,
    on_progress: Callable[[int, int], None],
) -> None:
    def read(item: tuple[str, dict[str, StoredFile]]) -> dict[str, Any] | str:
        """Return a film's fields, or a sentence about what is wrong with it."""
        walk_id, files = item
        try:
            return read_film(storage, walk_id, files)
        except (DamagedFilm, StorageError) as error:
            return f"{walk_id}: {error}"

    items = list(new.items())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, len(items), BATCH):
            films = list(pool.map(read, items[start : start + BATCH]))
            with writing(database) as session:
                for film in films:
                    if isinstance(film, str):
                        report.damaged.append(film)
                    elif walks.adopt(session=session, **film):
                        report.taken_in.append(film["walk_id"])
            on_progress(min(start + BATCH, len(items)), len(items))


def _compare(
    row: _Row, files: Mapping[str, StoredFile], in_outbox: set[str], report: Report
) -> bool:
    """Report how a row and its files differ; return whether a repair could help."""
    if not row.state.is_final:
        return False
    sizes = {stored.key: stored.size for stored in files.values()}
    expected = set(row.files.values()) if row.state is State.DONE else set()
    if row.state is State.DONE and not expected <= sizes.keys():
        if not row.waiting:
            report.without_files.append(row.accession)
        else:
            elsewhere = "" if row.id in in_outbox else " (on another machine)"
            report.waiting.append(f"{row.accession}{elsewhere}")
        return not row.waiting
    if row.state is State.DONE and sizes.get(row.files.get("gif", ""), row.bytes) != row.bytes:
        report.damaged.append(f"{row.accession}: its film is not as long as it was when stored.")
    report.without_row += sorted(sizes.keys() - expected)
    return row.waiting


def _repair(storage: Storage, database: str, rows: list[_Row], report: Report) -> None:
    """Queue walks without files again; mark films that have reached the storage as stored."""
    for row in rows:
        if not row.waiting and not storage.exists(row.files.get("gif", "")):
            # The next film may have another digest, hence another name, and needs a new record.
            storage.delete(film_key(row.id, RECORD))
        with writing(database) as session:
            if row.waiting:
                done = queue.mark_stored(session=session, walk_id=row.id)
            else:
                done = _queue_again(session, row)
        if done:
            report.repaired.append(row.accession)
    report.without_files = [one for one in report.without_files if one not in report.repaired]


def _queue_again(session: Session, row: _Row) -> bool:
    """Queue a walk again, or fail it if another program made its film; False if not done."""
    lost = "Its film is not in the storage any more, and another program made it."
    values: dict[str, Any] = {"state": State.FAILED, "error": lost}
    if row.repeatable:
        values = {
            "state": State.QUEUED,
            "deaths": 0,
            "finished_at": None,
            "progress": [],
            "cancel_requested": False,
        }
    changed_id = session.scalar(
        update(Walk)
        .where(Walk.id == row.id, Walk.state == State.DONE)
        .values(**values, files={})
        .returning(Walk.id)
        .execution_options(synchronize_session=False)
    )
    return changed_id is not None
