"""Runs one worker beside the web process, or alone for the command, and restarts it."""

import asyncio
import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Self

from db import worker_registry
from db.clock import database_now
from db.models import WorkerHeartbeat
from db.session import migrate, reading, writing
from momalisa.backoff import Backoff
from momalisa.logs import worker_log
from momalisa.settings import Settings
from momalisa.worker.identity import ProcessIdentity, identify, identity_of
from momalisa.worker.launch import COMMAND, launch
from momalisa.worker.sign_of_life import HomeLock, LifeWatch, life_path, read_process

ALIVE = 10.0
"""Seconds since its last heartbeat within which a worker counts as alive."""
SILENT = 120.0
"""Seconds without a sign of life after which a worker's process is killed."""
START = 600.0
"""The same until its first one: Python's modules are loaded, the database is migrated."""
LOOK = 2.0
"""Seconds between two checks whether another worker is alive."""
GRACE = 12.0
"""Seconds between SIGTERM and SIGKILL."""
PAUSES = (1.0, 60.0)
"""Seconds between two starts: the first pause, and the longest."""
DEVICE_BROKEN = 75
"""Exit code of a worker whose device failed: a new process tries again, and paces itself."""
log = logging.getLogger(__name__)


class Supervisor:
    """Keeps one local worker running, unless another is alive or the worker is `external`.

    Use it as `async with Supervisor(settings):`, or call `start` and `stop`. The worker ends
    with this process, even with kill -9: it watches the pipe that is its standard input.

    `by_hand` is for the command `worker`, see `run`: it works whatever `external` says and beside
    workers of other homes, and the worker's log goes where this process's goes. `early` is a
    worker that `launch.launch_early` has started: the first one that is kept running.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        command: Sequence[str] = COMMAND,
        pauses: tuple[float, float] = PAUSES,
        silence: tuple[float, float] = (SILENT, START),
        by_hand: bool = False,
        early: "subprocess.Popen[bytes] | None" = None,
    ) -> None:
        self.settings = settings
        self._by_hand, self._early = by_hand, early
        self._command = list(command)
        self._backoff = Backoff(*pauses)
        self._silence, self._longest_start = silence
        self._other = LifeWatch(life_path(settings))
        self._stopping = threading.Event()
        self._migrated = self._told = False
        self._thread: threading.Thread | None = None
        self.pid: int | None = None

    def start(self) -> None:
        """Run and restart the worker from a daemon thread; returns at once."""
        is_left_to_others = self.settings.worker == "external" and not self._by_hand
        if is_left_to_others or self._thread is not None:
            return
        self._thread = threading.Thread(target=self._supervise, name="supervisor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the worker by SIGTERM, after 12 s by SIGKILL; returns when it has ended."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._stopping.clear()

    def run(self) -> None:
        """Keep a worker running until SIGTERM or Ctrl-C; call it in the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._handle_signal)
        self.start()
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(1.0)

    def _handle_signal(self, number: int, _frame: object) -> None:
        self._stopping.set()
        # A second signal ends this process immediately, and the worker after it.
        signal.signal(number, signal.SIG_DFL)

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await asyncio.to_thread(self.stop)

    def _supervise(self) -> None:
        try:
            self._keep_running()
        finally:
            if self._early is not None:
                with self._early as process:
                    _terminate(process)

    def _keep_running(self) -> None:
        self._backoff.reset()
        while not self._stopping.is_set():
            try:
                if self._other_alive():
                    self._stopping.wait(LOOK)
                    continue
                began = time.monotonic()
                log.info("A worker starts")
                code = self._run_worker()
            except OSError as error:
                # Of the history, of home: a sentence says what to do, and a trace nothing more.
                pause = self._backoff.next_pause()
                log.error("The worker could not be started; again in %.0f s: %s", pause, error)
                self._stopping.wait(pause)
                continue
            except Exception:
                log.exception("The worker could not be started")
                began, code = time.monotonic(), 1
            if self._stopping.is_set():
                return
            if code == DEVICE_BROKEN or time.monotonic() - began > self._backoff.longest:
                self._backoff.reset()
            pause = self._backoff.next_pause()
            where = "above" if self._by_hand else worker_log(self.settings)
            log.warning(
                "The worker ended (exit code %d); another starts in %.0f s. Its log: %s",
                code,
                pause,
                where,
            )
            self._stopping.wait(pause)

    def _run_worker(self) -> int:
        """Start a worker, wait until it ends or `stop` is called, and return its exit code."""
        process = self._early or launch(self.settings, self._command, by_hand=self._by_hand)
        self._early = None
        self.pid = process.pid
        identity = identify(process.pid)
        life = LifeWatch(life_path(self.settings))
        with process:
            try:
                while process.poll() is None and not self._stopping.wait(0.1):
                    limit = self._silence if life.has_begun else self._longest_start
                    if life.look() > limit:
                        log.error("The worker does not answer any more; it is killed")
                        process.kill()
                        break
            finally:
                code = _terminate(process)
                self.pid = None
        self._forget_worker(identity)
        return code

    def _other_alive(self) -> bool:
        """Whether a worker is in the way; forgets those whose process is gone, kills a hung one."""
        if not self._migrated:
            migrate(self.settings.database)
            self._migrated = True
        with reading(self.settings.database) as session:
            workers = worker_registry.list_alive(session=session, within_seconds=3600)
            moment = database_now(session)
        dead = [worker for worker in workers if identity_of(worker).has_ended]
        self._forget_dead_workers(dead)
        if self._early is not None:
            return False  # it ends by itself if it does not get the home's lock
        if HomeLock(self.settings).is_held():
            if not self._told:
                log.warning("Another worker is at work in this home; this one waits until it ends")
            self._told = True
            self._kill_if_hung()
            return True
        self._told = False
        return not self._by_hand and any(
            _seconds_silent(worker, moment) < ALIVE for worker in workers if worker not in dead
        )

    def _kill_if_hung(self) -> None:
        """Kill the worker that holds this home's lock, if it gives no sign of life."""
        process = read_process(life_path(self.settings))
        if self._other.look() > self._silence and process is not None and process.is_running:
            log.error("Another worker of this home, process %d, is hung; it is killed", process.pid)
            os.kill(process.pid, signal.SIGKILL)

    def _forget_worker(self, identity: ProcessIdentity) -> None:
        """Return the walks of a worker that has ended to the queue at once."""
        with reading(self.settings.database) as session:
            workers = worker_registry.list_alive(session=session, within_seconds=3600)
        self._forget_dead_workers([worker for worker in workers if identity_of(worker) == identity])

    def _forget_dead_workers(self, workers: list[WorkerHeartbeat]) -> None:
        if workers:
            with writing(self.settings.database) as session:
                for worker in workers:
                    worker_registry.mark_dead(session=session, name=worker.name)


def _terminate(process: "subprocess.Popen[bytes]") -> int:
    """Send SIGTERM, after GRACE seconds SIGKILL; return the exit code."""
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _seconds_silent(worker: WorkerHeartbeat, moment: datetime) -> float:
    """Seconds between the worker's last heartbeat and `moment` of the database's clock.

    A heartbeat in the future is from before the clock was put back.
    """
    return abs((moment - worker.seen_at).total_seconds())
