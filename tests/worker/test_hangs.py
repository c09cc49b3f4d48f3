"""A renderer that hangs is noticed: its walk goes back, and the next one is served."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from db import walks
from db.models import State, Walk
from db.session import writing
from momalisa.render import Progress, StoredFilm
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.worker import stall
from momalisa.worker.stall import StageLimits, StallWatch
from momalisa.worker.supervisor import Supervisor
from momalisa.worker.timing import Timing
from tests.support.hanging_worker import SILENCE, request_hang
from tests.support.results import stub_film
from tests.support.stub_worker import QUICK, read_still, request_still, stub_worker
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk, read_walk

DOING = {
    "loading": "loading its model",
    "frames": "painting",
    "film": "making the film",
    "storing": "storing the film",
}
COMMAND = [sys.executable, "-m", "tests.support.hanging_worker"]


@contextmanager
def supervised(settings: Settings) -> Iterator[Supervisor]:
    one = Supervisor(settings, command=COMMAND, pauses=(0.05, 0.2), silence=SILENCE)
    one.start()
    try:
        yield one
    finally:
        one.stop()


def is_done(settings: Settings, walk: Walk) -> bool:
    return read_walk(settings.database, walk).state is State.DONE


@pytest.mark.parametrize(
    ("how", "stage"),
    [
        *(("asleep", stage) for stage in ("loading", "frames", "film", "storing")),
        ("holding", "frames"),
        ("stopped", "frames"),
    ],
)
def test_walk_whose_renderer_hangs_is_made_by_the_next_process(
    settings: Settings, how: str, stage: str
) -> None:
    """It was never noticed: the heartbeats went on, and the next curator waited for ever."""
    where = "model" if stage == "loading" else "negative"
    hung = enqueue_walk(settings.database, frames=4, **{where: request_hang(how, stage)})
    other = enqueue_walk(settings.database, frames=5)
    with supervised(settings):
        wait_until(lambda: is_done(settings, hung) and is_done(settings, other), 180)
    row = read_walk(settings.database, hung)
    assert row.attempt >= 2
    assert len(row.troubles) == 1
    if how == "asleep":
        assert f"while {DOING[stage]}" in row.troubles[0]["reason"]


def test_hung_still_holds_nobody_up(settings: Settings) -> None:
    still = request_still(settings.database, 0.5, negative=request_hang("asleep", "still"))
    walk = enqueue_walk(settings.database, frames=4)
    with supervised(settings):
        wait_until(lambda: is_done(settings, walk), 180)
    assert read_still(settings.database, still).state in (State.FAILED, State.RUNNING)


def test_hung_walk_can_be_called_off(settings: Settings) -> None:
    """Cancel had no effect: only the renderer ended a cancelled walk."""
    hung = enqueue_walk(settings.database, frames=4, negative=request_hang("asleep", "frames"))
    other = enqueue_walk(settings.database, frames=5)
    with supervised(settings) as one:
        wait_until(lambda: len(read_walk(settings.database, hung).progress) == 2, 180)
        first = one.pid
        with writing(settings.database) as session:
            walks.cancel(session=session, walk_id=hung.id)
        wait_until(lambda: read_walk(settings.database, hung).state is State.CANCELLED, 60)
        wait_until(lambda: is_done(settings, other), 180)
        assert one.pid != first
    assert read_walk(settings.database, hung).troubles == []


@contextmanager
def hanging_in_a_frame(settings: Settings, limits: StageLimits) -> Iterator[threading.Event]:
    """Run a worker whose renderer hangs; the event is set once its process would be ended."""
    back, ended = threading.Event(), threading.Event()

    def hang(_spec: WalkSpec, **_how: Any) -> StoredFilm:
        back.wait(120)
        return stub_film({"gif": "late.gif"})

    one = stub_worker(settings, render=hang, timing=Timing(**QUICK, lease=600.0, limits=limits))
    thread = threading.Thread(target=one.run, kwargs={"force_exit": ended.set})
    thread.start()
    try:
        yield ended
    finally:
        back.set()
        one.stop()
        thread.join()


def test_walk_is_given_up_and_the_process_ended_where_nothing_moves(settings: Settings) -> None:
    """The lease was renewed for ever."""
    walk = enqueue_walk(settings.database, frames=4)
    with hanging_in_a_frame(settings, StageLimits(first_step=0.5)) as ended:
        assert ended.wait(30)
        row = read_walk(settings.database, walk)
        assert (row.state, row.owner, row.deaths) == (State.QUEUED, None, 1)


def test_cancelling_does_not_wait_until_the_renderer_counts_as_hung(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=4)
    limits = StageLimits(first_step=3600.0, confirm=0.2, react=0.2)
    with hanging_in_a_frame(settings, limits) as ended:
        wait_until(lambda: read_walk(settings.database, walk).state is State.RUNNING)
        with writing(settings.database) as session:
            walks.cancel(session=session, walk_id=walk.id)
        wait_until(lambda: read_walk(settings.database, walk).state is State.CANCELLED)
        assert ended.wait(30), "the next walk needs another process"


def test_worker_that_is_stopped_while_it_waits_is_replaced(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=4)
    with supervised(settings) as one:
        wait_until(lambda: is_done(settings, walk), 180)
        pid = one.pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        another = enqueue_walk(settings.database, frames=4)
        wait_until(lambda: is_done(settings, another), 180)
        assert one.pid != pid


def test_slow_renderer_that_moves_is_left_alone(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=80)
    with supervised(settings) as one:
        pid = wait_until(lambda: one.pid)
        wait_until(lambda: is_done(settings, walk), 180)
        assert one.pid == pid
    assert read_walk(settings.database, walk).deaths == 0


class TestLimits:
    """How long a renderer may stand still."""

    LIMITS = StageLimits(first_step=100.0, step=10.0, times_longest=5.0, react=2.0)

    @pytest.fixture
    def clock(self, monkeypatch: pytest.MonkeyPatch) -> list[float]:
        now = [time.monotonic()]
        monkeypatch.setattr(time, "monotonic", lambda: now[0])
        return now

    def wait(self, watch: StallWatch, clock: list[float], seconds: float) -> None:
        for _ in range(round(seconds)):
            clock[0] += 1.0
            watch.tick()

    def test_first_frames_of_a_model_may_take_long(self, clock: list[float]) -> None:
        watch = StallWatch(self.LIMITS)
        with watch.stage("frames", "sdxl", 1024):
            self.wait(watch, clock, 100)
            assert not watch.overrun()
            self.wait(watch, clock, 1)
            assert "101 s while painting" in watch.overrun()

    def test_later_ones_as_long_as_the_slowest_step_suggests(self, clock: list[float]) -> None:
        watch = StallWatch(self.LIMITS)
        with watch.stage("frames", "sdxl", 1024):
            self.wait(watch, clock, 4)
            watch.sign()
            watch.report(Progress("frames", (), 6, samples=1))
            assert watch.limit == 20.0
            self.wait(watch, clock, 40)
            watch.sign()
            assert watch.limit == 120.0, "not five times a pause that will not come again"
        with watch.stage("frames", "sdxl", 512):
            assert watch.limit == 100.0, "nothing is known of other sizes"

    def test_cached_frames_say_nothing_about_a_step(self, clock: list[float]) -> None:
        watch = StallWatch(self.LIMITS)
        with watch.stage("frames", "sdxl", 1024):
            watch.report(Progress("frames", ((0, "cached"),), 6))
            assert watch.limit == 100.0

    def test_time_in_which_nothing_ran_counts_for_nothing(self, clock: list[float]) -> None:
        """After a laptop's sleep, or SIGSTOP and SIGCONT."""
        watch = StallWatch(self.LIMITS)
        with watch.stage("storing"):
            clock[0] += 1_000_000
            watch.tick()
            assert not watch.overrun()

    def test_stage_that_is_interrupted_goes_on(self, clock: list[float]) -> None:
        watch = StallWatch(self.LIMITS)
        with watch.stage("frames", "atelier", 256):
            with watch.stage("loading"):
                assert watch.limit == self.LIMITS.loading
            assert watch.limit == 100.0
        assert watch.limit == float("inf")

    def test_bytes_that_are_read_show_that_a_model_is_loading(
        self, clock: list[float], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        count = [0]
        monkeypatch.setattr(stall, "_count_bytes", lambda: count[0])
        watch = StallWatch(StageLimits(loading=10.0))
        with watch.stage("loading"):
            for _ in range(5):
                self.wait(watch, clock, 9)
                count[0] += stall.MOVED_BYTES
                self.wait(watch, clock, 1)
            assert not watch.overrun()
            self.wait(watch, clock, 11)
            assert "while loading its model" in watch.overrun()
