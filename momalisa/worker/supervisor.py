"""One worker beside the web process: started, started again when it dies, and taken along."""

import asyncio
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Self

from db import worker_registry
from db.clock import database_now
from db.models import WorkerHeartbeat
from db.session import migrate, reading, writing
from momalisa.backoff import Backoff
from momalisa.settings import CHECKOUT, Settings

ALIVE = 10.0
"""Seconds since its last heartbeat within which a worker counts as alive."""
SILENT = 3.0
"""Seconds without a heartbeat after which it is worth asking whether the process is there."""
LOOK = 2.0
GRACE = 12.0
PAUSES = (1.0, 60.0)
LOG_BYTES = 5_000_000
SUPERVISED = "MOMALISA_SUPERVISED"
"""Set to 1 for a worker that is to end with the process that holds its standard input."""

log = logging.getLogger(__name__)


class Supervisor:
    """Keeps one local worker, unless another is alive or the worker is `external`.

    Use it as `async with Supervisor(settings):`, or call `start` and `stop`. The worker ends
    with this process, even with kill -9: it watches the pipe that is its standard input.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        command: Sequence[str] = (sys.executable, "-m", "momalisa", "worker"),
        pauses: tuple[float, float] = PAUSES,
    ) -> None:
        self.settings = settings
        self._command = list(command)
        self._backoff = Backoff(*pauses)
        self._stopping = threading.Event()
        self._migrated = False
        self._thread: threading.Thread | None = None
        self.pid: int | None = None

    def start(self) -> None:
        """Begin to look after the worker, in a thread; returns at once."""
        if self.settings.worker == "external" or self._thread is not None:
            return
        self._stopping.clear()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the worker: SIGTERM, then SIGKILL after 12 s. Returns when it is gone."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await asyncio.to_thread(self.stop)

    def _watch(self) -> None:
        self._backoff.reset()
        while not self._stopping.is_set():
            try:
                if self._other_alive():
                    self._stopping.wait(LOOK)
                    continue
                began = time.monotonic()
                log.info("A worker starts")
                code = self._one_life()
            except Exception:
                log.exception("The worker could not be started")
                began, code = time.monotonic(), 1
            if self._stopping.is_set():
                return
            if time.monotonic() - began > self._backoff.longest:
                self._backoff.reset()
            pause = self._backoff.next_pause()
            log.warning(
                "The worker ended (exit code %d); another starts in %.0f s. Its log: %s",
                code,
                pause,
                self._log_path,
            )
            self._stopping.wait(pause)

    def _one_life(self) -> int:
        """Start a worker, wait for its end, or end it on `stop`; its exit code."""
        self._log_path.parent.mkdir(parents=True, exist_ok=True)
        if self._log_path.exists() and self._log_path.stat().st_size > LOG_BYTES:
            self._log_path.replace(self._log_path.with_suffix(".old.log"))
        with self._log_path.open("ab") as output:
            process = subprocess.Popen(
                self._command,
                env=os.environ | self._environment(),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                # Ctrl-C in the terminal is the web process's to handle.
                start_new_session=True,
            )
        self.pid = process.pid
        with process:
            try:
                while process.poll() is None and not self._stopping.wait(0.1):
                    pass
            finally:
                code = _end(process)
                self.pid = None
        self._bury(process.pid)
        return code

    @property
    def _log_path(self) -> Path:
        return self.settings.home / "logs" / "worker.log"

    def _environment(self) -> dict[str, str]:
        """These very settings, for the worker to read."""
        values = self.settings.model_dump(mode="json") | {"home": self.settings.home.resolve()}
        named = {f"MOMALISA_{name.upper()}": str(value) for name, value in values.items()}
        # It starts where this process did, so that a relative path is the same place for both.
        path = os.pathsep.join([str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])])
        return named | {SUPERVISED: "1", "PYTHONPATH": path}

    def _other_alive(self) -> bool:
        """Whether a worker is alive; those known to be dead are struck off."""
        if not self._migrated:
            migrate(self.settings.database)
            self._migrated = True
        with reading(self.settings.database) as session:
            workers = worker_registry.list_alive(session=session, within_seconds=3600)
            moment = database_now(session)
        dead = [worker for worker in workers if _is_dead(worker, moment)]
        self._strike(dead)
        return any(_silence(worker, moment) < ALIVE for worker in workers if worker not in dead)

    def _bury(self, pid: int) -> None:
        """A worker of ours has died: what it held goes back to the queue at once."""
        with reading(self.settings.database) as session:
            workers = worker_registry.list_alive(session=session, within_seconds=3600)
        host = socket.gethostname()
        self._strike([worker for worker in workers if (worker.host, worker.pid) == (host, pid)])

    def _strike(self, workers: list[WorkerHeartbeat]) -> None:
        if workers:
            with writing(self.settings.database) as session:
                for worker in workers:
                    worker_registry.mark_dead(session=session, name=worker.name)


def _end(process: "subprocess.Popen[bytes]") -> int:
    """Ask the process to end, and after a while make it; its exit code."""
    if process.poll() is None:
        process.terminate()
    try:
        return process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _silence(worker: WorkerHeartbeat, moment: datetime) -> float:
    """Seconds between the worker's last heartbeat and this moment of the history's clock.

    One that is yet to come is from before the clock was put back.
    """
    return abs((moment - worker.seen_at).total_seconds())


def _is_dead(worker: WorkerHeartbeat, moment: datetime) -> bool:
    """Whether a worker of this machine is silent and its process is gone."""
    silent = _silence(worker, moment) >= SILENT
    if worker.host != socket.gethostname() or not silent or os.name != "posix":
        return False
    try:
        os.kill(worker.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False
