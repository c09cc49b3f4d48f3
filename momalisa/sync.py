"""The history and the storage brought to agree: films taken in, and what is amiss reported.

A film's row may be missing (a lost database, a film that another program made), and so may a
row's file. Sync adds the rows; rows that are there it changes only when asked to repair. It
never deletes.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from io import BytesIO
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from PIL import Image
from pydantic import AwareDatetime, BaseModel, ValidationError
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db import curation, queue, walks
from db.models import State, Walk
from db.session import reading, writing
from momalisa.engine.frame_cache import Frame
from momalisa.errors import BadInput, StorageError
from momalisa.film.encode import encode_poster
from momalisa.result import Result
from momalisa.spec import WalkSpec
from momalisa.storage import FILMS_FOLDER, Storage, StoredFile, check_key, film_key
from momalisa.storage.outbox import RECORD, Outbox

RECORD_BYTES, FILM_BYTES = 2_000_000, 500_000_000
"""What is larger is no record, and no film, of anybody's."""
AT_ONCE = 8
"""Requests on their way at a time: the client library keeps ten connections."""
BATCH = 200
"""Films taken in by one transaction; a run that is ended keeps what came before."""
ID_LENGTH = 128

_Folders = dict[str, dict[str, StoredFile]]


@dataclass
class Report:
    """What sync found and did: walk ids, accession numbers, keys and sentences."""

    files: int = 0
    films: int = 0
    taken_in: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    without_files: list[str] = field(default_factory=list)
    without_row: list[str] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)

    @property
    def agree(self) -> bool:
        """Whether nothing is left that a person should look at."""
        return not (self.damaged or self.without_files or self.without_row)

    def sentences(self) -> Iterator[str]:
        """The report as a person reads it."""
        yield f"{self.films:,} films ({self.files:,} files) are in the storage."
        yield f"{len(self.taken_in):,} of them were new to the history and hang there now."
        for what, found in (
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


class _Record(BaseModel):
    """A `walk.json`."""

    finished_at: AwareDatetime
    title: str
    result: Result
    spec: dict[str, Any] | None = None
    accession: str = ""
    created_at: AwareDatetime | None = None
    parent: str | None = None


class _Row(BaseModel):
    """A walk, as far as its files are concerned."""

    id: str
    accession: str
    state: State
    waiting: bool
    files: dict[str, str]
    bytes: int
    repeatable: bool


class _Damaged(Exception):
    """What is wrong with a film, in a sentence."""


def sync(
    storage: Storage,
    database: str,
    outbox: Outbox,
    *,
    repair: bool = False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Take in what the history does not know, and report what is amiss.

    With `repair`, walks that lost their files are queued again, and films that have reached the
    storage wait no more. `on_progress` is told how many new films were looked at, and of how
    many. Raises StorageError when the storage cannot be read, or when a repair is asked for while
    it is empty.
    """
    # Rows before files: a film that is finished meanwhile cannot seem to lack its files.
    with reading(database) as session:
        rows = _rows(session)
    report = Report()
    folders = _folders(storage, report)
    strangers = _strangers(folders, database, outbox)
    _take_in(storage, database, strangers, report, on_progress)
    here = set(outbox.walk_ids())
    problems = [row for row in rows if _check(row, folders.get(row.id, {}), here, report)]
    if repair and problems:
        if not folders:
            raise StorageError(
                f"The storage is empty, but the history knows {len(problems):,} films. "
                "Nothing was changed. Please check MOMALISA_STORE, or bring the disk back."
            )
        _repair(storage, database, problems, report)
    return report


def _rows(session: Session) -> list[_Row]:
    columns = (Walk.id, Walk.accession, Walk.state, Walk.waiting, Walk.files, Walk.bytes)
    repeatable = (Walk.digest != "").label("repeatable")
    found = session.execute(select(*columns, repeatable)).mappings()
    return [_Row.model_construct(**row) for row in found]


def _folders(storage: Storage, report: Report) -> _Folders:
    """The stored files by walk and name; those of no walk's folder are reported."""
    folders: _Folders = defaultdict(dict)
    for stored in storage.list(f"{FILMS_FOLDER}/"):
        report.files += 1
        _, walk_id, *name = stored.key.split("/")
        if len(name) == 1 and 0 < len(walk_id) <= ID_LENGTH and _is_key(stored.key):
            folders[walk_id][name[0]] = stored
        elif not stored.key.endswith("/"):  # Google's own console marks its folders so
            report.without_row.append(ascii(stored.key))
    report.films = len(folders)
    return dict(folders)


def _is_key(key: str) -> bool:
    try:
        check_key(key)
    except BadInput:
        return False
    return True


def _strangers(folders: _Folders, database: str, outbox: Outbox) -> _Folders:
    """The folders of no walk, the oldest first: a walk comes after the one it was remixed from.

    Those that are being deleted are none.
    """
    with reading(database) as session:
        known = walks.find_existing_ids(session=session, ids=folders) | outbox.removals()
    new = {walk_id: files for walk_id, files in folders.items() if walk_id not in known}
    return dict(sorted(new.items(), key=lambda item: min(s.updated for s in item[1].values())))


def _take_in(
    storage: Storage,
    database: str,
    strangers: _Folders,
    report: Report,
    on_progress: Callable[[int, int], None],
) -> None:
    def read(item: tuple[str, dict[str, StoredFile]]) -> dict[str, Any] | str:
        walk_id, files = item
        try:
            return _film(storage, walk_id, files)
        except (_Damaged, StorageError) as error:
            return f"{walk_id}: {error}"

    items = list(strangers.items())
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, len(items), BATCH):
            found = list(pool.map(read, items[start : start + BATCH]))
            with writing(database) as session:
                for one in found:
                    if isinstance(one, str):
                        report.damaged.append(one)
                    elif walks.adopt(session=session, **one):
                        report.taken_in.append(one["walk_id"])
            on_progress(min(start + BATCH, len(items)), len(items))


def _film(storage: Storage, walk_id: str, files: Mapping[str, StoredFile]) -> dict[str, Any]:
    """What `walks.adopt` is told of a stored film. Raises _Damaged or StorageError."""
    if RECORD in files:
        return {"walk_id": walk_id, **_recorded(storage, files)}
    gifs = [stored for name, stored in files.items() if name.endswith(".gif")]
    if not gifs:
        raise _Damaged(f"there is no film among {', '.join(sorted(files))}.")
    return {"walk_id": walk_id, **_foreign(storage, walk_id, files, max(gifs, key=_age))}


def _age(stored: StoredFile) -> tuple[datetime, str]:
    return stored.updated, stored.key


def _recorded(storage: Storage, files: Mapping[str, StoredFile]) -> dict[str, Any]:
    """A film as its record describes it."""
    if files[RECORD].size > RECORD_BYTES:
        raise _Damaged(f"{RECORD} is far too large to be a film's record.")
    try:
        record = _Record.model_validate_json(storage.get(files[RECORD].key))
    except ValidationError as error:
        raise _Damaged(f"{RECORD} cannot be read: {_first(error)}.") from None
    named = {stored.key: stored for stored in files.values()}
    stored = named.get(record.result.files.get("gif", ""))
    if stored is None:
        raise _Damaged(f"{RECORD} names a film that is not there.")
    if stored.size != record.result.bytes:
        raise _Damaged(f"its film has {stored.size:,} bytes, not {record.result.bytes:,}.")
    kept = {kind: key for kind, key in record.result.files.items() if key in named}
    return {
        **_described(record.spec, record.title),
        **record.model_dump(include={"finished_at", "created_at", "accession", "parent"}),
        "result": {**record.result.model_dump(), "files": kept},
    }


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}" if where else problem["msg"]


