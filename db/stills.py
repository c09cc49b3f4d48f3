"""Stills: requests for the picture at one place of a walk, answered by a worker.

A request is a spec, a leg and a `t`; its answer is the key of a frame in the frame cache. A new
request of the same maker, as with every move of a slider, drops the maker's queued ones. A queued
still that is no longer asked for is dropped, too: the browser that wanted it is gone.

Makers are served in turn, those of one account or address as one: see `maker_key`.
"""

import hashlib
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from db.clock import database_now
from db.models import State, Still, WorkerHeartbeat
from db.queue_limits import QueueFull

REUSE_WINDOW = timedelta(hours=1)
"""How long a finished still is reused: the frame cache may evict its picture later."""
EXPIRY = timedelta(seconds=10)
"""How long a queued still waits for the next `ask_again` until it is dropped."""
_KEEP_ROWS = timedelta(days=1)
_WORKER_TIMEOUT = timedelta(seconds=30)
_TURN_WINDOW = timedelta(minutes=1)
"""The next still is of those who asked for the fewest of the stills served in this time."""
_GROUP_LENGTH = 32
"""The characters of a maker that are those of its account or address."""
LOCAL = "-"
"""The first character of makers whose address is unknown."""
_KEY = secrets.token_bytes(32)


@dataclass(frozen=True)
class StillLimits:
    """How many stills may be queued at once."""

    each: int
    """Of one account or address."""
    local: int
    """Of all makers whose address is unknown."""
    total: int
    """Of all makers."""


def maker_key(group: str, name: str) -> str:
    """Return a maker's id for `request`: 64 characters, the first half stands for `group`.

    `group` is an account or a network address, empty if that is unknown: then each name is a group
    of its own. Hashed with a key that ends with this process, so that neither can be told from it.
    """
    own = _digest(name)
    return (_digest(group) if group else LOCAL + own[1:]) + own


def group_of_maker(maker: str) -> str:
    """The part of a maker that stands for its account or address."""
    return maker[:_GROUP_LENGTH]


def _digest(text: str) -> str:
    size = _GROUP_LENGTH // 2
    return hashlib.blake2b(text.encode("utf-8", "replace"), key=_KEY, digest_size=size).hexdigest()


def request(
    *,
    session: Session,
    spec: dict[str, Any],
    leg: int,
    t: float,
    maker: str = "",
    limits: StillLimits | None = None,
) -> str:
    """Request a still and return its id, which is an equal still's if that can be reused.

    Running stills, the maker's queued one and those finished within REUSE_WINDOW are reused. The
    maker's other queued stills are deleted, and so are expired ones and all that are a day old.
    Raises QueueFull where another would exceed `limits`, KeyError when the spec has no model.
    """
    question = _digest_question(spec, leg, t)
    moment = database_now(session)
    session.execute(delete(Still).where(Still.created_at < moment - _KEEP_ROWS))
    _drop_expired(session)
    queued = and_(Still.maker == maker, Still.state == State.QUEUED)
    session.execute(delete(Still).where(queued, Still.question != question))
    pending = or_(Still.state == State.RUNNING, queued)
    finished = and_(Still.state == State.DONE, Still.finished_at > moment - REUSE_WINDOW)
    reusable = select(Still.id).where(Still.question == question, or_(pending, finished)).limit(1)
    if still_id := session.scalar(reusable):
        return still_id
    if limits is not None:
        _check_limits(session, limits, maker)
    still = Still(
        question=question,
        created_at=moment,
        asked_at=moment,
        maker=maker,
        spec=spec,
        model=spec["model"],
        leg=leg,
        t=t,
    )
    session.add(still)
    session.flush()
    return still.id


def _check_limits(session: Session, limits: StillLimits, maker: str) -> None:
    """Raise QueueFull if another still of this maker would exceed a limit."""
    is_local = func.substr(Still.maker, 1, 1) == LOCAL
    checks = [
        (limits.total, Still.id.is_not(None)),
        (limits.each, _group_of(Still) == group_of_maker(maker)),
    ]
    if maker.startswith(LOCAL):
        checks.append((limits.local, is_local))
    for most, condition in checks:
        count = select(func.count()).select_from(Still).where(Still.state == State.QUEUED)
        if (session.scalar(count.where(condition)) or 0) >= most:
            raise QueueFull(
                "Many pictures are being asked for just now. Please try again in a while."
            )


