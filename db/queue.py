"""The worker's side of the queue: claim a walk, keep it, and bring it to its end.

A claim is a lease. `owner` and `attempt` name it, and every write asks for both: a worker that
lost its lease, and comes late, changes nothing. A lease that runs out is a death of its worker;
the walk goes back to the queue, and with the third death it fails.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.orm import Session

from db.models import QUEUED, RUNNING, State, Walk, WorkerSeen, clock

DEATHS = 3
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
        "files",
        "bytes",
        "sha256",
    }
)
_FREE: dict[str, Any] = {"owner": None, "lease_until": None, "stage": ""}
_LONG_GONE = timedelta(days=1)
_LONGEST_LEASE = timedelta(hours=1)
TURN = (Walk.turn, Walk.due, Walk.created_at, Walk.id)


class Hold(StrEnum):
    """What a heartbeat learns about the walk in hand."""

    KEPT = "kept"
    """The walk is still this worker's: go on."""
    STOP = "stop"
    """Still this worker's, but called off: stop, then say `cancelled`."""
    LOST = "lost"
    """Another one's by now, or deleted: drop it and write nothing."""


def claim(*, session: Session, owner: str, lease_seconds: float) -> Walk | None:
    """The walk whose turn it is, now running and leased to `owner`; None if none waits.

    Walks whose lease ran out go back to the queue first.
    """
    reclaim(session=session)
    moment = clock(session)
    following = (
        select(Walk.id)
        .where(QUEUED)
        .order_by(*TURN)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    return session.scalar(
        update(Walk)
        .where(Walk.id == following, QUEUED)
        .values(
            state=State.RUNNING,
            owner=owner,
            attempt=Walk.attempt + 1,
            started_at=moment,
            lease_until=moment + timedelta(seconds=lease_seconds),
            stage="loading",
        )
        .returning(Walk)
        .execution_options(synchronize_session=False, populate_existing=True)
    )


def reclaim(*, session: Session) -> None:
    """Take back the walks whose lease ran out: to the queue, or, the third time, failed.

    A lease that ends later than any lease can was given by a clock that has been put back since.
    """
    moment = clock(session)
    ran_out = or_(Walk.lease_until < moment, Walk.lease_until > moment + _LONGEST_LEASE)
    _take_back(session, ran_out, "was not heard of any more")


def _take_back(session: Session, dead: ColumnElement[bool], reason: str) -> None:
    lost = select(Walk).where(RUNNING, dead).with_for_update(skip_locked=True)
    for walk in session.scalars(lost.execution_options(populate_existing=True)).all():
        _count_death(walk, f"Worker {walk.owner} {reason}", clock(session))
    session.flush()


def _count_death(walk: Walk, reason: str, moment: datetime) -> None:
    """Let go of a walk whose worker died, and say what comes of it."""
    trouble = {"at": moment.isoformat(), "attempt": walk.attempt, "reason": reason}
    walk.troubles = [*walk.troubles, trouble]
    walk.deaths += 1
    walk.owner, walk.lease_until, walk.stage = None, None, ""
    if walk.cancel_requested:
        walk.state, walk.finished_at = State.CANCELLED, moment
    elif walk.deaths < DEATHS:
        walk.state = State.QUEUED
    else:
        walk.state, walk.finished_at = State.FAILED, moment
        walk.error = (
            f"The worker died {DEATHS} times while making this film, so it was given up. "
            "A smaller picture or fewer frames may fit this machine."
        )


def _mine(walk_id: str, owner: str, attempt: int) -> tuple[ColumnElement[bool], ...]:
    return (
        Walk.id == walk_id,
        RUNNING,
        Walk.owner == owner,
        Walk.attempt == attempt,
    )


def heartbeat(
    *,
    session: Session,
    walk_id: str,
    owner: str,
    attempt: int,
    lease_seconds: float,
    stage: str | None = None,
    progress: list[Any] | None = None,
) -> Hold:
    """Renew the lease and say how far the walk is (None: unchanged); tells whether to go on."""
    change: dict[str, Any] = {"lease_until": clock(session) + timedelta(seconds=lease_seconds)}
    if stage is not None:
        change["stage"] = stage
    if progress is not None:
        change["progress"] = progress
    called_off = session.scalar(
        update(Walk)
        .where(*_mine(walk_id, owner, attempt))
        .values(**change)
        .returning(Walk.cancel_requested)
        .execution_options(synchronize_session=False)
    )
    if called_off is None:
        return Hold.LOST
    return Hold.STOP if called_off else Hold.KEPT


def _end(session: Session, walk_id: str, owner: str, attempt: int, **change: Any) -> bool:
    """Let go of a walk that is still this worker's; False when it is not."""
    ended = session.scalar(
        update(Walk)
        .where(*_mine(walk_id, owner, attempt))
        .values(**_FREE, **change)
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
    """The film is stored: the walk is done. `result` holds values of the columns in RESULT.

    With `waiting`, the film is kept on this machine and the storage has yet to get it: `stored`
    says when it has. False, and nothing changed, when the walk is not this worker's any more.
    Raises ValueError on a name that is no result.
    """
    if foreign := set(result) - RESULT:
        raise ValueError(f"not among a walk's results: {', '.join(sorted(foreign))}")
    end = {"state": State.DONE, "finished_at": clock(session), "error": "", "waiting": waiting}
    return _end(session, walk_id, owner, attempt, **end, **result)


def stored(*, session: Session, walk_id: str) -> bool:
    """The storage has the film that waited for it; False when no such film waited."""
    waited = session.scalar(
        update(Walk)
        .where(Walk.id == walk_id, Walk.waiting)
        .values(waiting=False)
        .returning(Walk.id)
        .execution_options(synchronize_session=False)
    )
    return waited is not None


def fail(*, session: Session, walk_id: str, owner: str, attempt: int, error: str) -> bool:
    """The walk cannot be made, and `error` says why; False when it is not this worker's."""
    return _end(
        session,
        walk_id,
        owner,
        attempt,
        state=State.FAILED,
        finished_at=clock(session),
        error=error,
    )


def cancelled(*, session: Session, walk_id: str, owner: str, attempt: int) -> bool:
    """The worker has stopped as asked; False when the walk is not this worker's."""
    return _end(session, walk_id, owner, attempt, state=State.CANCELLED, finished_at=clock(session))


def give_back(*, session: Session, walk_id: str, owner: str, attempt: int) -> bool:
    """The worker leaves in good order: the walk waits again, and no death is counted."""
    called_off = session.scalar(
        select(Walk.cancel_requested).where(*_mine(walk_id, owner, attempt))
    )
    if called_off:
        return cancelled(session=session, walk_id=walk_id, owner=owner, attempt=attempt)
    return _end(session, walk_id, owner, attempt, state=State.QUEUED)


def seen(*, session: Session, name: str, pid: int, host: str, device: str = "") -> None:
    """A worker says that it lives. Rows of workers silent for a day are swept out."""
    moment = clock(session)
    worker = session.get(WorkerSeen, name)
    if worker is None:
        session.execute(delete(WorkerSeen).where(WorkerSeen.seen_at < moment - _LONG_GONE))
        worker = WorkerSeen(name=name, pid=pid, host=host, started_at=moment)
        session.add(worker)
    worker.device = device
    worker.seen_at = moment


def gone(*, session: Session, name: str) -> None:
    """A worker leaves in good order."""
    session.execute(delete(WorkerSeen).where(WorkerSeen.name == name))


def died(*, session: Session, name: str) -> None:
    """A worker is known to be dead: what it held is taken back now, not when its lease ends."""
    _take_back(session, Walk.owner == name, "died")
    gone(session=session, name=name)
