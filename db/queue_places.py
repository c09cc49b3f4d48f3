"""A walk's place in its queue round: by arrival, and by its length."""

from datetime import datetime

FRAME_SECONDS = 1
"""Within a queue round, walks are sorted by arrival plus this many seconds for each frame."""


def find_due(arrival: datetime, frames_total: int) -> int:
    """Return the value of `walks.due` for a walk that arrives at that moment."""
    return int(arrival.timestamp()) + frames_total * FRAME_SECONDS