def _group_of(still: type[Still]) -> ColumnElement[str]:
    """The part of a maker that is its account or address."""
    return func.substr(still.maker, 1, _GROUP_LENGTH)


def _count_served(moment: datetime) -> ColumnElement[int]:
    """How many stills of a still's group were served lately, or are being painted."""
    served = aliased(Still)
    return (
        select(func.count())
        .select_from(served)
        .where(
            served.state != State.QUEUED,
            served.created_at > moment - _TURN_WINDOW,
            _group_of(served) == _group_of(Still),
        )
        .correlate(Still)
        .scalar_subquery()
    )


def _digest_question(spec: dict[str, Any], leg: int, t: float) -> str:
    return hashlib.sha256(json.dumps([spec, leg, t], sort_keys=True).encode()).hexdigest()


def _drop_expired(session: Session) -> None:
    """Delete the queued stills that are no longer asked for."""
    asked_at = func.coalesce(Still.asked_at, Still.created_at)
    expired = asked_at < database_now(session) - EXPIRY
    session.execute(delete(Still).where(Still.state == State.QUEUED, expired))


def ask_again(*, session: Session, still_id: str) -> None:
    """Keep a queued still from being dropped for another EXPIRY."""
    session.execute(
        update(Still)
        .where(Still.id == still_id, Still.state == State.QUEUED)
        .values(asked_at=database_now(session))
        .execution_options(synchronize_session=False)
    )


def get(*, session: Session, still_id: str) -> Still | None:
    """Return the still with this id, or None if it was deleted or never existed."""
    return session.get(Still, still_id)


def claim(*, session: Session, owner: str, model: str = "") -> Still | None:
    """Assign a queued still to a worker and return it; None if none is queued.

    The oldest of the account or address for which the fewest were painted lately. With `model`,
    only a still of that model. Fails the stills of dead workers first, and drops those that are no
    longer asked for.
    """
    _fail_orphans(session)
    _drop_expired(session)
    next_id = select(Still.id).where(Still.state == State.QUEUED)
    if model:
        next_id = next_id.where(Still.model == model)
    served = _count_served(database_now(session))
    next_id = next_id.order_by(served, Still.created_at, Still.id).limit(1)
    return session.scalar(
        update(Still)
        .where(
            Still.id == next_id.with_for_update(skip_locked=True).scalar_subquery(),
            Still.state == State.QUEUED,
        )
        .values(state=State.RUNNING, owner=owner)
        .returning(Still)
        .execution_options(synchronize_session=False, populate_existing=True)
    )


def _fail_orphans(session: Session) -> None:
    """Fail the running stills of dead workers; not retried, as one may have killed its worker."""
    moment = database_now(session)
    alive = select(WorkerHeartbeat.name).where(WorkerHeartbeat.seen_at > moment - _WORKER_TIMEOUT)
    session.execute(
        update(Still)
        .where(Still.state == State.RUNNING, Still.owner.not_in(alive))
        .values(
            state=State.FAILED,
            finished_at=moment,
            error="The worker ended before this picture was ready. Please ask for it again.",
        )
        .execution_options(synchronize_session=False)
    )


def finish(*, session: Session, still_id: str, owner: str, key: str) -> bool:
    """Store the frame cache key of the picture; False if this worker does not run the still."""
    return _end(session, still_id, owner, state=State.DONE, key=key)


def fail(*, session: Session, still_id: str, owner: str, error: str) -> bool:
    """Mark a still failed, with the reason; False if this worker does not run the still."""
    return _end(session, still_id, owner, state=State.FAILED, error=error)


def _end(session: Session, still_id: str, owner: str, **values: Any) -> bool:
    ended = session.scalar(
        update(Still)
        .where(Still.id == still_id, Still.owner == owner, Still.state == State.RUNNING)
        .values(finished_at=database_now(session), **values)
        .returning(Still.id)
        .execution_options(synchronize_session=False)
    )
    return ended is not None
