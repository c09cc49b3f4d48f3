"""The record of a film, `walk.json`: written from its row, and read within bounds.

It holds the spec, the result and what curators wrote, so that the history can be rebuilt from the
storage alone. A record may come from another program or version: fields may be missing.
"""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from db import curation, votes
from db.models import Choice, Walk
from momalisa.result import Result
from momalisa.storage import film_key
from momalisa.storage.outbox import RECORD

RECORD_BYTES = 2_000_000
"""Size limit of a record."""
VOTES = 5_000
"""Most votes that a record holds, the newest."""
FIRST_MOMENT, LAST_MOMENT = (datetime(year, 1, 1, tzinfo=UTC) for year in (2000, 2100))
"""Times of films are between these."""
TITLE_LENGTH, ACCESSION_LENGTH, ID_LENGTH, MAKER_LENGTH = 20_000, 32, 128, 64
"""Most characters. A title of a walk names all its prompts; the history keeps the first 500."""
_CURATED = ("title", "tags", "star", "notes", "maker")


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
WalkId = Annotated[str, Field(max_length=ID_LENGTH)]
MakerId = Annotated[str, Field(max_length=MAKER_LENGTH)]


class RecordedVote(BaseModel):
    """A blind vote; left, right and maker identify it, since a maker has one vote per pair."""

    left: WalkId
    right: WalkId
    chosen: Choice
    maker: MakerId = ""
    created_at: Moment


class Record(BaseModel):
    """The content of a `walk.json`. Every field has bounds that the history can hold."""

    finished_at: Moment
    title: Annotated[str, Field(max_length=TITLE_LENGTH)]
    result: Result
    spec: dict[str, Any] | None = None
    accession: Annotated[str, Field(max_length=ACCESSION_LENGTH)] = ""
    created_at: Moment | None = None
    started_at: Moment | None = None
    edited_at: Moment | None = None
    """The edit that the record has; None in records of earlier versions."""
    parent: WalkId | None = None
    maker: MakerId = ""
    remote: bool = False
    star: bool = False
    notes: str = ""
    tags: Annotated[list[str], Field(max_length=curation.MOST_TAGS)] = []
    votes: Annotated[list[RecordedVote], Field(max_length=VOTES)] = []


def write_record(session: Session, walk: Walk) -> bytes:
    """Return the content of a film's `walk.json`, all that its row says."""
    names = set(Result.model_fields) - {"frames"}
    result: dict[str, Any] = {name: getattr(walk, name) for name in names}
    result["files"] = {**walk.files, "json": film_key(walk.id, RECORD)}
    ballots = votes.list_of(session=session, walk_id=walk.id, limit=VOTES)
    content = {
        "version": 1,
        "walk_id": walk.id,
        "accession": walk.accession,
        "parent": walk.parent,
        "remote": walk.remote,
        **{name: _to_text(getattr(walk, name)) for name in _MOMENTS},
        **{name: getattr(walk, name) for name in _CURATED},
        "votes": [RecordedVote.model_validate(v, from_attributes=True) for v in ballots],
        "digest": walk.digest,
        "spec": walk.spec or None,
        "result": Result(**result, frames=walk.frames_total).model_dump(),
    }
    return json.dumps(content, indent=2, ensure_ascii=False, default=_encode).encode()


_MOMENTS = ("created_at", "started_at", "finished_at", "edited_at")


def _to_text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _encode(vote: RecordedVote) -> dict[str, Any]:
    return vote.model_dump(mode="json")
