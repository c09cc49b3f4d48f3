"""The heartbeats of a worker, which renew the lease of the walk that is being rendered."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict

from db import queue, worker_registry
from db.error_messages import HistoryError
from db.queue import LeaseStatus
from db.session import writing
from momalisa.settings import Settings
from momalisa.worker.active_job import ActiveJob
from momalisa.worker.identity import identify
from momalisa.worker.stall import StallWatch
from momalisa.worker.timing import Timing

GRACE = 10.0
"""Seconds that a stopping worker has to end by itself."""
LET_GO = 15.0
"""Seconds for the history to take a walk back from a worker that ends itself."""

log = logging.getLogger(__name__)


class StopRequest:
    """Whether and when a worker was asked to stop; safe in a signal handler and in any thread.

    A plain attribute, no `Event`: a signal may arrive while its own thread holds an Event's lock.
    """

    def __init__(self) -> None:
        self._since: float | None = None

    def set(self) -> None:
        """Ask the worker to stop."""
        if self._since is None:
            self._since = time.monotonic()

    @property
    def is_set(self) -> bool:
        """Whether the worker was asked to stop."""
        return self._since is not None

    @property
    def seconds(self) -> float:
        """Seconds since the stop was requested; 0 before."""
        return 0.0 if self._since is None else time.monotonic() - self._since


class Heartbeat:
    """Tells the history that a worker is alive, and renews the lease of its active job.

    `get_device` returns the device of the model in memory. It also ends the process of a renderer
    that stands still (`watch`): no thread can be stopped from outside.
    """

    def __init__(
        self,
        settings: Settings,
        worker_name: str,
        timing: Timing,
        stop: StopRequest,
        watch: StallWatch,
        get_device: Callable[[], str],
    ) -> None:
        self.job: ActiveJob | None = None
        self._database = settings.database
        self._home = str(settings.home.resolve())
        self._identity = identify()
        self._worker_name = worker_name
        self._timing = timing
        self._stop = stop
        self._watch = watch
        self._get_device = get_device
        self._ended = False
        self._last = 0.0
        self._last_tick = time.monotonic()
        self._succeeded = True

    def start(self, force_exit: Callable[[], None]) -> threading.Thread:
        """Send the first heartbeat, then run `heartbeat_loop` in a daemon thread."""
        self.send_heartbeat()
        loop = threading.Thread(
            target=self.heartbeat_loop, args=(force_exit,), name="heartbeat", daemon=True
        )
        loop.start()
        return loop

    def end(self) -> None:
        """Let `heartbeat_loop` return."""
        self._ended = True

    @property
    def seconds_since_tick(self) -> float:
        """Seconds since `heartbeat_loop` last went round."""
        return time.monotonic() - self._last_tick

    @property
    def ended(self) -> bool:
        """Whether the worker has ended."""
        return self._ended

    def heartbeat_loop(self, force_exit: Callable[[], None]) -> None:
        """Send heartbeats until `end`.

        Calls `force_exit` if the worker is stopped and has nothing to lose, if a stop takes longer
        than GRACE, if the renderer stands still, or if it does not let go of a walk that was
        cancelled or lost; the walk is given up before.
        """
        while not self._ended:
            time.sleep(min(self._timing.heartbeat, 0.1))
            if not self._ended and self._is_due():
                self._try_heartbeat()
            self._last_tick = time.monotonic()
            self._watch.tick()
            if self.may_exit or self._stop.seconds > GRACE or self._has_hung():
                force_exit()
                return

    @property
    def may_exit(self) -> bool:
        """Whether the worker was stopped while it loads a model, with no walk to give back.

        That takes seconds, and its thread cannot be stopped.
        """
        job = self.job
        is_free = job is None or job.status is LeaseStatus.LOST
        return self._stop.is_set and is_free and self._watch.is_loading

    def confirm_lease(self) -> bool:
        """Ask the history whether the active job is still this worker's, and renew its lease.

        For a worker that may have been stalled, whose last heartbeat says little. While the history
        is out of reach it asks again, until the lease would have ended.
        """
        job, end = self.job, time.monotonic() + self._timing.lease
        while job is not None and not self._stop.is_set:
            try:
                with writing(self._database) as session:
                    job.status = queue.renew_lease(
                        session=session, **job.lease, lease_seconds=self._timing.lease
                    )
                return job.status is LeaseStatus.HELD
            except HistoryError as error:
                if time.monotonic() > end:
                    log_error("The lease could not be confirmed", error)
                    job.status = LeaseStatus.LOST
                    return False
                time.sleep(self._timing.poll)
        return False

    def _is_due(self) -> bool:
        job = self.job
        must_give_back = (
            self._stop.is_set
            and job is not None
            and not job.ending
            and job.status is not LeaseStatus.LOST
        )
        has_news = job is not None and job.has_news and self._succeeded
        has_passed = time.monotonic() - self._last >= self._timing.heartbeat
        return must_give_back or has_news or has_passed

    def _has_hung(self) -> bool:
        """Whether the process must end, since its renderer stands still; gives its walk up."""
        job, watch, reason = self.job, self._watch, self._watch.overrun()
        waited = 0.0 if job is None or job.ending else job.seconds_abandoned
        must_exit = bool(reason) or waited > watch.reaction_limit
        if not must_exit and (waited <= watch.limits.confirm or watch.may_store):
            return False
        if job is not None:
            # The history may hang as well; the lease runs out then.
            run_with_deadline(lambda: self._let_go(job, reason), LET_GO)
        if must_exit:
            log.error("The worker ends: its renderer %s", reason or "did not let go of its walk")
        return must_exit

    def _let_go(self, job: ActiveJob, reason: str) -> None:
        """Write that a walk is cancelled, or given up for a reason."""
        if job.status is LeaseStatus.LOST:
            return
        with writing(self._database) as session:
            if job.status is LeaseStatus.CANCEL_REQUESTED:
                queue.confirm_cancel(session=session, **job.lease)
            else:
                queue.give_up(session=session, **job.lease, reason=reason)
        job.status = LeaseStatus.LOST

    def _try_heartbeat(self) -> None:
        """Send a heartbeat; of consecutive failures only the first is logged."""
        try:
            self.send_heartbeat()
            self._succeeded = True
        except Exception as error:
            if self._succeeded:
                log_error("A heartbeat was lost", error)
            self._succeeded = False

    def send_heartbeat(self) -> None:
        """Write the worker's row and renew the active job's lease, or give the walk back."""
        self._last = time.monotonic()
        job = self.job
        with writing(self._database) as session:
            worker_registry.record_heartbeat(
                session=session,
                name=self._worker_name,
                device=self._get_device(),
                home=self._home,
                **asdict(self._identity),
            )
        if job is None or job.status is LeaseStatus.LOST:
            return
        changes, mark_written = job.changes()
        with writing(self._database) as session:
            if self._stop.is_set and not job.ending:
                # Now, not once the renderer notices: the process may be killed before that.
                queue.give_back(session=session, **job.lease)
                status = LeaseStatus.LOST
            else:
                status = queue.renew_lease(
                    session=session, **job.lease, lease_seconds=self._timing.lease, **changes
                )
        if status is not LeaseStatus.LOST:
            mark_written()
        job.status = status


def run_with_deadline(run: Callable[[], None], seconds: float) -> None:
    """Run in a thread, and wait for that no longer than some seconds; an error is logged."""

    def attempt() -> None:
        try:
            run()
        except Exception as error:
            log_error("A walk could not be given up", error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)


def log_error(subject: str, error: Exception) -> None:
    """Log an error of the history as its sentence, any other with its traceback."""
    expected = isinstance(error, HistoryError)
    log.warning("%s: %s", subject, error, exc_info=not expected)
