"""Paints stills: those that wait in the history, and those that are asked for directly.

While the worker is idle, and between a walk's frames. A walk is interrupted by one rule for both
(`time_share`): it has at least half of the time, however many places a visitor drags over.
"""

import logging
import time
from collections import deque
from collections.abc import Callable

from db import stills
from db.session import writing
from momalisa.worker.blame import Blame
from momalisa.worker.job_end import Fault
from momalisa.worker.live_server import LiveError, LiveServer
from momalisa.worker.rendering import JobRenderer
from momalisa.worker.time_share import StillClock

log = logging.getLogger(__name__)


class StillPainter:
    """Answers requests for stills, one at a time; `note_fault` is told of faults of this machine.

    `poll` is the seconds between two looks into the history while a walk is rendered.
    """

    def __init__(
        self,
        renderer: JobRenderer,
        live: LiveServer,
        *,
        database: str,
        owner: str,
        poll: float,
        note_fault: Callable[[Fault], None],
    ) -> None:
        self._renderer, self._live = renderer, live
        self._database, self._owner, self._poll = database, owner, poll
        self._note_fault = note_fault
        self._clock = StillClock()
        self._last_look = 0.0
        self._turns = deque([self.paint_live, self._paint_queued_now_and_then])

    def interrupt_walk(self, model: str) -> None:
        """Paint a still of that model, if a walk may be interrupted and a visitor waits for one.

        Both ways to ask have their turns. Raises nothing.
        """
        if not self._clock.is_due:
            return
        try:
            for paint in tuple(self._turns):
                if paint(model):
                    self._turns.remove(paint)
                    self._turns.append(paint)  # the other way first, next time
                    return
        except Exception:
            # Not the walk's fault.
            log.warning("A still was lost", exc_info=True)

    def wait(self, seconds: float, must_end: Callable[[], bool]) -> None:
        """Paint what is asked for directly for some seconds, or until the worker must end.

        Returns at once when the worker is woken, as its queue has a new walk.
        """
        end = time.monotonic() + seconds
        while not must_end() and (left := end - time.monotonic()) > 0:
            if self._live.wait(left):
                if self._live.take_wake():
                    return
                self.paint_live()

    def paint_live(self, model: str = "") -> bool:
        """Answer a direct question (for that model, if given); return False if there is none."""
        waiting = self._live.take(model)
        if waiting is None:
            return False
        self._clock.begin()
        question = waiting.question
        end = self._renderer.render_live(question, lambda: self._live.must_give_way(question))
        self._clock.end()
        if end.error:
            waiting.pictures.set_exception(LiveError(end.error))
        else:
            waiting.pictures.set_result(end.frames)
        self._note(end.fault)
        return True

    def paint_queued(self, model: str = "") -> bool:
        """Paint a still of the history (of that model, if given); return False if none is queued.

        Raises HistoryError.
        """
        self._last_look = time.monotonic()
        with writing(self._database) as session:
            still = stills.claim(session=session, owner=self._owner, model=model)
        if still is None:
            return False
        self._clock.begin()
        end = self._renderer.render_still(still)
        self._clock.end()
        self._note(end.fault)
        with writing(self._database) as session:
            end.write(session=session, still_id=still.id, owner=self._owner, **end.fields)
        return True

    def _paint_queued_now_and_then(self, model: str) -> bool:
        looked_lately = time.monotonic() - self._last_look < self._poll
        return not looked_lately and self.paint_queued(model)

    def _note(self, fault: Fault | None) -> None:
        if fault and fault.blame in (Blame.DEVICE, Blame.MACHINE):
            self._note_fault(fault)
