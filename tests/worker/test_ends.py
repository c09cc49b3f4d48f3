"""How a walk or its worker ends before its time: called off, asked to stop, killed."""

import signal
import threading
from typing import Any

import pytest

from db import walks
from db.models import State
from db.session import reading, writing
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from tests.support.stub_worker import Film, Painter, ask, at_work, child, made, row
from tests.support.waiting import until


def test_cancel_stops_a_running_walk(settings: Settings) -> None:
    walk, next_walk = ask(settings, frames=200), ask(settings, size=64)
    with at_work(settings, render=Painter(settings.home / "made.txt", 0.02)):
        until(lambda: row(settings, walk).progress)
        with writing(settings.database) as session:
            walks.cancel(session=session, walk_id=walk.id)
        until(lambda: row(settings, walk).state is State.CANCELLED, seconds=3)
        until(lambda: row(settings, next_walk).state is State.DONE)
    assert len(made(settings)) < 200


def test_stopping_gives_the_walk_back(settings: Settings) -> None:
    walk = ask(settings, frames=200)
    with at_work(settings, render=Painter(settings.home / "made.txt", 0.02)):
        until(lambda: row(settings, walk).progress)
    back = row(settings, walk)
    assert (back.state, back.deaths) == (State.QUEUED, 0)


def test_walk_goes_back_before_a_slow_renderer_notices(settings: Settings) -> None:
    walk = ask(settings)
    let_go = threading.Event()

    def deaf(_spec: WalkSpec, **_how: Any) -> Film:
        let_go.wait(10)
        return Film({"gif": "late.gif"}, 0)

    with at_work(settings, render=deaf) as one:
        until(lambda: row(settings, walk).state is State.RUNNING)
        one.stop()
        until(lambda: row(settings, walk).state is State.QUEUED)
        let_go.set()
    assert row(settings, walk).state is State.QUEUED


def test_killed_worker_loses_no_frame(settings: Settings) -> None:
    walk = ask(settings, frames=12)
    with child(settings, pace=0.1) as first:
        until(lambda: len(made(settings)) >= 3)
        first.kill()
    before = made(settings)
    assert row(settings, walk).state is State.RUNNING
    with child(settings, pace=0.0) as second:
        until(lambda: row(settings, walk).state is State.DONE)
        assert second.poll() is None
    done = row(settings, walk)
    keys = [key for _, key in done.progress]
    assert (done.attempt, done.deaths) == (2, 1)
    assert len(keys) == len(set(keys)) == 12
    assert len(made(settings)) == len(set(made(settings)))
    assert done.frames_computed <= 12 - len(before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_process_in_good_order(settings: Settings, number: int) -> None:
    walk = ask(settings, frames=200)
    with child(settings, pace=0.05) as process:
        until(lambda: row(settings, walk).progress)
        process.send_signal(number)
        assert process.wait(10) == 0
    back = row(settings, walk)
    assert (back.state, back.deaths) == (State.QUEUED, 0)
    with reading(settings.database) as session:
        assert walks.alive_workers(session=session) == []


def test_lost_parent_ends_a_supervised_worker(settings: Settings) -> None:
    walk = ask(settings, frames=200)
    with child(settings, pace=0.05, MOMALISA_SUPERVISED="1") as process:
        until(lambda: row(settings, walk).progress)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0
    assert row(settings, walk).state is State.QUEUED
