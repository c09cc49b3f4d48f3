"""The record of a film, `walk.json`: written from its row, and read within bounds.

It holds the spec, the result and what curators wrote, so that the history can be rebuilt from the
storage alone. A record may come from another program or version: fields may be missing.
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field
from sqlalchemy.orm import Session

from db import curation, deletions, edits, votes
from db.models import Choice, Walk
from momalisa.film.embedded_text import RECORD_BYTES
from momalisa.result import Result
from momalisa.storage import film_key
from momalisa.storage.outbox import RECORD

VOTES = 5_000
"""Most votes that a record holds, the newest."""
FIRST_MOMENT, LAST_MOMENT = (datetime(year, 1, 1, tzinfo=UTC) for year in (1970, 2100))
"""Times of films are between these; a machine without a clock of its own starts at the first."""
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
    """The last change that the record has; None in records of earlier versions."""
    edit_times: Annotated[dict[str, Moment], Field(max_length=20)] | None = None
    """When each of `edits.FIELDS` was edited last; None in records of earlier versions."""
    parent: WalkId | None = None
    maker: MakerId = ""
    remote: bool = False
    star: bool = False
    notes: str = ""
    tags: Annotated[list[str], Field(max_length=curation.MOST_TAGS)] = []
    votes: Annotated[list[RecordedVote], Field(max_length=VOTES)] = []

    def list_edit_times(self) -> dict[str, datetime]:
        """When each of `edits.FIELDS` was edited last; at the last change, in earlier versions."""
        if self.edit_times is not None:
            return self.edit_times
        written = (name for name in edits.FIELDS if getattr(self, name))
        return dict.fromkeys(written, self.edited_at) if self.edited_at else {}


class Unknown(NamedTuple):
    """What a stored record says of films that are not in this history, or not yet."""

    votes: list[RecordedVote]
    parent: str | None


NOTHING = Unknown([], None)


def find_unknown(session: Session, walk: Walk, stored: Record | None) -> Unknown:
    """Find what a record has, but a row cannot hold, unless that is of deleted films."""
    if stored is None:
        return NOTHING
    own = votes.list_of(session=session, walk_id=walk.id, limit=VOTES)
    known = {(vote.left, vote.right, vote.maker) for vote in own}
    ballots = [
        vote
        for vote in stored.votes
        if walk.id in (vote.left, vote.right) and (vote.left, vote.right, vote.maker) not in known
    ]
    ids = {walk_id for vote in ballots for walk_id in (vote.left, vote.right)}
    deleted = deletions.find_deleted_ids(session=session, ids={*ids, stored.parent or ""})
    parent = None if walk.parent or stored.parent in {*deleted, walk.id} else stored.parent
    return Unknown([v for v in ballots if not deleted & {v.left, v.right}], parent)


def write_record(session: Session, walk: Walk, unknown: Unknown = NOTHING) -> bytes:
    """Return the content of a film's `walk.json`, all that its row says, and what is unknown."""
    names = set(Result.model_fields) - {"frames"}
    result: dict[str, Any] = {name: getattr(walk, name) for name in names}
    result["files"] = {**walk.files, "json": film_key(walk.id, RECORD)}
    rows = votes.list_of(session=session, walk_id=walk.id, limit=VOTES)
    ballots = [RecordedVote.model_validate(vote, from_attributes=True) for vote in rows]
    ballots = sorted([*ballots, *unknown.votes], key=lambda vote: vote.created_at)[-VOTES:]
    content: dict[str, Any] = {
        "version": 1,
        "walk_id": walk.id,
        "accession": walk.accession,
        "parent": walk.parent or unknown.parent,
        "remote": walk.remote,
        **{name: _to_text(getattr(walk, name)) for name in _MOMENTS},
        **{name: getattr(walk, name) for name in _CURATED},
        "tags": walk.tags[: curation.MOST_TAGS],
        "edit_times": walk.edit_times,
        "votes": ballots,
        "digest": walk.digest,
        "spec": walk.spec or None,
        "result": Result(**result, frames=walk.frames_total).model_dump(),
    }
    # A longer one could not be read back: the oldest votes are left out.
    while len(data := _encode_json(content)) > RECORD_BYTES and ballots:
        ballots = content["votes"] = ballots[len(ballots) // 8 + 1 :]
    return data


def _encode_json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=2, ensure_ascii=False, default=_encode).encode()


_MOMENTS = ("created_at", "started_at", "finished_at", "edited_at")


def _to_text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _encode(vote: RecordedVote) -> dict[str, Any]:
    return vote.model_dump(mode="json")


def entry_of(walk: Walk) -> dict[str, Any]:
    """Fields of a film's record that are its row's from the start, besides spec and result."""
    return {
        "accession": walk.accession,
        "created_at": walk.created_at.isoformat(),
        "parent": walk.parent,
        "maker": walk.maker,
    }
