"""Notices when the renderer stands still: no sign of life for longer than its stage may take."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from momalisa.render import Progress

LONGEST_TICK = 2.0
"""Most seconds that count between two ticks: what a process slept is not counted."""
MOVED_BYTES = 2**20
"""Bytes read or written since the last sign of life that are one: a model is loaded or fetched."""


_PAINTING = {"survey", "frames", "still"}


@dataclass(frozen=True)
class StageLimits:
    """Most seconds without a sign of life: a step, a frame, a file, or some bytes of a model."""

    loading: float = 1800.0
    first_step: float = 1800.0
    """Until a model has painted its first frames of a size."""
    step: float = 300.0
    """Afterwards, at least; a model whose steps take long gets `times_longest` its longest."""
    times_longest: float = 30.0
    storing: float = 1800.0
    confirm: float = 5.0
    """Seconds that the renderer has to notice a cancellation before the row says cancelled."""
    react: float = 20.0
    """Seconds, at least, in which it must let go of a walk that is no longer its own."""


class _Stage(NamedTuple):
    """What the renderer is busy with; nothing is watched while `name` is empty."""

    name: str = ""
    kind: tuple[str, int] = ("", 0)
    """The model and the pixels of a picture, which decide how long a step takes."""


class StallWatch:
    """Counts the seconds since the renderer's last sign of life.

    The renderer's thread calls `stage`, `report` and `sign`, the heartbeat's thread `tick`. Only
    seconds in which that thread ran are counted, so a machine that slept does no harm.
    """

    def __init__(self, limits: StageLimits) -> None:
        self.limits = limits
        self._lock = threading.Lock()
        self._stage = _Stage()
        self._silent = 0.0
        self._last_tick = time.monotonic()
        self._bytes = 0
        self._longest: dict[tuple[str, int], float] = {}
        self._painted: set[tuple[str, int]] = set()

    @contextmanager
    def stage(self, name: str, model: str = "", pixels: int = 0) -> Iterator[None]:
        """Watch the body as a stage, afterwards the stage that it interrupted."""
        before = self._stage
        self._enter(_Stage(name, (model, pixels)))
        try:
            yield
        finally:
            self._enter(before)

    def report(self, progress: Progress) -> None:
        """Note a walk's progress: a sign of life, and the stage that it is in."""
        self.sign()
        stage = self._stage._replace(name=progress.stage)
        if progress.samples:
            self._painted.add(stage.kind)
        if stage != self._stage:
            self._enter(stage)

    def sign(self) -> None:
        """Note that the renderer moves."""
        with self._lock:
            name, kind = self._stage
            if name in _PAINTING:
                self._longest[kind] = max(self._silent, self._longest.get(kind, 0.0))
            self._silent = 0.0

    def tick(self) -> None:
        """Count the seconds since the last tick."""
        now = time.monotonic()
        passed, self._last_tick = now - self._last_tick, now
        has_moved = self._stage.name == "loading" and self._bytes_have_moved()
        with self._lock:
            self._silent = 0.0 if has_moved else self._silent + min(passed, LONGEST_TICK)

    @property
    def limit(self) -> float:
        """Most seconds without a sign of life in the current stage."""
        stage, limits = self._stage, self.limits
        match stage.name:
            case "":
                return float("inf")
            case "loading":
                return limits.loading
            case "storing":
                return limits.storing
        if stage.name in _PAINTING and stage.kind not in self._painted:
            return limits.first_step
        # One long pause of the machine must not raise the limit to hours.
        longest = self._longest.get(stage.kind, 0.0)
        most = max(limits.first_step, 3 * longest)
        return max(limits.step, min(limits.times_longest * longest, most))

    @property
    def reaction_limit(self) -> float:
        """Most seconds in which the renderer notices that its walk is no longer its own."""
        stage, react = self._stage, self.limits.react
        if stage.name in ("loading", "storing"):
            return min(self.limit, 10 * react)
        unknown = stage.name in _PAINTING and stage.kind not in self._painted
        longest = 3 * self._longest.get(stage.kind, 0.0)
        return min(self.limit, max(5 * react if unknown else react, longest))

    @property
    def is_loading(self) -> bool:
        """Whether a model is being loaded."""
        return self._stage.name == "loading"

    @property
    def may_store(self) -> bool:
        """Whether the renderer may be storing its film right now."""
        return self._stage.name == "storing"

    def overrun(self) -> str:
        """What stands still, and for how long; empty while the renderer moves."""
        if self._silent <= self.limit:
            return ""
        stage = self._stage.name
        doing = "painting" if stage in _PAINTING else _DOING.get(stage, "working")
        return f"stood still for {self._silent:.0f} s while {doing}"

    def _enter(self, stage: _Stage) -> None:
        with self._lock:
            self._stage, self._silent = stage, 0.0
            self._bytes = _count_bytes()

    def _bytes_have_moved(self) -> bool:
        moved = _count_bytes()
        if moved - self._bytes < MOVED_BYTES:
            return False
        self._bytes = moved
        return True


_DOING = {
    "loading": "loading its model",
    "film": "making the film",
    "storing": "storing the film",
}


def _count_bytes() -> int:
    """Bytes that all threads but this one have read and written so far; 0 if that is not told."""
    try:
        return _sum_bytes(Path("/proc/self/io")) - _sum_bytes(Path("/proc/thread-self/io"))
    except OSError:
        return 0


def _sum_bytes(path: Path) -> int:
    counts = dict(line.split(": ") for line in path.read_text().splitlines())
    return sum(int(counts[name]) for name in ("rchar", "wchar", "read_bytes"))
