"""Takes films into the history that were made elsewhere, as their records (walk.json) say."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, TypedDict, Unpack

from sqlalchemy.orm import Session

from db import accession_numbers, curation, deletions, edits
from db import votes as film_votes
from db.clock import database_now
from db.models import State, Walk
from db.queue import RESULT
from db.walks import SPEC_COLUMNS, check_parent, get

_PLAIN_FIELDS: tuple[Literal["maker", "remote", "notes", "star"], ...]
_PLAIN_FIELDS = ("maker", "remote", "notes", "star")
_BLANK_SPEC: dict[str, Any] = {
    **dict.fromkeys(("model", "pacing", "interpolation"), ""),
    **dict.fromkeys(("frames", "steps", "size"), 0),
    "guidance": 0.0,
}


class FilmFields(TypedDict, total=False):
    """What a record may say about a film."""

    spec: Mapping[str, Any]
    digest: str
    accession: str
    created_at: datetime | None
    started_at: datetime | None
    edited_at: datetime | None
    edit_times: Mapping[str, datetime]
    record_stored_at: datetime
    maker: str
    parent: str | None
    remote: bool
    result: Mapping[str, Any]
    notes: str
    star: bool
    tags: Iterable[str]
    votes: Iterable[Mapping[str, Any]]


def adopt(
    *,
    session: Session,
    walk_id: str,
    title: str,
    finished_at: datetime,
    **fields: Unpack[FilmFields],
) -> Walk | None:
    """Insert a finished film that is not in the history; None if a walk has its id or had it.

    The fields are those of a `walk.json`. `spec` is valid; `result` holds columns of
    `queue.RESULT`, and "frames", the number of frames. For a film of another program both are left
    out, and its settings are blank. The accession number is kept unless it is taken or invalid.
    A film without a record, hence without `record_stored_at`, gets one, and one with another number
    in its record gets a new one. Votes on films that come
    later are left to `curation.take_in`.
    """
    if _is_known(session, walk_id):
        return None
    result, spec = fields.get("result", {}), fields.get("spec", {})
    accession, parent = fields.get("accession", ""), fields.get("parent")
    accession = accession_numbers.assign_existing(session, accession, finished_at.year)
    created_at = fields.get("created_at") or finished_at
    stored_at = fields.get("record_stored_at")
    walk = Walk(
        id=walk_id,
        accession=accession,
        state=State.DONE,
        created_at=created_at,
        started_at=fields.get("started_at") or created_at,
        finished_at=finished_at,
        spec=dict(spec),
        digest=fields.get("digest", ""),
        title=title,
        frames_total=int(result.get("frames", 0)),
        parent=check_parent(session, parent),
        tagged=curation.create_tags(fields.get("tags", ())),
        **{name: fields[name] for name in _PLAIN_FIELDS if name in fields},
        **_change_times(session, fields, accession),
        edit_times=edits.write_times(edits.believe(session, fields.get("edit_times", {}))),
        **{name: (spec or _BLANK_SPEC)[name] for name in SPEC_COLUMNS},
        **{name: result[name] for name in RESULT & result.keys()},
    )
    session.add(walk)
    session.flush()
    complete = film_votes.take_in(session=session, walk_id=walk_id, votes=fields.get("votes", ()))
    walk.record_stored_at = stored_at if complete and walk.parent == parent else None
    return walk


def _change_times(session: Session, fields: FilmFields, number: str) -> dict[str, datetime | None]:
    """Return when a film was changed and recorded; now, if its record is to be written."""
    # Also one with another number: it would bring that one back, for two films perhaps.
    if "record_stored_at" not in fields or fields.get("accession", "") != number:
        return {"edited_at": database_now(session), "recorded_at": None}
    edited_at = fields.get("edited_at")
    if edited_at and edited_at > database_now(session) + edits.CLOCKS_DIFFER:
        edited_at = None  # all edits to come would seem to be made in the future
    return {"edited_at": edited_at, "recorded_at": edited_at}


def _is_known(session: Session, walk_id: str) -> bool:
    """Whether a walk has this id, or had it and was deleted."""
    exists = get(session=session, walk_id=walk_id) is not None
    return exists or deletions.is_deleted(session=session, walk_id=walk_id)
