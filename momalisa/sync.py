"""Reconciles the database with the storage: adds missing rows, reports all other differences.

A film's row may be missing (a lost database, a film of another program), and so may a row's
files. Sync adds rows, and hangs films again whose files were found; it changes nothing else
unless it is asked for a repair, and deletes nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Set
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.models import State, Walk
from db.session import reading
from momalisa.deletion import take_over_removals
from momalisa.engine.frame_cache import FrameCache
from momalisa.errors import BadInput, StorageError
from momalisa.film_intake import (
    add_films,
    forget_deletions,
    hang_webps,
    mark_stale,
    reopen_deletions,
    select_new,
    take_back,
    take_in_changed_records,
    try_action,
)
from momalisa.records import ID_LENGTH
from momalisa.repair import (
    Folders,
    Repair,
    Row,
    Step,
    carry_out,
    count_missing,
    is_doubtful,
    plan_repair,
)
from momalisa.storage import FILMS_FOLDER, Storage, StoredFile, check_key
from momalisa.storage.outbox import Outbox
from momalisa.stored_films import find_damaged_pictures, leave_out


@dataclass
class Report:
    """Findings and changes: walk ids, accession numbers, keys and sentences."""

    files: int = 0
    films: int = 0
    doubt: str = ""
    """Why this may be the wrong storage."""
    taken_in: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)
    taken_back: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    without_files: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)
    cut_short: list[str] = field(default_factory=list)
    without_row: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    plan: list[str] = field(default_factory=list)
    queued: list[str] = field(default_factory=list)
    """Numbers of the walks that a repair has queued, so that their films are made again."""
    repaired: list[str] = field(default_factory=list)
    misnamed: list[str] = field(default_factory=list)

    @property
    def agree(self) -> bool:
        """Whether nothing needs a person's attention."""
        wrong = (
            self.damaged,
            self.without_files,
            self.incomplete,
            self.cut_short,
            self.without_row,
        )
        return not (self.doubt or self.misnamed or any(wrong))

    def sentences(self) -> Iterator[str]:
        """The report in sentences."""
        yield f"{self.films:,} films ({self.files:,} files) are in the storage."
        yield f"{len(self.taken_in):,} of them were new to the history and hang there now."
        if self.doubt:
            yield self.doubt
        for what, found in (
            ("Of deleted walks, and deleted again soon", self.deleted),
            ("Edited with another history, later than here", self.edited),
            ("Hang again, since their films were found", self.taken_back),
            ("Waiting for the storage", self.waiting),
            ("In the history, but without their films (--repair makes them again)",
             self.without_files),
            ("Without their poster, WebP or record (--repair makes these anew)", self.incomplete),
            ("With a poster or WebP that is cut short (--repair makes these anew)", self.cut_short),
            ("In the storage, but of no film in the history", self.without_row),
            ("Not taken in, since no address can have such names: rename the folders to letters, "
             "digits, - and _, and run sync again", self.misnamed),
            ("Damaged", self.damaged),
            ("The repair would be this; nothing of it is done without --repair --yes", self.plan),
            ("Queued to be made again", self.queued),
            ("Mended", self.repaired),
        ):  # fmt: skip
            if found:
                yield f"{what}: {len(found):,}"
                yield from (f"  {one}" for one in found)


