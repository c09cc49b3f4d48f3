"""Limits of what visitors may queue, checked in the transaction that queues it."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from db.dialect import let_one_in
from db.models import HAS_FILM, IS_ACTIVE, IS_QUEUED, Walk

_LOCK_ID = 0x57414C4B  # an advisory lock of PostgreSQL: "WALK"


class QueueFull(Exception):
    """Nothing more can be queued now; the message is a sentence for the visitor."""


@dataclass(frozen=True)
class QueueLimits:
    """How many walks may be in the queue at once; 0 allows none."""

    each: int
    """Queued and running walks of one maker."""
    address: int
    """Queued and running walks from one network address, where that is known."""
    total: int
    """Queued walks of all makers."""


def lock_submissions(session: Session) -> None:
    """Let one transaction at a time look for a walk and queue it, until this one ends.

    Else a walk that is submitted in two places at once is queued twice.
    """
    let_one_in(session, _LOCK_ID)


def check(*, session: Session, limits: QueueLimits, maker: str, origin: str) -> None:
    """Raise QueueFull if another walk of this maker would exceed a limit.

    `origin` stands for the network address that it comes from, empty if unknown. The caller holds
    a lock until its walk is committed, so that two requests do not both take the last place.
    """
    if _count(session, IS_ACTIVE, Walk.maker == maker) >= limits.each:
        raise QueueFull(
            f"You have as many walks on the way as one visitor may: {limits.each:,}. "
            "Please wait until one is finished, or call one off."
        )
    if origin and _count(session, IS_ACTIVE, Walk.origin == origin) >= limits.address:
        raise QueueFull(
            "As many walks from your address are on the way as one may have: "
            f"{limits.address:,}. Please come back when some are finished."
        )
    if _count(session, IS_QUEUED) >= limits.total:
        raise QueueFull(
            f"As many walks are waiting as this gallery takes at a time: {limits.total:,}. "
            "Please come back when some are finished."
        )


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    """Count walks; films that are made again, because their files were lost, count for no one."""
    walks = select(func.count()).select_from(Walk).where(*conditions, ~HAS_FILM)
    return session.scalar(walks) or 0
