"""A file that a worker's process touches every second, and the lock that keeps it the only one.

Both stand in `<home>/workers`, a pair for each device: on a machine with several GPUs a worker for
each may share a home. The history is no sign of life: it can be out of reach while all is well.
"""

import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout

from momalisa.settings import Settings
from momalisa.worker.identity import ProcessIdentity, identify

PULSE = 1.0
"""Seconds between two signs of life."""
LONGEST_TICK = 2.0
"""Most seconds that count between two looks: while this process stood still, so did the other."""

_GPU = re.compile(r"cuda(?::(\d+))?")

log = logging.getLogger(__name__)


def life_path(settings: Settings) -> Path:
    """The file that the worker of these settings' home and device touches while it lives.

    Unset, "auto", "cpu", "mps" and the first GPU are one device here: what they come to is known
    only where PyTorch is loaded. Other GPUs are named by their number on the machine.
    """
    number = int(found[1] or 0) if (found := _GPU.fullmatch(settings.device)) else 0
    visible = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    name = visible[number] if number < len(visible) and visible[0] else str(number)
    suffix = "" if name in ("0", "-1") else "-cuda-" + re.sub(r"\W+", "-", name)
    return settings.home / "workers" / f"worker{suffix}.alive"


class HomeLock:
    """Held by the one worker of a home and device, until it releases it or its process ends."""

    def __init__(self, settings: Settings) -> None:
        self._path = life_path(settings).with_suffix(".lock")
        self._lock = FileLock(self._path, timeout=0)

    def acquire(self) -> bool:
        """Take the lock; False if another process holds it.

        True as well where the file system knows no locks, is full or cannot be written: then
        nothing keeps workers apart.
        """
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except Timeout:
            return False
        except (NotImplementedError, OSError) as error:
            log.warning("No lock keeps a second worker away from this home: %s", error)
        return True

    def is_held(self) -> bool:
        """Whether another process holds it."""
        is_free = self.acquire()
        self.release()
        return not is_free

    def release(self) -> None:
        """Let another process have it."""
        self._lock.release()


class Pulse:
    """Touches the file of `life_path` from a thread, while `is_well` says so."""

    def __init__(self, settings: Settings, is_well: Callable[[], bool]) -> None:
        self._path = life_path(settings)
        self._is_well = is_well
        self._has_begun = self._failed = False

    def start(self) -> None:
        """Write which process lives here, and go on from a daemon thread.

        While the disk takes nothing it tries again: the worker's row says what is wrong.
        """
        self._has_begun = self._begin()
        threading.Thread(target=self._run, name="pulse", daemon=True).start()

    def _begin(self) -> bool:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(asdict(identify())))
        except OSError as error:
            if not self._failed:
                log.error("The worker's sign of life cannot be written: %s", error)
            self._failed = True
            return False
        return True

    def _run(self) -> None:
        while True:
            time.sleep(PULSE)
            if not self._is_well():
                continue
            if not self._has_begun:
                self._has_begun = self._begin()
            with suppress(OSError):
                os.utime(self._path)


class LifeWatch:
    """Counts the seconds since a worker's last sign of life, as far as this process ran itself.

    The file's time is compared with its last one, never with a clock: a machine that slept, or
    whose clock was changed, does no harm.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen = _read_time(path)
        self._last_look = time.monotonic()
        self.has_begun = False
        """Whether there was any sign of life."""
        self.seconds_silent = 0.0

    def look(self) -> float:
        """Look at the file; returns the seconds since it changed last."""
        now = time.monotonic()
        passed, self._last_look = now - self._last_look, now
        touched = _read_time(self._path)
        if touched != self._seen:
            self._seen, self.has_begun, self.seconds_silent = touched, True, 0.0
        else:
            self.seconds_silent += min(passed, LONGEST_TICK)
        return self.seconds_silent


def read_process(path: Path) -> ProcessIdentity | None:
    """The process that wrote a file of `life_path`; None if there is none, or it is damaged."""
    try:
        return ProcessIdentity(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _read_time(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
