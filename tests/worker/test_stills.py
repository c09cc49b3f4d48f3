"""Stills are rendered at once: by an idle worker, and between the frames of a walk."""

import time
from pathlib import Path
from typing import Any

import pytest

from db.models import State
from momalisa.engine.frame_cache import FrameCache, frame_key
from momalisa.errors import OutOfMemory
from momalisa.settings import Settings
from momalisa.spec import Place, WalkSpec
from momalisa.worker.time_share import may_interrupt
from momalisa.worker.timing import Timing
from tests.support.still_times import StillTimes
from tests.support.stub_worker import (
    LOG,
    QUICK,
    StubRenderer,
    read_still,
    render_still,
    rendered_keys,
    request_still,
    running_worker,
    stub_worker,
)
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk, read_walk, walk_spec


def test_idle_worker_answers(settings: Settings) -> None:
    with running_worker(settings):
        still_id = request_still(settings.database, 0.3)
        wait_until(lambda: read_still(settings.database, still_id).state is State.DONE)
    key = read_still(settings.database, still_id).key
    assert key == frame_key(walk_spec(), Place(0, 0.3), "atelier")
    assert FrameCache(settings.frame_cache).get(key) is not None


def test_active_walk_does_not_keep_a_still_waiting(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=200)
    with running_worker(settings, render=StubRenderer(settings.home / LOG, 0.1)):
        wait_until(lambda: rendered_keys(settings))
        still_id = request_still(settings.database, 0.3)
        wait_until(lambda: read_still(settings.database, still_id).state is State.DONE)
        assert read_walk(settings.database, walk).state is State.RUNNING


def test_walk_comes_after_one_still_however_many_wait(settings: Settings) -> None:
    """A slider that never rests must not hold up the queue."""
    order: list[str] = []

    def watched(spec: WalkSpec, **how: Any) -> Any:
        order.append("walk")
        return StubRenderer(settings.home / LOG)(spec, **how)

    def noted(*what: Any) -> str:
        order.append("still")
        return render_still(*what)

    enqueue_walk(settings.database, frames=2)
    for t in (0.1, 0.2, 0.3):
        request_still(settings.database, t)
    stub_worker(settings, render=watched, render_still=noted).run(once=True)
    assert order == ["still", "walk", "still", "still"]


def test_a_stream_of_stills_takes_at_most_half_of_a_walks_time(settings: Settings) -> None:
    """Stills after each frame, each as long as ten of them, left the walk a tenth of the time."""
    clock = StillTimes()

    def paint(*what: Any) -> str:
        with clock.painting_still():
            time.sleep(0.2)
            request_still(settings.database, len(clock.stills) / 1000)
            return render_still(*what)

    done = enqueue_walk(settings.database, frames=40)
    request_still(settings.database, 0.3)
    walk = clock.watch(StubRenderer(settings.home / LOG, 0.02))
    with running_worker(
        settings, render=walk, render_still=paint, timing=Timing(**QUICK | {"poll": 0.0})
    ):
        wait_until(lambda: read_walk(settings.database, done).state is State.DONE)
    clock.check_shares()


@pytest.mark.parametrize(
    ("still", "walk", "may"), [(0.0, 0.0, True), (2.0, 1.9, False), (2.0, 2.0, True)]
)
def test_a_still_waits_for_as_long_as_the_last_one_took(
    still: float, walk: float, may: bool
) -> None:
    assert may_interrupt(still_seconds=still, walk_seconds=walk) is may


def test_still_of_another_model_waits_for_the_active_walk(settings: Settings) -> None:
    """Two models may not fit into memory."""
    order: list[str] = []

    def load(name: str, _device: str) -> str:
        order.append(name)
        return name

    def walk(spec: WalkSpec, **how: Any) -> Any:
        request_still(settings.database, 0.3, model="other")
        film = StubRenderer(settings.home / LOG)(spec, **how)
        order.append("film")
        return film

    enqueue_walk(settings.database, frames=6)
    stub_worker(settings, load=load, render=walk, timing=Timing(poll=0.0)).run(once=True)
    assert order == ["atelier", "film", "other"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(OutOfMemory("Not even one."), "Not even one."), (RuntimeError(), "(RuntimeError)")],
)
def test_failed_still_is_reported_and_costs_no_walk(
    settings: Settings, error: Exception, sentence: str
) -> None:
    def refuse(*_what: Any) -> str:
        raise error

    still_id, walk = (
        request_still(settings.database, 0.3),
        enqueue_walk(settings.database, frames=6),
    )
    stub_worker(settings, render_still=refuse).run(once=True)
    failed = read_still(settings.database, still_id)
    assert failed.state is State.FAILED
    assert sentence in failed.error
    assert read_walk(settings.database, walk).state is State.DONE


def test_history_out_of_reach_costs_no_walk(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from db import stills

    def gone(**_how: Any) -> None:
        raise OSError("disk gone")

    def walk(spec: WalkSpec, **how: Any) -> Any:
        monkeypatch.setattr(stills, "claim", gone)
        film = StubRenderer(settings.home / LOG)(spec, **how)
        monkeypatch.undo()
        return film

    done = enqueue_walk(settings.database, frames=6)
    stub_worker(settings, render=walk, timing=Timing(poll=0.0)).run(once=True)
    assert read_walk(settings.database, done).state is State.DONE


def test_endpoint_paints_no_stills(tmp_path: Path, settings: Settings) -> None:
    still_id = request_still(settings.database, 0.3)
    elsewhere = Settings(home=tmp_path, endpoint="nowhere")
    stub_worker(elsewhere).run(once=True)
    assert "paints whole walks only" in read_still(settings.database, still_id).error