def _described(spec: object, title: str) -> dict[str, Any]:
    """Spec, digest and title; of a spec of another version, or none, only a title is left."""
    try:
        walk = WalkSpec.from_stored(spec)
    except ValidationError:
        return {"title": curation.clean_title(title) or "Untitled"}
    return {"spec": walk.model_dump(mode="json"), "digest": walk.digest(), "title": walk.title()}


def _foreign(
    storage: Storage, walk_id: str, files: Mapping[str, StoredFile], gif: StoredFile
) -> dict[str, Any]:
    """A film that another program stored, without a record. It gets a poster."""
    if gif.size > FILM_BYTES:
        raise _Damaged(f"{gif.key} is far too large to be a film.")
    data = storage.get(gif.key)
    frames, first, comment = _looked_through(gif.key, data)
    poster = film_key(walk_id, "poster.webp")
    if "poster.webp" not in files:
        storage.put(poster, encode_poster(first), "image/webp")
    sha256 = hashlib.sha256(data).hexdigest()
    paths = {"gif": gif.key, "poster": poster}
    result = Result(files=paths, bytes=len(data), sha256=sha256, frames=frames)
    return {
        **_described(comment, PurePosixPath(gif.key).stem.replace("_", " ")),
        "finished_at": gif.updated,
        "result": result.model_dump(),
    }


