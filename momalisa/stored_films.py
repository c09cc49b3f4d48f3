"""Reads the films in a storage: what their records, or the GIFs themselves, say of them.

Records and films may come from other programs or be damaged: sizes are checked before anything
is read, and values against their bounds.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

from pydantic import ValidationError

from db import curation
from db.text import clean_line
from momalisa.errors import BadInput
from momalisa.film.embedded_text import RECORD_BYTES
from momalisa.film.foreign_gif import ForeignGif, describe_gif
from momalisa.records import LAST_MOMENT, Record
from momalisa.result import Result
from momalisa.spec import STOPS, WalkSpec
from momalisa.storage import FILMS_FOLDER, Storage, StoredFile, film_key, webp_name
from momalisa.storage.outbox import RECORD
from momalisa.storage.webp_files import find_cut_short, store_webp

FILM_BYTES = 500_000_000
"""Size limit of a film."""
FIRST_UPLOAD = datetime(2000, 1, 1, tzinfo=UTC)
"""Files that seem older lack their time."""
SUFFIXES = {"gif": ".gif", "poster": ".webp", "json": ".json"}
SUFFIXES |= {f"stop-{number}": ".webp" for number in range(1, STOPS[1] + 1)}
"""The files of a film that its record names, by kind. Its WebP is found by the GIF's name."""


class DamagedFilm(Exception):
    """A stored film cannot be read; the message is a sentence about it."""


def read_film(storage: Storage, walk_id: str, files: Mapping[str, StoredFile]) -> dict[str, Any]:
    """Read a walk's files (by name) into the arguments of `adoption.adopt`.

    Stores a poster if the film has neither record nor poster. Raises DamagedFilm or StorageError.
    """
    if RECORD in files:
        return {"walk_id": walk_id, **_read_record(storage, files)}
    return read_film_without_record(storage, walk_id, files)


def find_result(storage: Storage, walk_id: str, digest: str) -> Result | None:
    """The result of a walk whose film, poster and record are all stored; None if any is not.

    A film without its WebP is whole: its GIF is played. `digest` is the spec's: a film of another
    spec does not count. Raises StorageError.
    """
    files = {
        PurePosixPath(stored.key).name: stored
        for stored in storage.list(f"{FILMS_FOLDER}/{walk_id}/")
    }
    if RECORD not in files:
        return None
    files = leave_out(find_damaged_pictures(storage, files.values()), files)
    try:
        film = _read_record(storage, files)
    except DamagedFilm:
        return None
    result = Result.model_validate(film["result"])
    if film.get("digest") != digest:
        return None
    stops = WalkSpec.from_stored(film["spec"]).pictures.values()
    return result if {"gif", "poster", "json", *stops} <= result.files.keys() else None


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
    record = read_record(storage, files[RECORD])
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
        **record.model_dump(exclude={"spec", "title", "result"}),
        "edit_times": record.list_edit_times(),
        "record_stored_at": files[RECORD].updated,
        "result": {
            **record.result.model_dump(),
            "files": existing | find_webp(files, existing["gif"]),
        },
    }


def find_webp(files: Mapping[str, StoredFile], gif: str) -> dict[str, str]:
    """The WebP that belongs to a GIF (a key), by kind; empty if it is not among the files."""
    name = webp_name(PurePosixPath(gif).name)
    return {"webp": files[name].key} if name in files else {}


def find_damaged_pictures(storage: Storage, files: Iterable[StoredFile]) -> set[str]:
    """The keys of the films' WebPs and posters that are cut short. Raises StorageError.

    The pictures of stops are left out: nothing can make them anew.
    """
    pictures = (
        stored
        for stored in files
        if stored.key.endswith(".webp") and not PurePosixPath(stored.key).name.startswith("stop-")
    )
    return find_cut_short(storage, pictures)


def leave_out(keys: Collection[str], files: Mapping[str, StoredFile]) -> dict[str, StoredFile]:
    """A film's files but those of these keys."""
    return {name: stored for name, stored in files.items() if stored.key not in keys}


def read_record(storage: Storage, stored: StoredFile) -> Record:
    """Read a record. Raises DamagedFilm or StorageError."""
    if stored.size > RECORD_BYTES:
        raise DamagedFilm(f"{RECORD} is far too large to be a film's record.")
    try:
        return Record.model_validate_json(storage.get(stored.key))
    except ValidationError as error:
        raise DamagedFilm(f"{RECORD} cannot be read: {_first_problem(error)}.") from None


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
    own = walk.title()
    written = curation.clean_title(title)
    # The record's, unless it is the walk's own title, which may be longer than what is written.
    title = written if written != curation.clean_title(own) and written else own
    return {"spec": walk.model_dump(mode="json"), "digest": walk.digest(), "title": title}


def _describe_gif(spec: object, stem: str) -> dict[str, Any]:
    """Describe a film by the spec in it; only one without a spec is called by its file's name."""
    described = _describe(spec, "")
    return described if "spec" in described else _describe(None, stem.replace("_", " "))


def _read_gif(
    storage: Storage, walk_id: str, files: Mapping[str, StoredFile], gif: StoredFile
) -> dict[str, Any]:
    """Read a film without a record, which another program stored; store its poster."""
    data = _get_film(storage, gif.key, gif.size)
    found = _inspect_gif(gif.key, data)
    poster = film_key(walk_id, "poster.webp")
    if "poster.webp" not in files:
        store_webp(storage, poster, found.poster)
    sha256 = hashlib.sha256(data).hexdigest()
    paths = {"gif": gif.key, "poster": poster, **find_webp(files, gif.key)}
    result = Result(files=paths, bytes=len(data), sha256=sha256, frames=found.frames)
    return {
        **_describe_gif(_decode_comment(found.comment), PurePosixPath(gif.key).stem),
        "finished_at": upload_time(gif),
        "result": result.model_dump(),
    }


def upload_time(stored: StoredFile) -> datetime:
    """When a file was stored; now, if its time cannot be right."""
    usual = FIRST_UPLOAD <= stored.updated < LAST_MOMENT
    return stored.updated if usual else datetime.now(UTC)


def make_poster(storage: Storage, gif: str) -> bytes:
    """Make a poster from the stored film of this key. Raises DamagedFilm or StorageError."""
    size = next((stored.size for stored in storage.list(gif) if stored.key == gif), 0)
    return _inspect_gif(gif, _get_film(storage, gif, size)).poster


def _get_film(storage: Storage, key: str, size: int) -> bytes:
    """Read a film of this size. Raises DamagedFilm or StorageError."""
    if size > FILM_BYTES:
        raise DamagedFilm(f"{key} is far too large to be a film.")
    return storage.get(key)


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
