"""The worker's side of the queue: claim a walk, renew its lease, end it.

A claim is a lease, identified by `owner` and `attempt`. Every write checks both, so a worker that
has lost its lease changes nothing. A lease that expires counts as a death of its worker, see
`db.deaths`. After a fault of a machine a walk returns with `put_back`, and waits a while.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, case, func, literal, or_, select, update
from sqlalchemy.orm import Session

from db import deaths, edits, troubles
from db.clock import database_now
from db.models import HAS_FILM, IS_QUEUED, IS_RUNNING, State, Walk

RESULT = frozenset(
    {
        "device",
        "dtype",
        "model_digest",
        "seconds",
        "seconds_to_load",
        "frames_computed",
        "unet_samples",
        "distances",
        "evenness",
        "sharpness",
        "ghosting",
        "directness",
        "files",
        "bytes",
        "sha256",
    }
)
"""The columns of `walks` that hold the result of a rendering: the only ones `finish` may set."""
QUEUE_ORDER = (Walk.turn, Walk.due, Walk.created_at, Walk.id)
"""The sort key of queued walks; `walks.enqueue` sets `turn` and `due`."""
_NO_LEASE: dict[str, Any] = {"owner": None, "lease_until": None, "stage": ""}
_LONGEST_LEASE = timedelta(hours=1)
_LONGEST_WAIT = timedelta(hours=2)


class LeaseStatus(StrEnum):
    """What `renew_lease` reports about the lease."""

    HELD = "held"
    """The worker holds the lease and continues."""
    CANCEL_REQUESTED = "cancel requested"
    """The worker holds the lease, but must stop and call `confirm_cancel`."""
    LOST = "lost"
    """Another worker holds it, or the walk was deleted: stop and write nothing."""


def claim(*, session: Session, owner: str, lease_seconds: float) -> Walk | None:
    """Lease the next queued walk to `owner`, set it running and return it; None if none is due.

    Takes back walks with expired leases first. Walks that wait after a fault are passed over.
    """
    reclaim_expired(session=session)
    moment = database_now(session)
    next_id = (
        select(Walk.id)
        .where(IS_QUEUED, _is_due(moment))
        .order_by(*QUEUE_ORDER)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    return session.scalar(
        update(Walk)
        .where(Walk.id == next_id, IS_QUEUED)
        .values(
            state=State.RUNNING,
            owner=owner,
            attempt=Walk.attempt + 1,
            started_at=moment,
            lease_until=moment + timedelta(seconds=lease_seconds),
            not_before=None,
            stage="loading",
        )
        .returning(Walk)
        .execution_options(synchronize_session=False, populate_existing=True)
    )


def _is_due(moment: datetime) -> ColumnElement[bool]:
    """Whether a walk need not wait; a time far ahead is from before the clock was put back."""
    far_ahead = Walk.not_before > moment + _LONGEST_WAIT
    return or_(Walk.not_before.is_(None), Walk.not_before <= moment, far_ahead)


def seconds_to_retry(*, session: Session) -> float | None:
    """Return the seconds until the next walk that waits after a fault is due; None without one."""
    due = session.scalar(select(func.min(Walk.not_before)).where(IS_QUEUED))
    return None if due is None else (due - database_now(session)).total_seconds()


def reclaim_expired(*, session: Session) -> None:
    """Take back all walks whose lease has expired, and count a death for each.

    A lease that ends further ahead than the longest lease counts as expired: the clock has been
    put back since.
    """
    moment = database_now(session)
    expired = or_(Walk.lease_until < moment, Walk.lease_until > moment + _LONGEST_LEASE)
    _take_back(session, expired, "was not heard of any more")


def reclaim_from(*, session: Session, owner: str) -> None:
    """Take back all walks of a dead worker, and count a death for each."""
    _take_back(session, Walk.owner == owner, "died")


def give_up(*, session: Session, walk_id: str, owner: str, attempt: int, reason: str) -> bool:
    """Take a walk from a worker that must end itself, and count a death; False if it lost it."""
    held = select(Walk).where(*_lease_is_held(walk_id, owner, attempt)).with_for_update()
    walk = session.scalar(held.execution_options(populate_existing=True))
    if walk is None:
        return False
    deaths.note_death(session, walk, f"Worker {owner} {reason}", database_now(session))
    session.flush()
    return True


def _take_back(session: Session, condition: ColumnElement[bool], reason: str) -> None:
    lost = select(Walk).where(IS_RUNNING, condition).with_for_update(skip_locked=True)
    for walk in session.scalars(lost.execution_options(populate_existing=True)).all():
        deaths.note_death(session, walk, f"Worker {walk.owner} {reason}", database_now(session))
    session.flush()


def without_new_film(state: State, moment: datetime) -> dict[str, Any]:
    """Return the columns of a walk that ends in `state`, failed or cancelled, without a new film.

    A walk that was made again is done instead: its former film hangs as before, and its files may
    come back.
    """
    kind = Walk.state.type
    return {
        "state": case((HAS_FILM, literal(State.DONE, kind)), else_=literal(state, kind)),
        "finished_at": _finished_at(moment),
    }


def _finished_at(moment: datetime) -> ColumnElement[datetime]:
    """When a walk was finished: now, or when it was first, if it was made again."""
    now = literal(moment, Walk.finished_at.type)
    return case((HAS_FILM, func.coalesce(Walk.finished_at, now)), else_=now)


def _lease_is_held(walk_id: str, owner: str, attempt: int) -> tuple[ColumnElement[bool], ...]:
    """Conditions that select the walk only while this lease is valid."""
    return (
        Walk.id == walk_id,
        IS_RUNNING,
        Walk.owner == owner,
        Walk.attempt == attempt,
    )


def renew_lease(
    *,
    session: Session,
    walk_id: str,
    owner: str,
    attempt: int,
    lease_seconds: float,
    stage: str | None = None,
    progress: list[Any] | None = None,
) -> LeaseStatus:
    """Extend the lease and store the walk's stage and progress; None leaves them unchanged."""
    lease_until = database_now(session) + timedelta(seconds=lease_seconds)
    values: dict[str, Any] = {"lease_until": lease_until}
    if stage is not None:
        values["stage"] = stage
    if progress is not None:
        values["progress"] = progress
    cancel_requested = session.scalar(
        update(Walk)
        .where(*_lease_is_held(walk_id, owner, attempt))
        .values(**values)
        .returning(Walk.cancel_requested)
        .execution_options(synchronize_session=False)
    )
    if cancel_requested is None:
        return LeaseStatus.LOST
    return LeaseStatus.CANCEL_REQUESTED if cancel_requested else LeaseStatus.HELD


