"""The walk that a worker renders just now: its lease, and what its row does not say yet."""

import time
from collections.abc import Callable
from typing import Any

from db import troubles
from db.models import REPLACED, Walk
from db.queue import LeaseStatus
from momalisa.render import Progress


class ActiveJob:
    """The walk being rendered, shared by the renderer's and the heartbeat's thread."""

    def __init__(self, walk: Walk, owner: str) -> None:
        self.lease: dict[str, Any] = {
            "walk_id": walk.id,
            "owner": owner,
            "attempt": walk.attempt,
        }
        self._walk = walk
        self.status = LeaseStatus.HELD
        self.has_stored = False
        """Whether its film began to be stored."""
        self.ending = False
        """Whether the rendering is over and its end is being written: too late to give it back."""
        self.abandoned_at: float | None = None
        self._earlier = [(entry[0], entry[1]) for entry in walk.progress]
        self._current: tuple[str, list[list[Any]]] = ("loading", [])
        self._written = self._current

    def report(self, progress: Progress) -> None:
        """Note the progress; the next heartbeat writes it, which comes soon after news."""
        frames = [[place, key] for place, key in progress.ready]
        previews = [[place, key, "rough"] for place, key in progress.previews]
        shown = {key for _, key in (*progress.ready, *progress.previews)}
        # Also those of earlier attempts: with the film, they are to leave the cache.
        replaced = {key: place for place, key in (*self._earlier, *progress.replaced)}
        left = [[place, key, REPLACED] for key, place in replaced.items() if key not in shown]
        self._current = (progress.stage, frames + previews + left)
        self.has_stored |= progress.stage == "storing"

    @property
    def has_advanced(self) -> bool:
        """Whether it has come further than all attempts that ended in trouble."""
        return troubles.has_advanced(self._walk, self._current[1])

    @property
    def seconds_abandoned(self) -> float:
        """Seconds since the walk is no longer this worker's to render; 0 while it is."""
        if self.status is LeaseStatus.HELD:
            return 0.0
        if self.abandoned_at is None:
            self.abandoned_at = time.monotonic()
        return time.monotonic() - self.abandoned_at

    @property
    def has_news(self) -> bool:
        """Whether the row lacks the stage or the first frames, which visitors wait for."""
        current, written = self._current, self._written
        return current[0] != written[0] or bool(current[1]) > bool(written[1])

    def changes(self) -> tuple[dict[str, Any], Callable[[], None]]:
        """Return the columns that the row lacks, and a function to call once they are written."""
        current = self._current
        changes: dict[str, Any] = {}
        if current[0] != self._written[0]:
            changes["stage"] = current[0]
        if current[1] != self._written[1]:
            changes["progress"] = current[1]

        def mark_written() -> None:
            self._written = current

        return changes, mark_written