def sync(
    storage: Storage,
    database: str,
    outbox: Outbox,
    *,
    repair: bool = False,
    yes: bool = False,
    only: Collection[str] = (),
    cache: FrameCache | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Add rows for stored films that have none, and report all other differences.

    With `repair`, the report has a plan of what could be repaired; with `yes` as well, that is
    done. `only` limits new films and repairs to these ids and accession numbers. `cache` has frames
    of which lost pictures are made. Calls `on_progress` with the numbers of new films that were
    read and that were found.

    Raises BadInput for a name of no film; StorageError if the storage cannot be read, or if a
    repair is requested and so many films are missing that it may be the wrong storage.
    """
    # Rows before files: otherwise a film finished in between would seem to lack its files.
    with reading(database) as session:
        rows = _read_rows(session)
    report = Report()
    folders = _list_folders(storage, report)
    _check_names(only, rows, folders)
    hanging, missing = count_missing(rows, folders)
    doubt = _doubt(hanging, missing, folders) if is_doubtful(hanging, missing) else ""
    if repair and not only and doubt:
        raise StorageError(f"{doubt} Nothing was changed.{_ADVICE}")
    folders, damaged = _leave_out_damaged(storage, folders)
    take_over_removals(outbox, database)
    _add_missing_rows(storage, database, folders, only, doubt, on_progress, report)
    _bring_up_to_date(storage, database, rows, folders, only if doubt else None, report)
    in_outbox = set(outbox.walk_ids())
    named = {row.id for row in rows if only and row.is_one_of(only)}
    may_wait = {row.id for row in rows} - (named - in_outbox)
    steps = [
        step
        for row in rows
        for step in _compare(row, folders, damaged, in_outbox, may_wait, report)
    ]
    if not doubt:  # else their records may be in the right storage
        mark_stale([step.row.id for step in steps if step.repair is Repair.RECORD], database)
    if repair:
        chosen = [step for step in steps if step.row.is_one_of(only)]
        _repair(chosen, storage, database, cache, yes, report)
    return report


def _add_missing_rows(
    storage: Storage,
    database: str,
    folders: Folders,
    only: Collection[str],
    doubt: str,
    on_progress: Callable[[int, int], None],
    report: Report,
) -> None:
    """Add rows for stored films that have none: those of `only`, or all if there is no doubt."""
    new, deleted = select_new(storage, folders, database)
    report.deleted = sorted(deleted)
    if only:
        new = {walk_id: files for walk_id, files in new.items() if walk_id in only}
    elif doubt:
        unknown = f" {len(new):,} unknown films were not taken in." if new else ""
        report.doubt = f"{doubt}{unknown}{_ADVICE}"
        new = {}
    else:
        reopen_deletions(storage, folders, deleted, database)
    forget_deletions(new, database)
    report.taken_in, report.damaged = add_films(storage, database, new, on_progress)


def _bring_up_to_date(
    storage: Storage,
    database: str,
    rows: Collection[Row],
    folders: Folders,
    trusted: Collection[str] | None,
    report: Report,
) -> None:
    """Take back films that were found, and take in later edits; of `trusted` films only, if set.

    Another gallery's store has other edits, and may have other films of the same ids.
    """
    if trusted is not None:
        rows = [row for row in rows if trusted and row.is_one_of(trusted)]
        folders = {row.id: folders[row.id] for row in rows if row.id in folders}
    report.taken_back, unreadable = take_back(storage, database, rows, folders)
    hang_webps(database, rows, folders)
    report.edited, without_record = take_in_changed_records(storage, database, rows, folders)
    report.damaged += [*unreadable, *without_record]


_ADVICE = (
    " Please check MOMALISA_STORE, or bring the disk back. If this is the right place, name the "
    "films that are meant: --only, and their numbers or ids."
)


def _doubt(hanging: int, missing: int, folders: Folders) -> str:
    """Say how many films are missing."""
    empty = "" if folders else "The storage is empty: "
    return (
        f"{empty}{missing:,} of the {hanging:,} films in the Gallery are not there, so this may "
        "be the wrong storage."
    )


def _check_names(only: Collection[str], rows: Collection[Row], folders: Folders) -> None:
    """Raise BadInput if one of the names is not of a film."""
    known = folders.keys() | {name for row in rows for name in (row.id, row.accession)}
    if unknown := sorted(set(only) - known):
        raise BadInput(
            f"There is no film {', '.join(unknown)}, neither in the history nor in the storage. "
            "Nothing was changed. Please name films by number or id, as the report does."
        )


def _read_rows(session: Session) -> list[Row]:
    columns = (Walk.id, Walk.accession, Walk.state, Walk.waiting, Walk.files, Walk.bytes)
    rows = session.execute(select(*columns, Walk.sha256, Walk.error, Walk.digest)).mappings()
    return [Row.model_construct(**row) for row in rows]


def _list_folders(storage: Storage, report: Report) -> Folders:
    """Return the stored files by walk and name; report files outside of a walk's folder."""
    folders: dict[str, dict[str, StoredFile]] = defaultdict(dict)
    for stored in storage.list(f"{FILMS_FOLDER}/"):
        report.files += 1
        _, walk_id, *name = stored.key.split("/")
        if len(name) == 1 and 0 < len(walk_id) <= ID_LENGTH and _is_key(stored.key):
            folders[walk_id][name[0]] = stored
        elif not stored.key.endswith("/"):  # the Google Cloud console's placeholder of a folder
            well_named = _is_key(stored.key) and len(walk_id) <= ID_LENGTH
            found = report.without_row if well_named else report.misnamed
            found.append(ascii(stored.key))
    report.films = len(folders)
    return dict(folders)


def _leave_out_damaged(storage: Storage, folders: Folders) -> tuple[Folders, set[str]]:
    """Return the folders without pictures that are cut short, and the keys of these."""
    files = (stored for folder in folders.values() for stored in folder.values())
    damaged = find_damaged_pictures(storage, files)
    left = {walk_id: leave_out(damaged, files) for walk_id, files in folders.items()}
    return {walk_id: files for walk_id, files in left.items() if files}, damaged


def _is_key(key: str) -> bool:
    try:
        check_key(key)
    except BadInput:
        return False
    return True


def _compare(
    row: Row,
    folders: Folders,
    damaged: Set[str],
    in_outbox: Collection[str],
    may_wait: Collection[str],
    report: Report,
) -> Iterator[Step]:
    """Report how a row and its files differ; yield what could be done about it."""
    sizes = {stored.key: stored.size for stored in folders.get(row.id, {}).values()}
    if row.state is not State.DONE:
        if row.state.is_final:
            report.without_row += sorted(sizes)
        return
    if row.waiting and row.gif not in sizes:
        advice = f"(on another machine; is that lost? --repair --yes --only {row.accession})"
        report.waiting.append(f"{row.accession}{'' if row.id in in_outbox else ' ' + advice}")
    elif row.gif not in sizes:
        report.without_files.append(row.accession)
    elif sizes[row.gif] != row.bytes:
        report.damaged.append(f"{row.accession}: its film is not as long as it was when stored.")
    elif not row.waiting and not damaged.isdisjoint({row.webp, *row.files.values()}):
        report.cut_short.append(row.accession)
    elif not row.waiting and not sizes.keys() >= set(row.files.values()):
        report.incomplete.append(row.accession)
    if row.gif in sizes:
        report.without_row += sorted(sizes.keys() - set(row.files.values()))
    yield from plan_repair(row, sizes, damaged, may_wait=row.id in may_wait)


def _repair(
    steps: Collection[Step],
    storage: Storage,
    database: str,
    cache: FrameCache | None,
    yes: bool,
    report: Report,
) -> None:
    """Put the steps into the report, or, with `yes`, do them."""
    report.plan = [step.sentence for step in steps if not (yes and step.changes_something)]
    if not yes:
        return
    for step in steps:
        name = step.row.accession
        done = try_action(name, carry_out, step, storage, database, cache)
        if isinstance(done, str):
            report.damaged.append(done)
        elif done and name not in (
            names := report.queued if step.repair is Repair.MAKE_AGAIN else report.repaired
        ):
            names.append(name)
    mended = {*report.queued, *report.repaired}
    report.without_files = [one for one in report.without_files if one not in mended]
    report.incomplete = [one for one in report.incomplete if one not in mended]
    report.cut_short = [one for one in report.cut_short if one not in mended]
    report.waiting = [one for one in report.waiting if one.partition(" ")[0] not in mended]
