"""A worker whose renderer hangs, once for each walk that asks for it in its negative prompt.

`python -m tests.support.hanging_worker` runs it with the settings of the environment, as the
supervisor does. A negative prompt "hang asleep in frames" means: at the stage `frames`, asleep. At
the stage `loading` it is the model's name that says so.
"""

import ctypes
import hashlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from momalisa.engine.frame_cache import FrameCache
from momalisa.render import Progress, StoredFilm
from momalisa.settings import Settings, settings
from momalisa.spec import Place, WalkSpec
from momalisa.worker.process import run_process
from momalisa.worker.stall import StageLimits
from momalisa.worker.timing import Timing
from momalisa.worker.worker import Worker
from tests.support.stub_worker import LOG, StubRenderer, render_still, stub_worker

STAGES = ("loading", "frames", "film", "storing", "still")
LIMIT = 3.0
"""Seconds that a stage may stand still."""
SILENCE = (4.0, 60.0)
"""Seconds without a sign of life for the supervisor: while the worker runs, and until it does."""
LIMITS = StageLimits(
    loading=LIMIT, first_step=LIMIT, step=LIMIT, storing=LIMIT, confirm=0.5, react=1.0
)
TIMING = Timing(lease=4.0, heartbeat=0.2, poll=0.05, limits=LIMITS)


def hang_asleep() -> None:
    """Wait for what never comes, as for a lock or a driver."""
    time.sleep(3600)


def hang_holding() -> None:
    """Keep Python's lock in C code: no other thread of this process runs."""
    ctypes.PyDLL(None).sleep(3600)


def hang_stopped() -> None:
    """Stop the whole process, as a debugger or a frozen container does."""
    os.kill(os.getpid(), signal.SIGSTOP)


HANGS: dict[str, Callable[[], None]] = {
    "asleep": hang_asleep,
    "holding": hang_holding,
    "stopped": hang_stopped,
}


def request_hang(how: str, stage: str, number: int = 0) -> str:
    """The negative prompt of a walk whose renderer hangs once, or the name of its model.

    Requests with different numbers are followed once each.
    """
    return f"hang {how} in {stage} # {number}"


def has_hung(home: Settings, request: str) -> bool:
    """Whether a request to hang was followed."""
    return _mark(home, request).exists()


def hang_if_asked(home: Settings, request: str, stage: str) -> None:
    """Hang at this stage if that is requested and did not happen before."""
    how, _, where = request.partition(" # ")[0].removeprefix("hang ").partition(" in ")
    if where != stage:
        return
    try:
        _mark(home, request).touch(exist_ok=False)
    except FileExistsError:
        return
    HANGS[how]()


def _mark(home: Settings, request: str) -> Path:
    return home.home / f"hung-{hashlib.sha256(request.encode()).hexdigest()}"


def hanging_worker(home: Settings) -> Worker:
    """Build a worker whose model, renderer and stills hang where the walk says."""
    paint = StubRenderer(home.home / LOG, 0.05)

    def render(
        spec: WalkSpec, *, on_progress: Callable[[Progress], None], **how: Any
    ) -> StoredFilm:
        def follow(progress: Progress) -> None:
            on_progress(progress)
            if len(progress.ready) == spec.frames // 2:
                hang_if_asked(home, spec.negative, "frames")
            if len(progress.ready) == spec.frames:
                for stage in ("film", "storing"):
                    on_progress(Progress(stage, progress.ready, progress.total, samples=1))
                    hang_if_asked(home, spec.negative, stage)

        return paint(spec, on_progress=follow, **how)

    def still(spec: WalkSpec, place: Place, runner: str, cache: FrameCache) -> str:
        hang_if_asked(home, spec.negative, "still")
        return render_still(spec, place, runner, cache)

    def load(name: str, device: str) -> str:
        hang_if_asked(home, name, "loading")
        return name

    return stub_worker(home, load=load, render=render, render_still=still, timing=TIMING)


if __name__ == "__main__":
    run_process(hanging_worker(settings()))
