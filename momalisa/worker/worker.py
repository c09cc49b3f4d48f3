"""The worker's loop: claim a walk, render it, write how it ended, repeat.

Stills are rendered between walks, and between the frames of a walk of the same model.
"""

import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from functools import partial

from db import queue, stills, worker_registry
from db.models import Walk
from db.session import writing
from momalisa.backoff import Backoff
from momalisa.logs import name_walk
from momalisa.models import registry
from momalisa.render import ModelRenderer, Progress, Renderer, render, render_still
from momalisa.settings import Settings
from momalisa.storage import open_storage
from momalisa.storage.outbox import open_outbox
from momalisa.worker.courier import Courier
from momalisa.worker.lease import ActiveJob, Heartbeat, StopRequest, Timing, log_error
from momalisa.worker.rendering import JobRenderer, LoadModel, StillRenderer
from momalisa.worker.stall import StallWatch

LONGEST_BEAT = 1800.0
"""Seconds that one heartbeat may take, as in a database that does not answer."""
LONGEST_PAUSE = 30.0
"""Seconds between two tries to reach a history that is out of reach."""
TRIM_SECONDS = 60.0
"""Seconds between two trims of the frame cache where no walk ends."""

log = logging.getLogger(__name__)


class Worker:
    """Renders one walk after the other. No walk's error ends it.

    `load` loads a model, `render` renders a walk with it, `remote` at an endpoint (the default is
    that of the settings), and `render_still` renders one frame.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        load: LoadModel = registry.load,
        render: ModelRenderer = render,
        remote: Renderer | None = None,
        render_still: StillRenderer = render_still,
        timing: Timing | None = None,
    ) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self.settings = settings
        self._database = settings.database
        self._timing = timing = timing or Timing()
        self._watch = StallWatch(timing.limits)
        outbox = open_outbox(settings)
        self._renderer = JobRenderer(
            settings,
            outbox,
            load=load,
            render=render,
            remote=remote,
            render_still=render_still,
            retry_seconds=timing.storage_retries,
            watch=self._watch,
        )
        open_store = partial(open_storage, settings.store_root, retry_seconds=timing.outbox_retries)
        self._courier = Courier(outbox, open_store, settings.database)
        self._stop = StopRequest()
        self._heartbeat = Heartbeat(
            settings, self.name, timing, self._stop, self._watch, self._renderer.get_device
        )
        self._backoff = Backoff(2 * timing.poll, LONGEST_PAUSE)
        self._last_look = 0.0
        self._last_trim = -TRIM_SECONDS

    def stop(self) -> None:
        """Give the active walk back and end; safe in a signal handler and in any thread."""
        self._stop.set()

    @property
    def is_well(self) -> bool:
        """Whether the thread of the heartbeats still runs."""
        return self._heartbeat.seconds_since_tick < LONGEST_BEAT

    def run(self, *, once: bool = False, force_exit: Callable[[], None] = lambda: None) -> None:
        """Work until `stop`, or, with `once`, until the queue is empty.

        Calls `force_exit` from another thread if the worker has not ended 10 s after `stop`.
        """
        heartbeat = self._heartbeat.start(force_exit)
        try:
            if not once:
                self._start_courier()
                self._renderer.load_default_model()
            while not self._stop.is_set and (self._do_next(patient=not once) or not once):
                pass
            if once:
                self._courier.deliver_all()
                self._courier.write_records()
        finally:
            self._heartbeat.end()
            heartbeat.join()
            with writing(self._database) as session:
                worker_registry.remove(session=session, name=self.name)

    def _start_courier(self) -> None:
        """Deliver the outbox in a daemon thread, which may be killed at any moment."""
        run = threading.Thread(
            target=self._courier.run,
            args=(lambda: self._heartbeat.ended,),
            name="courier",
            daemon=True,
        )
        run.start()

    def _do_next(self, *, patient: bool) -> bool:
        """Render a still and the next walk; return False after a pause if there is neither.

        After an error of the history the pause grows; if not `patient`, the error is raised.
        """
        try:
            has_worked = self._render_next_still()
            if time.monotonic() - self._last_trim > TRIM_SECONDS:
                self._trim_cache()
            with writing(self._database) as session:
                walk = queue.claim(
                    session=session, owner=self.name, lease_seconds=self._timing.lease
                )
            if walk is not None:
                self._render_walk(walk)
                has_worked = True
        except Exception as error:
            # If the history was out of reach, the walk returns to the queue with its lease.
            if not patient:
                raise
            log_error("The worker goes on after an error", error)
            self._pause(self._backoff.next_pause())
            return False
        self._backoff.reset()
        if not has_worked:
            self._pause(self._timing.poll)
        return has_worked

    def _pause(self, seconds: float) -> None:
        """Sleep, but no longer than until the worker must stop."""
        end = time.monotonic() + seconds
        while not self._stop.is_set and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self._timing.poll))

    def _render_walk(self, walk: Walk) -> None:
        """Render a walk and write how it ended."""
        name_walk(walk.id, walk.accession)
        job = self._heartbeat.job = ActiveJob(walk, self.name)
        try:
            end_job, fields = self._renderer.render_walk(
                walk,
                job,
                self._stop,
                lambda progress: self._follow(progress, job, walk.model),
                self._heartbeat.confirm_lease,
            )
            changes, _ = job.changes()
            with writing(self._database) as session:
                queue.renew_lease(
                    session=session, **job.lease, lease_seconds=self._timing.lease, **changes
                )
                ended = end_job(session=session, **job.lease, **fields)
            if not ended:
                log.info("%s was not this worker's any more", walk.accession)
            if job.has_stored and (not ended or end_job is queue.confirm_cancel):
                self._renderer.delete_leftovers(walk)
        finally:
            self._heartbeat.job = None
            name_walk()
            self._trim_cache()

    def _trim_cache(self) -> None:
        """Trim the frame cache between walks: after each, however it ended, and now and then.

        The latter for the frames of stills, and of a walk that ended with its worker.
        """
        self._last_trim = time.monotonic()
        self._renderer.trim_cache()

    def _follow(self, progress: Progress, job: ActiveJob, model: str) -> None:
        """Note a walk's progress; now and then render a still of the same model."""
        job.report(progress)
        self._watch.report(progress)
        if self._stop.is_set or time.monotonic() - self._last_look < self._timing.poll:
            return
        try:
            with self._watch.stage(""):
                self._render_next_still(model)
        except Exception:
            # Not the walk's fault.
            log.warning("A still was lost", exc_info=True)

    def _render_next_still(self, model: str = "") -> bool:
        """Render a requested still (of that model, if given); return False if there is none."""
        self._last_look = time.monotonic()
        with writing(self._database) as session:
            still = stills.claim(session=session, owner=self.name, model=model)
        if still is None:
            return False
        end_still, fields = self._renderer.render_still(still)
        with writing(self._database) as session:
            end_still(session=session, still_id=still.id, owner=self.name, **fields)
        return True
