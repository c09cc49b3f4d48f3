"""When films were edited, and which stored records (walk.json) lack an edit.

An edit sets `walks.edited_at` in its own transaction, by the database's clock; being finished is
the first one. `recorded_at` is the edit that the stored record has.
"""

from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from db import deletions
from db.clock import database_now
from db.models import IS_DONE, RECORD_IS_STALE, Walk


def lock(session: Session, walk_id: str) -> Walk | None:
    """Return a walk as it is now, locked until the transaction ends; None if there is none."""
    # FOR NO KEY UPDATE: votes and tags that refer to it need not wait.
    return session.get(Walk, walk_id, with_for_update={"key_share": True})


def mark_edited(session: Session, walk: Walk) -> None:
    """Set the time of a walk's last edit: now, but later than the one before in any case."""
    moment = database_now(session)
    if walk.edited_at is not None:
        moment = max(moment, walk.edited_at + timedelta(microseconds=1))
    walk.edited_at = moment


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
    *, session: Session, walk_id: str, edited_at: datetime, stored_at: datetime, key: str
) -> None:
    """Note that the record under `key`, stored at `stored_at`, has the edit of `edited_at`.

    If the walk was deleted meanwhile, its files are deleted again.
    """
    walk = lock(session, walk_id)
    if walk is None:
        deletions.reopen(session=session, walk_id=walk_id)
        return
    walk.recorded_at, walk.record_stored_at = edited_at, stored_at
    walk.files = {**walk.files, "json": key}
    session.flush()
