"""Reads the films in a storage: what their records, or the GIFs themselves, say of them.

Records and films may come from other programs or be damaged: sizes are checked before anything
is read, and values against their bounds.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field, ValidationError

from db import curation
from db.text import clean_line
from momalisa.errors import BadInput
from momalisa.film.foreign_gif import ForeignGif, describe_gif
from momalisa.result import Result
from momalisa.spec import WalkSpec
from momalisa.storage import Storage, StoredFile, film_key
from momalisa.storage.outbox import RECORD

RECORD_BYTES, FILM_BYTES = 2_000_000, 500_000_000
"""Size limits of a record and of a film."""


FIRST_MOMENT, LAST_MOMENT = (datetime(year, 1, 1, tzinfo=UTC) for year in (2000, 2100))
"""Times of films are between these."""
TITLE_LENGTH, ACCESSION_LENGTH, ID_LENGTH = 20_000, 32, 128
"""Most characters. A title of a walk names all its prompts; the history keeps the first 500."""
SUFFIXES = {"gif": ".gif", "poster": ".webp", "json": ".json"}
"""The files that a film may have in the history, by kind."""


class DamagedFilm(Exception):
    """A stored film cannot be read; the message is a sentence about it."""


def _check_moment(moment: datetime) -> datetime:
    """Convert to UTC. Raises ValueError for a time that no film can have."""
    try:
        utc = moment.astimezone(UTC)
    except OverflowError:
        utc = LAST_MOMENT
    if not FIRST_MOMENT <= utc < LAST_MOMENT:
        raise ValueError(f"the year is not from {FIRST_MOMENT.year} to {LAST_MOMENT.year - 1}")
    return utc


Moment = Annotated[AwareDatetime, AfterValidator(_check_moment)]


class _Record(BaseModel):
    """The content of a `walk.json`. Every field has bounds that the history can hold."""

    finished_at: Moment
    title: Annotated[str, Field(max_length=TITLE_LENGTH)]
    result: Result
    spec: dict[str, Any] | None = None
    accession: Annotated[str, Field(max_length=ACCESSION_LENGTH)] = ""
    created_at: Moment | None = None
    parent: Annotated[str | None, Field(max_length=ID_LENGTH)] = None


def read_film(storage: Storage, walk_id: str, files: Mapping[str, StoredFile]) -> dict[str, Any]:
    """Read a walk's files (by name) into the arguments of `walks.adopt`.

    Stores a poster if the film has neither record nor poster. Raises DamagedFilm or StorageError.
    """
    if RECORD in files:
        return {"walk_id": walk_id, **_read_record(storage, files)}
    return read_film_without_record(storage, walk_id, files)


def read_film_without_record(
    storage: Storage, walk_id: str, files: Mapping[str, StoredFile]
) -> dict[str, Any]:
    """Read a walk's newest GIF, as `read_film` does, whatever its record says."""
    gifs = [stored for name, stored in files.items() if name.endswith(".gif")]
    if not gifs:
        raise DamagedFilm(f"there is no film among {', '.join(sorted(files))}.")
    return {"walk_id": walk_id, **_read_gif(storage, walk_id, files, max(gifs, key=_by_age))}


def _by_age(stored: StoredFile) -> tuple[datetime, str]:
    return stored.updated, stored.key


def _read_record(storage: Storage, files: Mapping[str, StoredFile]) -> dict[str, Any]:
    """Read a film's record, and check that the film is there."""
    if files[RECORD].size > RECORD_BYTES:
        raise DamagedFilm(f"{RECORD} is far too large to be a film's record.")
    try:
        record = _Record.model_validate_json(storage.get(files[RECORD].key))
    except ValidationError as error:
        raise DamagedFilm(f"{RECORD} cannot be read: {_first_problem(error)}.") from None
    by_key = {stored.key: stored for stored in files.values()}
    existing = {
        kind: key
        for kind, key in record.result.files.items()
        if key in by_key and kind in SUFFIXES and key.endswith(SUFFIXES[kind])
    }
    if "gif" not in existing:
        raise DamagedFilm(f"{RECORD} names a film that is not there.")
    size = by_key[existing["gif"]].size
    if size != record.result.bytes:
        raise DamagedFilm(f"its film has {size:,} bytes, not {record.result.bytes:,}.")
    return {
        **_describe(record.spec, record.title),
        **record.model_dump(include={"finished_at", "created_at", "accession", "parent"}),
        "result": {**record.result.model_dump(), "files": existing},
    }


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    # Both may hold text of the record.
    return clean_line(f"{where}: {problem['msg']}" if where else problem["msg"], 300)


def _describe(spec: object, title: str) -> dict[str, Any]:
    """Return spec, digest and title; only the title if the spec is missing or unsupported."""
    try:
        walk = WalkSpec.from_stored(spec)
    except ValidationError:
        return {"title": curation.clean_title(title) or "Untitled"}
    return {"spec": walk.model_dump(mode="json"), "digest": walk.digest(), "title": walk.title()}


def _read_gif(
    storage: Storage, walk_id: str, files: Mapping[str, StoredFile], gif: StoredFile
) -> dict[str, Any]:
    """Read a film without a record, which another program stored; store its poster."""
    if gif.size > FILM_BYTES:
        raise DamagedFilm(f"{gif.key} is far too large to be a film.")
    data = storage.get(gif.key)
    found = _inspect_gif(gif.key, data)
    poster = film_key(walk_id, "poster.webp")
    if "poster.webp" not in files:
        storage.put(poster, found.poster, "image/webp")
    sha256 = hashlib.sha256(data).hexdigest()
    paths = {"gif": gif.key, "poster": poster}
    result = Result(files=paths, bytes=len(data), sha256=sha256, frames=found.frames)
    return {
        **_describe(_decode_comment(found.comment), PurePosixPath(gif.key).stem.replace("_", " ")),
        "finished_at": upload_time(gif),
        "result": result.model_dump(),
    }


def upload_time(stored: StoredFile) -> datetime:
    """When a file was stored; now, if its time cannot be right."""
    usual = FIRST_MOMENT <= stored.updated < LAST_MOMENT
    return stored.updated if usual else datetime.now(UTC)


def make_poster(storage: Storage, gif: str) -> bytes:
    """Make a poster from the stored film of this key. Raises DamagedFilm or StorageError."""
    return _inspect_gif(gif, storage.get(gif)).poster


def _inspect_gif(key: str, data: bytes) -> ForeignGif:
    try:
        return describe_gif(data)
    except BadInput as problem:
        raise DamagedFilm(f"{key} cannot be read as a GIF. {problem}") from problem


def _decode_comment(comment: str) -> object:
    """The JSON in a GIF's comment; None if there is none."""
    try:
        return json.loads(comment)
    except (ValueError, RecursionError):
        return None