def _end(session: Session, walk_id: str, owner: str, attempt: int, **values: Any) -> bool:
    """Set columns of the walk and release the lease; False if the lease is lost."""
    ended = session.scalar(
        update(Walk)
        .where(*_lease_is_held(walk_id, owner, attempt))
        .values(**_NO_LEASE, **values)
        .returning(Walk.id)
        .execution_options(synchronize_session=False)
    )
    return ended is not None


def finish(
    *,
    session: Session,
    walk_id: str,
    owner: str,
    attempt: int,
    result: dict[str, Any],
    waiting: bool = False,
) -> bool:
    """Mark a walk done and store its `result`, a value for any of the columns in RESULT.

    With `waiting`, the film is still only on this machine; `mark_stored` follows when it is in the
    storage. Returns False, and changes nothing, if the lease is lost. Raises ValueError on a name
    that is not in RESULT.
    """
    if unknown := set(result) - RESULT:
        raise ValueError(f"not among a walk's results: {', '.join(sorted(unknown))}")
    moment = database_now(session)
    values = {
        "state": State.DONE,
        "finished_at": _finished_at(moment),
        # The record that the worker has stored lacks what only the row knows.
        **edits.stale_in_sql(moment),
        "error": "",
        "waiting": waiting,
    }
    return _end(session, walk_id, owner, attempt, **values, **result)


def mark_stored(*, session: Session, walk_id: str) -> bool:
    """Record that a film has been uploaded to the storage; False if it was not waiting for that."""
    updated = session.scalar(
        update(Walk)
        .where(Walk.id == walk_id, Walk.waiting)
        .values(waiting=False)
        .returning(Walk.id)
        .execution_options(synchronize_session=False)
    )
    return updated is not None


def fail(*, session: Session, walk_id: str, owner: str, attempt: int, error: str) -> bool:
    """Mark a walk failed, with the reason; False if the lease is lost."""
    return _end(
        session,
        walk_id,
        owner,
        attempt,
        **without_new_film(State.FAILED, database_now(session)),
        error=error,
    )


def confirm_cancel(*, session: Session, walk_id: str, owner: str, attempt: int) -> bool:
    """Mark a walk cancelled after its worker has stopped; False if the lease is lost."""
    values = without_new_film(State.CANCELLED, database_now(session))
    return _end(session, walk_id, owner, attempt, **values)


def give_back(*, session: Session, walk_id: str, owner: str, attempt: int) -> bool:
    """Return a walk to the queue without counting a death, or cancel it if that was requested.

    False if the lease is lost.
    """
    cancel_requested = session.scalar(
        select(Walk.cancel_requested).where(*_lease_is_held(walk_id, owner, attempt))
    )
    if cancel_requested:
        return confirm_cancel(session=session, walk_id=walk_id, owner=owner, attempt=attempt)
    return _end(session, walk_id, owner, attempt, state=State.QUEUED)


def put_back(
    *,
    session: Session,
    walk_id: str,
    owner: str,
    attempt: int,
    reason: str,
    pause: tuple[float, float],
    kind: str = "",
    most_tries: int | None = None,
    error: str = "",
) -> bool:
    """Return a walk to the queue after a fault; it keeps its turn and its frames.

    It waits `pause[0]` seconds, four times as long after each further fault without a new frame,
    at most `pause[1]`. At the fault number `most_tries` of a kind without a new frame it fails with
    `error` instead; if cancelling was requested, it is cancelled. False if the lease is lost.
    """
    walk = session.scalar(
        select(Walk)
        .where(*_lease_is_held(walk_id, owner, attempt))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if walk is None:
        return False
    moment = database_now(session)
    advanced = troubles.note(walk, reason, moment, kind)
    tries = walk.machine_failures = 1 if advanced else walk.machine_failures + 1
    walk.owner, walk.lease_until, walk.stage = None, None, ""
    if walk.cancel_requested:
        deaths.end_row(walk, State.CANCELLED, moment)
    elif most_tries is not None and troubles.count_alike(walk) >= most_tries:
        deaths.end_row(walk, State.FAILED, moment)
        walk.error = error
    else:
        first, longest = pause
        walk.state = State.QUEUED
        seconds = min(first * 4.0 ** min(tries - 1, 60), longest)
        walk.not_before = moment + timedelta(seconds=seconds)
    session.flush()
    return True
