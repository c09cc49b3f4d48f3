"""Stills: the picture at one place of a walk, asked for by whoever looks, answered by a worker.

A question is a spec, a leg and a `t`. Its answer is the key of a frame in the frame cache. Who
asks anew, as with every move of a slider, no longer waits for what was asked before.
"""

import hashlib
import json
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, delete, or_, select, update
from sqlalchemy.orm import Session

from db.models import State, Still, WorkerSeen, clock

GOOD = timedelta(hours=1)
"""How long an answer is given again: the frame cache may drop the picture one day."""
_LONG_GONE = timedelta(days=1)
_SILENCE = timedelta(seconds=30)


def ask(*, session: Session, spec: dict[str, Any], leg: int, t: float, maker: str = "") -> str:
    """The id of the still that answers this: one that does or will already, or a new one.

    What the same maker asked for before, and no worker has begun, is dropped. Raises KeyError when
    the spec lacks its model.
    """
    question = _question(spec, leg, t)
    moment = clock(session)
    session.execute(delete(Still).where(Still.created_at < moment - _LONG_GONE))
    mine = and_(Still.maker == maker, Still.state == State.QUEUED)
    session.execute(delete(Still).where(mine, Still.question != question))
    under_way = or_(Still.state == State.RUNNING, mine)
    answered = and_(Still.state == State.DONE, Still.finished_at > moment - GOOD)
    known = select(Still.id).where(Still.question == question, or_(under_way, answered)).limit(1)
    if still_id := session.scalar(known):
        return still_id
    still = Still(
        question=question,
        created_at=moment,
        maker=maker,
        spec=spec,
        model=spec["model"],
        leg=leg,
        t=t,
    )
    session.add(still)
    session.flush()
    return still.id


def _question(spec: dict[str, Any], leg: int, t: float) -> str:
    return hashlib.sha256(json.dumps([spec, leg, t], sort_keys=True).encode()).hexdigest()


def get(*, session: Session, still_id: str) -> Still | None:
    """The still of that id; None when it was dropped, was swept out a day later, or never was."""
    return session.get(Still, still_id)


def claim(*, session: Session, owner: str, model: str = "") -> Still | None:
    """The still that has waited longest, now `owner`'s to answer; None if none waits.

    With `model`, one of that model only. Those whose worker has died since fail first.
    """
    _fail_orphans(session)
    following = select(Still.id).where(Still.state == State.QUEUED)
    if model:
        following = following.where(Still.model == model)
    following = following.order_by(Still.created_at, Still.id).limit(1)
    return session.scalar(
        update(Still)
        .where(
            Still.id == following.with_for_update(skip_locked=True).scalar_subquery(),
            Still.state == State.QUEUED,
        )
        .values(state=State.RUNNING, owner=owner)
        .returning(Still)
        .execution_options(synchronize_session=False, populate_existing=True)
    )


def _fail_orphans(session: Session) -> None:
    """Not asked again by itself: perhaps it was this picture that the worker died of."""
    moment = clock(session)
    alive = select(WorkerSeen.name).where(WorkerSeen.seen_at > moment - _SILENCE)
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


def answer(*, session: Session, still_id: str, owner: str, key: str) -> bool:
    """The picture is in the frame cache, under `key`; False when it is not this worker's."""
    return _end(session, still_id, owner, state=State.DONE, key=key)


def fail(*, session: Session, still_id: str, owner: str, error: str) -> bool:
    """There is no such picture, and `error` says why; False when it is not this worker's."""
    return _end(session, still_id, owner, state=State.FAILED, error=error)


def _end(session: Session, still_id: str, owner: str, **change: Any) -> bool:
    ended = session.scalar(
        update(Still)
        .where(Still.id == still_id, Still.owner == owner, Still.state == State.RUNNING)
        .values(finished_at=clock(session), **change)
        .returning(Still.id)
        .execution_options(synchronize_session=False)
    )
    return ended is not None
