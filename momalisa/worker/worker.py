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

from db import queue, worker_registry
from db.models import Walk
from db.session import reading, writing
from momalisa.backoff import Backoff
from momalisa.errors import MachineFault
from momalisa.logs import name_walk
from momalisa.render import Progress
from momalisa.settings import Settings
from momalisa.storage import open_storage
from momalisa.storage.outbox import open_outbox
from momalisa.store_folder import may_be_made
from momalisa.worker import lease
from momalisa.worker.active_job import ActiveJob
from momalisa.worker.blame import Blame
from momalisa.worker.courier import Courier
from momalisa.worker.housekeeping import Housekeeping
from momalisa.worker.job_end import Fault
from momalisa.worker.lease import Heartbeat, StopRequest, log_error
from momalisa.worker.live_server import LiveServer
from momalisa.worker.machine import SHOWN_AFTER, Machine
from momalisa.worker.renderers import Renderers
from momalisa.worker.rendering import JobRenderer
from momalisa.worker.sign_of_life import life_path
from momalisa.worker.stall import StallWatch
from momalisa.worker.still_painter import StillPainter
from momalisa.worker.timing import Timing
from momalisa.worker.walk_ends import try_again, write_end

LONGEST_BEAT = 1800.0
"""Seconds that one heartbeat may take, as in a database that does not answer."""
LONGEST_PAUSE = 30.0
"""Seconds between two tries to reach a history that is out of reach."""
LONGEST_WAIT_ONCE = 60.0
"""Seconds that a worker that works once waits for a walk that is to be tried again."""

log = logging.getLogger(__name__)


