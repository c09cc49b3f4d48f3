"""Which process a worker is: its machine's boot, its PID namespace, its pid and its start.

A pid alone says little: it is given anew, and containers on one machine count their own.
"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from db.models import WorkerHeartbeat

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_STATE, _START = 0, 19
"""Positions in /proc/PID/stat after the program's name: the process's state, and its start."""


@dataclass(frozen=True)
class ProcessIdentity:
    """What tells a process from every other one, wherever and whenever that runs."""

    host: str
    boot_id: str
    """The machine's boot and the PID namespace; empty where the system does not tell (no Linux)."""
    pid: int
    process_start: int
    """Its start in clock ticks since the boot; 0 where the system does not tell."""

    @property
    def has_ended(self) -> bool:
        """Whether it certainly ended; False wherever that cannot be told from here."""
        return self._is_visible and _read_start(self.pid) != self.process_start

    @property
    def is_running(self) -> bool:
        """Whether it certainly runs, on this machine and in this PID namespace."""
        return self._is_visible and _read_start(self.pid) == self.process_start

    @property
    def _is_visible(self) -> bool:
        return self.process_start > 0 and self.boot_id == _read_boot_id() != ""


def identify(pid: int | None = None) -> ProcessIdentity:
    """Identify a process that has this one's PID namespace; the default is this process."""
    number = os.getpid() if pid is None else pid
    return ProcessIdentity(socket.gethostname(), _read_boot_id(), number, _read_start(number))


def identity_of(worker: WorkerHeartbeat) -> ProcessIdentity:
    """The process that a worker's row names."""
    return ProcessIdentity(worker.host, worker.boot_id, worker.pid, worker.process_start)


def _read_boot_id() -> str:
    try:
        boot = _BOOT_ID.read_text().strip()
        namespace = Path("/proc/self/ns/pid").readlink()
    except OSError:
        return ""
    return f"{boot} {namespace}"


def _read_start(pid: int) -> int:
    """When a process started; 0 if there is none, or if only its exit code is left of it."""
    try:
        status = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return 0
    # The program's name stands in brackets and may contain anything.
    fields = status.rpartition(")")[2].split()
    return 0 if fields[_STATE] in "ZX" else int(fields[_START])
