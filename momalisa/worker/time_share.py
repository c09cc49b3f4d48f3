"""How a worker divides its time between a walk and the stills that are asked for meanwhile."""

import time


def may_interrupt(*, still_seconds: float, walk_seconds: float) -> bool:
    """Whether a walk may be interrupted by a still.

    The walk has been painted for at least as long as the last still took, so that stills take at
    most half of the time, however many are asked for.
    """
    return walk_seconds >= still_seconds


class StillClock:
    """Measures how long the last still took, and what has passed since."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._ended = self._began = time.monotonic()

    def begin(self) -> None:
        """Note that a still is begun."""
        self._began = time.monotonic()

    def end(self) -> None:
        """Note that a still has ended."""
        self._ended = time.monotonic()
        self._seconds = self._ended - self._began

    @property
    def is_due(self) -> bool:
        """Whether a walk may be interrupted by a still now."""
        passed = time.monotonic() - self._ended
        return may_interrupt(still_seconds=self._seconds, walk_seconds=passed)
