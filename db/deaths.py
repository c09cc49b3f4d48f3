"""What becomes of a walk whose worker died: another try, or its end if the walk is to blame.

A walk that kills one worker after the other, as by needing too much memory, must not hold up the
queue for ever; a machine that dies at every walk must not fail them all. What tells them apart is
whether other walks' workers died as well, with no film finished since.
"""

from datetime import datetime, timedelta

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from db import troubles
from db.models import IS_QUEUED, IS_RUNNING, State, Walk
from db.queue_places import find_due

MAX_DEATHS = 3
"""At how many deaths in a row without a new frame a walk fails."""
MAX_DEATHS_AMONG_OTHERS = 12
"""The same where other walks' workers died as well: hours, by the waits between them."""
_FIRST_WAIT = timedelta(minutes=2)
"""How long others go first: longer than a worker's restart takes."""
_LONGEST_WAIT = timedelta(hours=1)
_MOST_COMPARED = 200


def note_death(session: Session, walk: Walk, reason: str, moment: datetime) -> None:
    """Release a dead worker's walk: back to the queue, cancelled if requested, or failed.

    Before its last try others go first, if there are any: their fate is the evidence.
    """
    advanced = troubles.note(walk, reason, moment)
    walk.deaths = 1 if advanced else walk.deaths + 1
    if advanced and len(walk.troubles) > 1:
        # It may die again at every other frame: those that wait in its round go first.
        walk.due = find_due(moment, walk.frames_total)
    walk.owner, walk.lease_until, walk.stage = None, None, ""
    others_died = walk.deaths >= MAX_DEATHS and _others_died(session, walk)
    if walk.cancel_requested:
        end_row(walk, State.CANCELLED, moment)
    elif walk.deaths >= (MAX_DEATHS_AMONG_OTHERS if others_died else MAX_DEATHS):
        end_row(walk, State.FAILED, moment)
        walk.error = (
            f"The worker died {walk.deaths} times at the same frame of this film, so it was given "
            "up. A smaller picture or fewer frames may fit this machine."
        )
    else:
        walk.state = State.QUEUED
        doublings = walk.deaths - MAX_DEATHS + 1
        if doublings >= 0 and (others_died or _others_wait(session, walk)):
            walk.not_before = moment + min(_FIRST_WAIT * 2**doublings, _LONGEST_WAIT)


def end_row(walk: Walk, state: State, moment: datetime) -> None:
    """End a walk, in memory, as `queue.without_new_film` does in the database."""
    has_film = "gif" in walk.files
    walk.state = State.DONE if has_film else state
    walk.finished_at = walk.finished_at if has_film and walk.finished_at else moment


def _others_died(session: Session, walk: Walk) -> bool:
    """Whether workers died at other walks, which are still to be made, since the last success."""
    session.flush()
    finished = select(func.max(Walk.finished_at)).where(Walk.state == State.DONE)
    last_success = session.scalar(finished)
    others = (
        select(Walk.troubles)
        .where(or_(IS_QUEUED, IS_RUNNING), Walk.id != walk.id, Walk.deaths > 0)
        .limit(_MOST_COMPARED)
    )
    times = (datetime.fromisoformat(one[-1]["at"]) for one in session.scalars(others) if one)
    return any(last_success is None or time > last_success for time in times)


def _others_wait(session: Session, walk: Walk) -> bool:
    """Whether another walk is queued that need not wait itself."""
    others = exists().where(IS_QUEUED, Walk.id != walk.id, Walk.not_before.is_(None))
    return bool(session.scalar(select(others)))
