"""A worker that finds that the one before it died in a walk proves the machine before it claims."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from db.models import State
from momalisa.render import StoredFilm
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.worker.machine import Machine
from momalisa.worker.sign_of_life import life_path
from momalisa.worker.supervisor import Supervisor
from tests.support.stub_worker import LOG, StubRenderer, stub_worker
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk, read_walk

DYING = """
import os, signal, time
from momalisa.settings import settings
from momalisa.worker.timing import Timing
from momalisa.worker.process import run_process
from momalisa.worker.stall import StageLimits
from tests.support.stub_worker import LOG, StubRenderer, load, render_still, stub_worker
home = settings().home
def die():
    if (home / "hangs").exists():
        time.sleep(3600)
    os.kill(os.getpid(), signal.SIGKILL)
def render(spec, **how):
    if (home / "broken").exists() or spec.frames == 2:
        die()
    return StubRenderer(home / LOG)(spec, **how)
def probe(*what):
    if (home / "probe-dies").exists():
        with (home / "probes").open("a") as log:
            print("one", file=log)
        die()
    return render_still(*what)
limits = StageLimits(loading=1, first_step=1, step=1, storing=1, confirm=0.5, react=1)
timing = Timing(heartbeat=0.1, poll=0.02, limits=limits, machine_pauses=(0.01, 0.2))
run_process(stub_worker(settings(), render=render, render_probe=probe, timing=timing))
"""


@contextmanager
def supervised(settings: Settings) -> Iterator[None]:
    command = [sys.executable, "-c", DYING]
    one = Supervisor(settings, command=command, pauses=(0.01, 0.05))
    one.start()
    try:
        yield
    finally:
        one.stop()


@pytest.mark.parametrize("how", ["crashes", "hangs"])
def test_machine_that_crashes_or_hangs_in_every_walk_burns_no_queue(
    settings: Settings, how: str
) -> None:
    """All walks failed: "The worker died 3 times at the same frame"."""
    for name in ("broken", how):
        (settings.home / name).touch()
    queued = [enqueue_walk(settings.database, frames=3 + n, maker=str(n)) for n in range(2)]

    def rows_now() -> list[int]:
        rows = [read_walk(settings.database, walk) for walk in queued]
        assert {row.state for row in rows} <= {State.QUEUED, State.RUNNING}
        return [row.deaths for row in rows]

    with supervised(settings):
        wait_until(lambda: min(rows_now()) >= 2, 120)
        wait_until(lambda: Machine(machine_path(settings), (1, 2)).failures >= 2, 120)


def machine_path(settings: Settings) -> Path:
    return life_path(settings).with_suffix(".json")


def test_machine_that_dies_in_its_probe_claims_no_walk(settings: Settings) -> None:
    for name in ("broken", "probe-dies"):
        (settings.home / name).touch()
    walk = enqueue_walk(settings.database, frames=3)
    with supervised(settings):
        log = settings.home / "probes"
        wait_until(lambda: log.exists() and len(log.read_text().split()) >= 3, 120)
        row = read_walk(settings.database, walk)
        assert (row.state, row.deaths) == (State.QUEUED, 1)
        for name in ("broken", "probe-dies"):
            (settings.home / name).unlink()
        wait_until(lambda: read_walk(settings.database, walk).state is State.DONE, 120)
    assert not machine_path(settings).exists()


def test_walk_that_alone_kills_its_workers_fails(settings: Settings) -> None:
    poison = enqueue_walk(settings.database, frames=2)
    with supervised(settings):
        wait_until(lambda: read_walk(settings.database, poison).state is State.FAILED, 120)
        sound = enqueue_walk(settings.database, frames=4)
        wait_until(lambda: read_walk(settings.database, sound).state is State.DONE, 120)
    assert read_walk(settings.database, poison).deaths == 3


def test_death_after_a_new_frame_says_nothing_about_the_machine(settings: Settings) -> None:
    """Kills with progress between them cause no pause."""
    work = life_path(settings).with_suffix(".work")
    seen: list[bool] = []
    walk = enqueue_walk(settings.database, frames=4)
    paint = StubRenderer(settings.home / LOG)

    def render(spec: WalkSpec, **how: Any) -> StoredFilm:
        seen.append(work.read_text() == walk.id)
        film = paint(spec, **how)
        seen.append(work.exists())
        return film

    stub_worker(settings, render=render).run(once=True)
    assert seen == [True, False]