def _looked_through(key: str, data: bytes) -> tuple[int, Frame, object]:
    """How many frames a GIF has, the first one, and the spec inside it, if there is one."""
    try:
        with Image.open(BytesIO(data), formats=["GIF"]) as image:
            frames = int(getattr(image, "n_frames", 1))
            first = np.asarray(image.convert("RGB"))
            comment = image.info.get("comment", b"")
            image.seek(frames - 1)
            image.load()
    except Exception as error:
        # Whatever a decoder raises at the sight of such bytes.
        raise _Damaged(f"{key} cannot be read as a GIF ({type(error).__name__}).") from error
    try:
        return frames, first, json.loads(comment)
    except (ValueError, RecursionError):
        return frames, first, None


def _check(row: _Row, files: Mapping[str, StoredFile], here: set[str], report: Report) -> bool:
    """Report what is wrong between a row and its files; whether a repair could help."""
    if not row.state.is_final:
        return False
    sizes = {stored.key: stored.size for stored in files.values()}
    named = set(row.files.values()) if row.state is State.DONE else set()
    if row.state is State.DONE and not named <= sizes.keys():
        if not row.waiting:
            report.without_files.append(row.accession)
        else:
            elsewhere = "" if row.id in here else " (on another machine)"
            report.waiting.append(f"{row.accession}{elsewhere}")
        return not row.waiting
    if row.state is State.DONE and sizes.get(row.files.get("gif", ""), row.bytes) != row.bytes:
        report.damaged.append(f"{row.accession}: its film is not as long as it was when stored.")
    report.without_row += sorted(sizes.keys() - named)
    return row.waiting


def _repair(storage: Storage, database: str, rows: list[_Row], report: Report) -> None:
    """Queue again what lost its files; tell the history of films that have arrived."""
    for row in rows:
        if not row.waiting and not storage.exists(row.files.get("gif", "")):
            # The film that comes may have other bytes, so another name: its record shall say it.
            storage.delete(film_key(row.id, RECORD))
        with writing(database) as session:
            if row.waiting:
                done = queue.mark_stored(session=session, walk_id=row.id)
            else:
                done = _again(session, row)
        if done:
            report.repaired.append(row.accession)
    report.without_files = [one for one in report.without_files if one not in report.repaired]


def _again(session: Session, row: _Row) -> bool:
    """Back to the queue; a film of another program cannot be made again, and its walk says so."""
    lost = "Its film is not in the storage any more, and another program made it."
    change: dict[str, Any] = {"state": State.FAILED, "error": lost}
    if row.repeatable:
        change = {
            "state": State.QUEUED,
            "deaths": 0,
            "finished_at": None,
            "progress": [],
            "cancel_requested": False,
        }
    changed = session.scalar(
        update(Walk)
        .where(Walk.id == row.id, Walk.state == State.DONE)
        .values(**change, files={})
        .returning(Walk.id)
        .execution_options(synchronize_session=False)
    )
    return changed is not None
