"""Rows of films whose files were lost: they are made again, or taken back when the files are found.

A walk that is made again keeps its files, so that the film hangs as before if that fails or is
cancelled; see `queue.without_new_film`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from db import edits
from db.clock import database_now
from db.models import IS_ACTIVE, IS_DONE, State, Walk
from db.queue import RESULT


def queue_again(*, session: Session, walk_id: str) -> bool:
    """Queue a done walk again, in a round of its own behind all others; False if it is not done."""
    last_turn = session.scalar(select(func.max(Walk.turn)).where(IS_ACTIVE))
    moment = database_now(session)
    queued = session.scalar(
        update(Walk)
        .where(Walk.id == walk_id, IS_DONE)
        .values(
            state=State.QUEUED,
            turn=0 if last_turn is None else last_turn + 1,
            due=int(moment.timestamp()),
            deaths=0,
            machine_failures=0,
            not_before=None,
            progress=[],
            cancel_requested=False,
            error="",
        )
        .returning(Walk.id)
        .execution_options(synchronize_session=False)
    )
    return queued is not None


def set_file(*, session: Session, walk_id: str, kind: str, key: str | None) -> None:
    """Set or remove (None) the key of a film's file, and have its record written anew."""
    walk = edits.lock(session, walk_id)
    if walk is None or walk.state is not State.DONE:
        return
    walk.files = {name: old for name, old in walk.files.items() if name != kind}
    if key is not None:
        walk.files = {**walk.files, kind: key}
    edits.mark_stale(session, walk)


def take_back(
    *,
    session: Session,
    walk_id: str,
    state: State,
    finished_at: datetime,
    result: Mapping[str, Any] | None = None,
) -> bool:
    """Hang the film of a walk whose files were found; False if its state is not `state` any more.

    `result` holds columns of `queue.RESULT` to set. `finished_at` is set if there is no such time.
    """
    values = {name: value for name, value in (result or {}).items() if name in RESULT}
    if values:
        # Its record is to be written anew; that is no edit of what curators write.
        values |= edits.stale_in_sql(database_now(session))
    taken_back = session.scalar(
        update(Walk)
        .where(Walk.id == walk_id, Walk.state == state)
        .values(
            state=State.DONE,
            finished_at=func.coalesce(Walk.finished_at, finished_at),
            error="",
            cancel_requested=False,
            **values,
        )
        .returning(Walk.id)
        .execution_options(synchronize_session=False)
    )
    return taken_back is not None
