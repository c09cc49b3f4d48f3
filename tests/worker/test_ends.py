"""A walk is cancelled, or its worker stopped or killed, before the film is finished."""

import signal
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from db import walks, worker_registry
from db.models import State
from db.session import reading, writing
from momalisa.render import StoredFilm
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.worker import lease
from momalisa.worker.live_socket import socket_path
from tests.support.results import stub_film
from tests.support.stub_worker import (
    LOG,
    StubRenderer,
    rendered_keys,
    running_worker,
    stub_worker,
    worker_process,
)
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk, read_walk


def test_cancel_stops_a_running_walk(settings: Settings) -> None:
    walk, next_walk = (
        enqueue_walk(settings.database, frames=200),
        enqueue_walk(settings.database, size=64),
    )
    with running_worker(settings, render=StubRenderer(settings.home / LOG, 0.1)):
        wait_until(lambda: read_walk(settings.database, walk).progress)
        with writing(settings.database) as session:
            walks.cancel(session=session, walk_id=walk.id)
        wait_until(lambda: read_walk(settings.database, walk).state is State.CANCELLED)
        wait_until(lambda: read_walk(settings.database, next_walk).state is State.DONE)
    assert len(rendered_keys(settings)) < 200


def test_stopping_gives_the_walk_back(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=200)
    with running_worker(settings, render=StubRenderer(settings.home / LOG, 0.1)):
        wait_until(lambda: read_walk(settings.database, walk).progress)
    back = read_walk(settings.database, walk)
    assert (back.state, back.deaths) == (State.QUEUED, 0)


def test_walk_goes_back_before_a_slow_renderer_notices(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=6)
    let_go = threading.Event()

    def deaf(_spec: WalkSpec, **_how: Any) -> StoredFilm:
        let_go.wait(60)
        return stub_film({"gif": "late.gif"})

    with running_worker(settings, render=deaf) as one:
        wait_until(lambda: read_walk(settings.database, walk).state is State.RUNNING)
        one.stop()
        wait_until(lambda: read_walk(settings.database, walk).state is State.QUEUED)
        let_go.set()
    assert read_walk(settings.database, walk).state is State.QUEUED


def test_killed_worker_loses_no_frame(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=100)
    with worker_process(settings, seconds_a_frame=0.1) as first:
        wait_until(lambda: len(rendered_keys(settings)) >= 3)
        first.kill()
    before = rendered_keys(settings)
    assert read_walk(settings.database, walk).state is State.RUNNING
    with worker_process(settings, seconds_a_frame=0.0) as second:
        wait_until(lambda: read_walk(settings.database, walk).state is State.DONE)
        assert second.poll() is None
    done = read_walk(settings.database, walk)
    keys = [key for _, key in done.progress]
    assert (done.attempt, done.deaths) == (2, 1)
    assert len(keys) == len(set(keys)) == 100
    assert len(rendered_keys(settings)) == len(set(rendered_keys(settings)))
    assert done.frames_computed <= 100 - len(before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_process_in_good_order(settings: Settings, number: int) -> None:
    walk = enqueue_walk(settings.database, frames=200)
    with worker_process(settings, seconds_a_frame=0.1) as process:
        wait_until(lambda: read_walk(settings.database, walk).progress)
        process.send_signal(number)
        assert process.wait(60) == 0
    back = read_walk(settings.database, walk)
    assert (back.state, back.deaths) == (State.QUEUED, 0)
    with reading(settings.database) as session:
        assert worker_registry.list_alive(session=session) == []


def test_lost_parent_ends_a_supervised_worker(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=200)
    with worker_process(settings, seconds_a_frame=0.1, MOMALISA_SUPERVISED="1") as process:
        wait_until(lambda: read_walk(settings.database, walk).progress)
        assert process.stdin is not None
        process.stdin.close()
        process.wait(60)
    back = read_walk(settings.database, walk)
    assert (back.state, back.deaths) == (State.QUEUED, 0)


def test_a_worker_that_is_stopped_while_it_loads_its_model_does_not_wait_for_that(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopping an app that had just started took ten seconds."""
    monkeypatch.setattr(lease, "GRACE", 3600.0)
    loading, loaded, ended = threading.Event(), threading.Event(), threading.Event()

    def load(*_: object) -> SimpleNamespace:
        loading.set()
        loaded.wait(120)
        return SimpleNamespace(device="stub")

    one = stub_worker(settings, load=load)
    thread = threading.Thread(target=one.run, kwargs={"force_exit": ended.set})
    thread.start()
    try:
        assert loading.wait(60)
        one.stop()
        assert ended.wait(60)
        assert one.may_exit
        assert not socket_path(settings).exists()
        with reading(settings.database) as session:
            assert not worker_registry.list_alive(session=session, within_seconds=3600.0)
    finally:
        loaded.set()
        one.stop()
        thread.join()
