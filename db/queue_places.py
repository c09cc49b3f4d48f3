"""A walk's place in its queue round: by arrival, and by its length."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from db.models import IS_QUEUED, Walk

FRAME_SECONDS = 1
"""Within a queue round, walks are sorted by arrival plus this many seconds for each frame."""
FAR_AHEAD = 3600
"""Seconds from now after which no walk arrived, but the clock has been put back since."""


def find_due(arrival: datetime, frames_total: int) -> int:
    """Return the value of `walks.due` for a walk that arrives at that moment."""
    return int(arrival.timestamp()) + frames_total * FRAME_SECONDS


def bring_near(session: Session, moment: datetime) -> None:
    """Let queued walks whose arrival lies far in the future have arrived now, at `moment`.

    They were queued before the clock was put back, and all others would go first.
    """
    now, span = int(moment.timestamp()), Walk.frames_total * FRAME_SECONDS
    session.execute(
        update(Walk)
        .where(IS_QUEUED, Walk.due - span > now + FAR_AHEAD)
        .values(due=now + span)
        .execution_options(synchronize_session=False)
    )
