"""When films were edited, and which stored records (walk.json) lack a change of their films.

Each of the FIELDS that curators write has the time of its last edit, by the database's clock: of
two histories on one storage, the later edit of a field wins. Any change that the record is to have
sets `walks.edited_at`: edits, votes, and being finished. `recorded_at` is the one that it has.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import case, select, text
from sqlalchemy.orm import Session

from db import deletions
from db.clock import database_now
from db.models import IS_DONE, RECORD_IS_STALE, Walk

FIELDS = ("title", "tags", "star", "notes")
"""What curators write on a film."""
CLOCKS_DIFFER = timedelta(minutes=5)
"""By how much the clocks of two histories, or of a history and its storage, may differ."""
_NEVER = datetime.min.replace(tzinfo=UTC)


def lock(session: Session, walk_id: str) -> Walk | None:
    """Return a walk as it is now, locked until the transaction ends; None if there is none."""
    # FOR NO KEY UPDATE: votes and tags that refer to it need not wait.
    return session.get(Walk, walk_id, with_for_update={"key_share": True})


def mark_stale(session: Session, walk: Walk) -> datetime:
    """Have a walk's record written anew; return the time of this change.

    It is now, but later than the change before in any case.
    """
    moment = database_now(session)
    if walk.edited_at is not None:
        moment = max(moment, walk.edited_at + timedelta(microseconds=1))
    walk.edited_at = moment
    return moment


def stale_in_sql(moment: datetime) -> dict[str, Any]:
    """Return the columns by which an UPDATE has the records of its films written anew."""
    later = case((Walk.edited_at > moment, Walk.edited_at), else_=moment)
    return {"edited_at": later, "recorded_at": None}


def mark_edited(session: Session, walk: Walk, field: str) -> None:
    """Set the time of a field's last edit, which makes the record stale."""
    moment = mark_stale(session, walk)
    walk.edit_times = {**walk.edit_times, field: moment.isoformat()}


def believe(
    session: Session, times: Mapping[str, datetime], own: Collection[str] = FIELDS
) -> dict[str, datetime]:
    """Return another history's times of edits, without those in the future.

    An edit in the future would outlast all edits to come. Of fields that this history never edited,
    which are not among its `own`, it counts as made now: the clock was ahead, and nothing else has
    what was written.
    """
    now = database_now(session)
    future = {name for name, time in times.items() if time > now + CLOCKS_DIFFER}
    return {
        name: now if name in future else time
        for name, time in times.items()
        if name in FIELDS and not (name in future and name in own)
    }


def read_times(walk: Walk) -> dict[str, datetime]:
    """Return when each of the fields was edited last; those never edited are left out."""
    return {name: datetime.fromisoformat(time) for name, time in walk.edit_times.items()}


def write_times(times: Mapping[str, datetime]) -> dict[str, str]:
    """Return the value of `walks.edit_times`."""
    return {name: time.isoformat() for name, time in times.items()}


def compare(
    field: str, ours: Any, theirs: Any, our_time: datetime | None, their_time: datetime | None
) -> int:
    """Compare a field's values in two histories: 1 if theirs wins, -1 if ours does, else 0.

    The later edit wins. Of two that are equally late, as those of earlier versions are, notes,
    tags or a star win over none, so that all histories choose the same.
    """
    if ours == theirs:
        return 0
    one, other = our_time or _NEVER, their_time or _NEVER
    if one != other:
        return 1 if other > one else -1
    if field == "title":
        return 0  # neither was edited: records and rows may cut it differently
    return 1 if theirs > ours else -1


def list_stale(*, session: Session, limit: int) -> list[str]:
    """Return the ids of stored films whose record lacks their last edit, the oldest edit first."""
    stale = (
        select(Walk.id)
        .where(text(RECORD_IS_STALE), ~Walk.waiting, Walk.sha256 != "")
        .order_by(Walk.edited_at, Walk.id)
        .limit(limit)
    )
    return list(session.scalars(stale))


def list_records(*, session: Session) -> dict[str, datetime | None]:
    """Return when the record of each stored film was stored, as far as it was read; by id."""
    films = select(Walk.id, Walk.record_stored_at).where(IS_DONE, ~Walk.waiting)
    return {row.id: row.record_stored_at for row in session.execute(films)}


def mark_recorded(
    *,
    session: Session,
    walk_id: str,
    edited_at: datetime,
    stored_at: datetime | None,
    key: str,
) -> None:
    """Note that the record under `key`, stored at `stored_at`, has the edit of `edited_at`.

    Without `stored_at`, `sync` reads it again. If the walk was deleted meanwhile, its files are
    deleted again.
    """
    walk = lock(session, walk_id)
    if walk is None:
        deletions.reopen(session=session, walk_id=walk_id)
        return
    walk.recorded_at, walk.record_stored_at = edited_at, stored_at
    walk.files = {**walk.files, "json": key}
    session.flush()
