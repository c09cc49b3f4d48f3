"""Reads the films in a storage: what their records, or the GIFs themselves, say of them.

Records and films may come from other programs or be damaged: sizes are checked before anything
is read, and values against their bounds.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from pydantic import AwareDatetime, BaseModel, ValidationError

from db import curation
from momalisa.errors import BadInput
from momalisa.film.foreign_gif import describe_gif
from momalisa.result import Result
from momalisa.spec import WalkSpec
from momalisa.storage import Storage, StoredFile, film_key
from momalisa.storage.outbox import RECORD

RECORD_BYTES, FILM_BYTES = 2_000_000, 500_000_000
"""Size limits of a record and of a film."""


class DamagedFilm(Exception):
    """A stored film cannot be read; the message is a sentence about it."""


class _Record(BaseModel):
    """The content of a `walk.json`."""

    finished_at: AwareDatetime
    title: str
    result: Result
    spec: dict[str, Any] | None = None
    accession: str = ""
    created_at: AwareDatetime | None = None
    parent: str | None = None


def read_film(storage: Storage, walk_id: str, files: Mapping[str, StoredFile]) -> dict[str, Any]:
    """Read a walk's files (by name) into the arguments of `walks.adopt`.

    Stores a poster if the film has neither record nor poster. Raises DamagedFilm or StorageError.
    """
    if RECORD in files:
        return {"walk_id": walk_id, **_read_record(storage, files)}
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
    stored = by_key.get(record.result.files.get("gif", ""))
    if stored is None:
        raise DamagedFilm(f"{RECORD} names a film that is not there.")
    if stored.size != record.result.bytes:
        raise DamagedFilm(f"its film has {stored.size:,} bytes, not {record.result.bytes:,}.")
    existing = {kind: key for kind, key in record.result.files.items() if key in by_key}
    return {
        **_describe(record.spec, record.title),
        **record.model_dump(include={"finished_at", "created_at", "accession", "parent"}),
        "result": {**record.result.model_dump(), "files": existing},
    }


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}" if where else problem["msg"]


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
    try:
        found = describe_gif(data)
    except BadInput as problem:
        raise DamagedFilm(f"{gif.key} cannot be read as a GIF. {problem}") from problem
    poster = film_key(walk_id, "poster.webp")
    if "poster.webp" not in files:
        storage.put(poster, found.poster, "image/webp")
    sha256 = hashlib.sha256(data).hexdigest()
    paths = {"gif": gif.key, "poster": poster}
    result = Result(files=paths, bytes=len(data), sha256=sha256, frames=found.frames)
    return {
        **_describe(_decode_comment(found.comment), PurePosixPath(gif.key).stem.replace("_", " ")),
        "finished_at": gif.updated,
        "result": result.model_dump(),
    }


def _decode_comment(comment: str) -> object:
    """The JSON in a GIF's comment; None if there is none."""
    try:
        return json.loads(comment)
    except (ValueError, RecursionError):
        return None
