"""Faults of this machine in a row, kept over restarts: when to try again, and whom to blame.

After a fault no walk is claimed until the machine has proved to be well. A walk takes the blame
only if no other walk has failed here since the last success: where several fail, the machine does.
"""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, ValidationError

from momalisa.files import write_atomically

SHOWN_AFTER = 3
"""Faults in a row after which the pages tell of the machine's problem."""
_MOST_SUSPECTS = 100
_DIED = (
    "The worker's process crashed, hung, or was killed at its work. The machine's memory may be "
    "full, or the driver of its device broken."
)


class _Record(BaseModel):
    """What is kept over restarts."""

    failures: int = 0
    problem: str = ""
    paused_until: float = 0.0
    """Unix time."""
    suspects: list[str] = []
    """Ids of the walks that failed here since the last success."""


class Machine:
    """The faults of a machine in a row; `pauses` are the first one and the longest, in seconds."""

    def __init__(self, path: Path, pauses: tuple[float, float]) -> None:
        self._path = path
        self._work_path = path.with_suffix(".work")
        self._first, self._longest = pauses
        self._proved = False
        try:
            self._record = _Record.model_validate_json(path.read_bytes())
        except (OSError, ValidationError):
            self._record = _Record()

    @property
    def failures(self) -> int:
        """Faults in a row: since the last walk that succeeded, or the last proof."""
        return self._record.failures

    @property
    def problem(self) -> str:
        """The sentence about the last fault, while the machine has not proved to be well."""
        return self._record.problem

    @property
    def problem_to_show(self) -> str:
        """The same, empty as long as it may be a single fault."""
        return self.problem if self.failures >= SHOWN_AFTER else ""

    @property
    def needs_proof(self) -> bool:
        """Whether the machine failed and has not proved to be well since."""
        return self.failures > 0 and not self._proved

    @property
    def seconds_left(self) -> float:
        """Seconds until it is to be tried again; never more than the longest pause."""
        return max(0.0, min(self._record.paused_until - time.time(), self._longest))

    def note_fault(self, problem: str, walk_id: str = "") -> None:
        """Count a fault, of a walk or of a proof; the pause doubles with each."""
        failures = self.failures + 1
        pause = min(self._first * 2.0 ** min(failures - 1, 60), self._longest)
        suspects = [one for one in self._record.suspects if one != walk_id]
        suspects += [walk_id] if walk_id else []
        self._proved = False
        self._write(
            _Record(
                failures=failures,
                problem=problem,
                paused_until=time.time() + pause,
                suspects=suspects[-_MOST_SUSPECTS:],
            )
        )

    @contextmanager
    def at_work(self, walk_id: str = "") -> Iterator[None]:
        """Let the next process know, if this one dies in the body, at which walk it did.

        Without a walk's id it is at its probe, or loads its model.
        """
        with suppress(OSError):
            self._work_path.parent.mkdir(parents=True, exist_ok=True)
            self._work_path.write_text(walk_id)
        try:
            yield
        finally:
            self.forget_work()

    def forget_work(self) -> None:
        """Let a death from here on say nothing about this machine."""
        with suppress(OSError):
            self._work_path.unlink(missing_ok=True)

    def note_death(self) -> None:
        """Count a fault if the process before this one died at its work."""
        try:
            walk_id = self._work_path.read_text()
        except (OSError, ValueError):
            return
        self.note_fault(_DIED, walk_id)
        self.forget_work()

    def note_proof(self) -> None:
        """Note that the machine is well as far as can be seen; only a walk's success clears all."""
        self._proved = True
        suspects = self._record.suspects
        self._write(_Record(failures=len(suspects), suspects=suspects))

    def note_success(self) -> None:
        """Note that a walk was rendered: what failed before was that walk's fault."""
        if self.failures:
            self._write(_Record())

    def forget_suspect(self, walk_id: str) -> None:
        """Note that a walk was given up: it says nothing about those that fail after it."""
        suspects = [one for one in self._record.suspects if one != walk_id]
        self._write(self._record.model_copy(update={"suspects": suspects}))

    def is_only_suspect(self, walk_id: str) -> bool:
        """Whether no other walk failed here since the last success."""
        return set(self._record.suspects) <= {walk_id}

    def _write(self, record: _Record) -> None:
        """Keep the record in memory and, where the disk allows it, over a restart."""
        self._record = record
        with suppress(OSError):
            if record == _Record():
                self._path.unlink(missing_ok=True)
            else:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                data = json.dumps(record.model_dump(), ensure_ascii=False).encode()
                write_atomically(self._path, data)
