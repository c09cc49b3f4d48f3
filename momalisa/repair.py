"""Plans and makes the repairs of films whose files were lost from the storage.

Only a film whose GIF is gone is made again. Its WebP is made from the frames in the cache, a poster
from these or from the GIF, a record from the row.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import PurePosixPath
from typing import NamedTuple

from pydantic import BaseModel, ValidationError

from db import repair
from db.models import State, Walk
from db.session import reading, writing
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.errors import StorageError
from momalisa.film.exports import find_cached_frames
from momalisa.film.shown import encode_shown_film, encode_shown_poster
from momalisa.records import write_record
from momalisa.spec import WalkSpec
from momalisa.stop_pictures import find_file
from momalisa.storage import CONTENT_TYPES, Storage, StoredFile, film_key, webp_name
from momalisa.storage.webp_files import delete_cut_short, store_webp
from momalisa.stored_films import make_poster

FEW, SHARE = 3, 0.25
"""A storage without more than this many of the films, and more than this share of them, may be
the wrong one; as is one without any of them."""

Folders = Mapping[str, Mapping[str, StoredFile]]
"""The stored files by walk and name."""


class Row(BaseModel):
    """The columns of a walk that concern its files."""

    id: str
    accession: str
    state: State
    waiting: bool
    files: dict[str, str]
    bytes: int
    sha256: str
    error: str
    digest: str

    @property
    def gif(self) -> str:
        """The key of its film, empty if it has none."""
        return self.files.get("gif", "")

    @property
    def webp(self) -> str:
        """The key of the WebP that belongs to its film, empty if that cannot have one."""
        name = webp_name(PurePosixPath(self.gif).name)
        return self.files.get("webp") or (film_key(self.id, name) if name else "")

    @property
    def hangs(self) -> bool:
        """Whether the Gallery shows its film, which should be in the storage."""
        return self.state is State.DONE and not self.waiting

    def is_one_of(self, names: Collection[str]) -> bool:
        """Whether it is named by id or number; with no names, every film is."""
        return not names or self.id in names or self.accession in names


class Repair(StrEnum):
    """What is done about a film."""

    MAKE_AGAIN = "is made again: its film is gone."
    NOTHING = "cannot be made again, because another program made it. Put its file back, please."
    POSTER = "gets a new poster, made from its film."
    WEBP = "gets a new WebP, made from its frames; where these are not at hand, its GIF is played."
    PICTURE = "gets the picture that it begins from again, if that is at hand: it is gone."
    RECORD = "gets a new record, made from the history."


class Step(NamedTuple):
    """A part of a plan."""

    row: Row
    repair: Repair

    @property
    def sentence(self) -> str:
        """What is done, in a sentence."""
        failed = f" The last try failed: {self.row.error}" if self.row.error else ""
        return f"{self.row.accession} {self.repair}{failed}"

    @property
    def changes_something(self) -> bool:
        """Whether it is more than a sentence."""
        return self.repair is not Repair.NOTHING


def plan_repair(
    row: Row, keys: Collection[str], damaged: Collection[str] = (), *, may_wait: bool = True
) -> Iterator[Step]:
    """Yield what can be done for a done walk, of whose files these keys are stored, and whole.

    Nothing for one that waits in an outbox, unless it `may_wait` no longer: the outbox is lost.
    """
    if row.waiting and (may_wait or row.gif in keys):
        return
    if row.gif not in keys:
        yield Step(row, Repair.MAKE_AGAIN if row.digest else Repair.NOTHING)
        return
    missing = {kind for kind, key in row.files.items() if key not in keys}
    if "poster" in missing:
        yield Step(row, Repair.POSTER)
    if "webp" in missing or row.webp in damaged:
        yield Step(row, Repair.WEBP)
    if any(kind.startswith("stop-") for kind in missing):
        yield Step(row, Repair.PICTURE)
    if "json" in missing:
        yield Step(row, Repair.RECORD)


def count_missing(rows: Collection[Row], folders: Folders) -> tuple[int, int]:
    """Return how many films should be in the storage, and how many of them have no film there."""
    hanging = [row for row in rows if row.hangs]
    missing = [row for row in hanging if not has_film(folders.get(row.id, {}))]
    return len(hanging), len(missing)


def has_film(files: Mapping[str, StoredFile]) -> bool:
    """Whether there is a GIF among a walk's files."""
    return any(name.endswith(".gif") for name in files)


def is_doubtful(hanging: int, missing: int) -> bool:
    """Whether so many films are missing that the storage may be another gallery's."""
    return 0 < hanging == missing or (missing > FEW and missing > SHARE * hanging)


def carry_out(step: Step, storage: Storage, database: str, cache: FrameCache | None) -> bool:
    """Do a step of a plan; False if nothing was to be done. Raises StorageError, DamagedFilm.

    `cache` has the frames of films that were made on this machine, if it is at hand.
    """
    row = step.row
    match step.repair:
        case Repair.NOTHING:
            return False
        case Repair.MAKE_AGAIN:
            if storage.exists(row.gif):
                return False
            with writing(database) as session:
                return repair.queue_again(session=session, walk_id=row.id)
        case Repair.POSTER:
            poster = _encode_from_cache(encode_shown_poster, database, row.id, cache)
            poster = poster or make_poster(storage, row.gif)
            store_webp(storage, row.files["poster"], poster)
        case Repair.WEBP:
            webp = _encode_from_cache(encode_shown_film, database, row.id, cache)
            if webp:
                store_webp(storage, row.webp, webp)
            else:
                delete_cut_short(storage, row.webp)
            key = row.webp if webp else None
            if key != row.files.get("webp"):
                with writing(database) as session:
                    repair.set_file(session=session, walk_id=row.id, kind="webp", key=key)
        case Repair.PICTURE:
            return _put_pictures_back(row, storage, database)
        case Repair.RECORD:
            record = _make_record(database, row.id)
            storage.put(row.files["json"], record, CONTENT_TYPES[".json"])
    return True


def _put_pictures_back(row: Row, storage: Storage, database: str) -> bool:
    """Store the stops' pictures that a film lacks; what is nowhere is left out of its row."""
    with reading(database) as session:
        walk = session.get(Walk, row.id)
    spec = WalkSpec.from_stored(walk.spec) if walk and walk.spec else None
    digests = {kind: digest for digest, kind in spec.pictures.items()} if spec else {}
    for kind, key in row.files.items():
        if not kind.startswith("stop-") or storage.exists(key):
            continue
        data = find_file(digests.get(kind, ""), database, lambda: storage)
        if data:
            storage.put(key, data, CONTENT_TYPES[".webp"])
        else:
            with writing(database) as session:
                repair.set_file(session=session, walk_id=row.id, kind=kind, key=None)
    return True


def _encode_from_cache(
    encode: Callable[[WalkSpec, Sequence[Frame]], bytes],
    database: str,
    walk_id: str,
    cache: FrameCache | None,
) -> bytes:
    """Encode a walk's frames; empty if not all of them are in the cache."""
    with reading(database) as session:
        walk = session.get(Walk, walk_id)
    if cache is None or walk is None or not walk.spec:
        return b""
    with suppress(ValidationError, FileNotFoundError):
        spec = WalkSpec.from_stored(walk.spec)
        if frames := find_cached_frames(spec, walk.progress, cache):
            with cache.keep_used():
                return encode(spec, frames)
    return b""


def _make_record(database: str, walk_id: str) -> bytes:
    """Make the content of a film's `walk.json` from its row."""
    with reading(database) as session:
        walk = session.get(Walk, walk_id)
        if walk is None:
            raise StorageError("It was deleted in the meantime.")
        return write_record(session, walk)