class Worker:
    """Renders one walk after the other. No walk's error ends it, but a broken device does."""

    def __init__(
        self,
        settings: Settings,
        renderers: Renderers | None = None,
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
            renderers or Renderers(),
            retry_seconds=timing.storage_retries,
            watch=self._watch,
        )
        open_store = partial(
            open_storage,
            settings.store_root,
            retry_seconds=timing.outbox_retries,
            may_be_made=partial(may_be_made, database=settings.database),
        )
        self._courier = Courier(outbox, open_store, settings.database)
        self._stop = StopRequest()
        self._heartbeat = Heartbeat(
            settings, self.name, timing, self._stop, self._watch, self._renderer.models.get_device
        )
        self._backoff = Backoff(2 * timing.poll, LONGEST_PAUSE)
        self._machine = Machine(life_path(settings).with_suffix(".json"), timing.machine_pauses)
        models = self._renderer.models
        self._live = LiveServer(settings, models.get_name, models.get_loading_name)
        self._stills = self._make_still_painter()
        self._housekeeping = Housekeeping(self._renderer.trim_cache, settings.database)
        self._patient = True
        self.device_broken = False
        """Whether the device failed, so that only a new process can use it again."""

    def _make_still_painter(self) -> StillPainter:
        return StillPainter(
            self._renderer,
            self._live,
            database=self._database,
            owner=self.name,
            poll=self._timing.poll,
            note_fault=self._note_fault,
        )

    def stop(self) -> None:
        """Give the active walk back and end; safe in a signal handler and in any thread."""
        self._stop.set()

    @property
    def is_well(self) -> bool:
        """Whether the thread of the heartbeats still runs."""
        return self._heartbeat.seconds_since_tick < LONGEST_BEAT

    def run(
        self,
        *,
        once: bool = False,
        force_exit: Callable[[], None] = lambda: None,
        when_ready: Callable[[], None] | None = None,
    ) -> None:
        """Work until `stop` or until the device breaks, or, with `once`, until the queue is empty.

        Calls `when_ready` before the first walk, with the default model loaded if it can be, and
        `force_exit` from another thread if the worker still runs 10 s after `stop`, or is loading a
        model then. With `once`, raises MachineFault if the machine cannot render.
        """
        self._patient = not once

        def exit_at_once() -> None:
            if self._stop.is_set:
                self._machine.forget_work()
            if self.may_exit:
                lease.run_with_deadline(self._leave, lease.LET_GO)
            force_exit()

        heartbeat = self._heartbeat.start(exit_at_once)
        try:
            self._machine.note_death()
            if not once:
                self._start_courier()
                self._live.open()
                self._prepare()
            if when_ready:
                when_ready()
            while not self._ends and (self._do_next() or not once):
                pass
            if once:
                self._courier.deliver_all()
                self._courier.write_records()
                if self.device_broken:
                    raise MachineFault(self._machine.problem)
        finally:
            self._heartbeat.end()
            heartbeat.join()
            self._leave()

    def _leave(self) -> None:
        """Listen no more, and take this worker out of the history."""
        self._live.close()
        with writing(self._database) as session:
            worker_registry.remove(session=session, name=self.name)

    @property
    def may_exit(self) -> bool:
        """Whether it was stopped while it loads a model, so that its process may end."""
        return self._heartbeat.may_exit

    @property
    def _ends(self) -> bool:
        return self._stop.is_set or self.device_broken

    def _prepare(self) -> None:
        """Load the default model, unless the machine has to prove itself first anyway."""
        if self._machine.needs_proof:
            return
        with self._machine.at_work():
            fault = self._renderer.load_default_model()
        if fault:
            self._note_fault(fault)

    def _start_courier(self) -> None:
        """Deliver the outbox in a daemon thread, which may be killed at any moment."""
        run = threading.Thread(
            target=self._courier.run,
            args=(lambda: self._heartbeat.ended,),
            name="courier",
            daemon=True,
        )
        run.start()

    def _do_next(self) -> bool:
        """Render a still and the next walk; return False after a pause if there is neither.

        After an error of the history the pause grows; a worker that works once raises it.
        """
        try:
            if self._machine.needs_proof:
                return self._prove_machine()
            has_worked = self._stills.paint_queued()
            self._housekeeping.tidy_if_due()
            with writing(self._database) as session:
                walk = queue.claim(
                    session=session, owner=self.name, lease_seconds=self._timing.lease
                )
            if walk is not None:
                self._render_walk(walk)
                has_worked = True
            elif not self._patient and not has_worked:
                has_worked = self._wait_for_retry()
            elif not has_worked:
                self._renderer.models.quicken()
        except Exception as error:
            # If the history was out of reach, the walk returns to the queue with its lease.
            if not self._patient:
                raise
            log_error("The worker goes on after an error", error)
            self._pause(self._backoff.next_pause())
            return False
        self._backoff.reset()
        if not has_worked:
            self._stills.wait(self._timing.poll, lambda: self._ends)
        return has_worked

    def _pause(self, seconds: float) -> None:
        """Sleep, but no longer than until the worker must stop."""
        end = time.monotonic() + seconds
        while not self._stop.is_set and (left := end - time.monotonic()) > 0:
            time.sleep(min(left, self._timing.poll))

    def _wait_for_retry(self) -> bool:
        """Wait for the next walk that is to be tried again; return False if none is soon."""
        with reading(self._database) as session:
            seconds = queue.seconds_to_retry(session=session)
        if seconds is None or seconds > LONGEST_WAIT_ONCE:
            return False
        self._pause(seconds)
        return True

    def _prove_machine(self) -> bool:
        """After a pause, see whether the machine is well again; if it is, walks may be claimed.

        A worker that works once raises MachineFault after some faults in a row.
        """
        if not self._patient and self._machine.failures >= SHOWN_AFTER:
            raise MachineFault(self._machine.problem)
        self._tell_problem()
        self._pause(self._machine.seconds_left)
        if self._stop.is_set:
            return True
        with self._machine.at_work():
            fault = self._renderer.probe()
        if fault:
            self._note_fault(fault)
        else:
            self._machine.note_proof()
            self._tell_problem()
        return True

    def _note_fault(self, fault: Fault, walk_id: str = "") -> None:
        """Count a fault of this machine; a broken device ends the worker.

        A model that is missing counts for nothing: walks of others go on.
        """
        if fault.blame is Blame.MODEL:
            return
        self._machine.note_fault(fault.sentence, walk_id)
        if fault.blame is Blame.DEVICE:
            log.error("The device is broken, so this worker ends: %s", fault.sentence)
            self.device_broken = True

    def _tell_problem(self) -> None:
        """Write into the worker's row what the pages say about this machine."""
        problem = self._machine.problem_to_show
        with writing(self._database) as session:
            worker_registry.record_problem(
                session=session,
                name=self.name,
                failures=self._machine.failures,
                problem=problem,
                pause_seconds=self._machine.seconds_left if problem else 0.0,
            )

    def _render_walk(self, walk: Walk) -> None:
        """Render a walk and write how it ended."""
        name_walk(walk.id, walk.accession)
        job = self._heartbeat.job = ActiveJob(walk, self.name)
        try:
            with self._machine.at_work(walk.id):
                end = self._renderer.render_walk(
                    walk,
                    job,
                    self._stop,
                    lambda progress: self._follow(progress, job, walk.model),
                    self._heartbeat.confirm_lease,
                )
            job.ending = True
            if end.fault:
                self._note_fault(end.fault, walk.id)
                end = try_again(end.fault, walk.id, self._machine, self._timing)
            elif end.write is queue.finish:
                self._machine.note_success()
            ended = write_end(
                end, job, self._database, self._timing, self._stop, once=not self._patient
            )
            if not ended:
                log.info("%s was not this worker's any more", walk.accession)
            if job.has_stored and (not ended or end.write is queue.confirm_cancel):
                self._renderer.delete_leftovers(walk)
            self._forget_if_given_up(walk.id)
        finally:
            self._heartbeat.job = None
            name_walk()
            self._housekeeping.trim_cache()

    def _forget_if_given_up(self, walk_id: str) -> None:
        if self._machine.failures:
            with reading(self._database) as session:
                walk = session.get(Walk, walk_id)
                if walk is None or walk.state.is_final:
                    self._machine.forget_suspect(walk_id)

    def _follow(self, progress: Progress, job: ActiveJob, model: str) -> None:
        """Note a walk's progress; render a still of the same model if it is time for one."""
        job.report(progress)
        if job.has_advanced:
            self._machine.forget_work()
        self._watch.report(progress)
        if not self._stop.is_set:
            with self._watch.stage(""):
                self._stills.interrupt_walk(model)
