"""Stills are answered at once: by an idle worker, and between the frames of a walk."""

from pathlib import Path
from typing import Any

import pytest

from db.models import State
from momalisa.engine.frame_cache import FrameCache, frame_key
from momalisa.errors import OutOfMemory
from momalisa.settings import Settings
from momalisa.spec import Place, WalkSpec
from tests.support.stub_worker import (
    STOPS,
    Painter,
    ask,
    ask_still,
    at_work,
    made,
    row,
    still,
    still_row,
    worker,
)
from tests.support.waiting import until


def test_idle_worker_answers(settings: Settings) -> None:
    with at_work(settings):
        still_id = ask_still(settings, 0.3)
        until(lambda: still_row(settings, still_id).state is State.DONE)
    key = still_row(settings, still_id).key
    assert key == frame_key(WalkSpec(stops=STOPS), Place(0, 0.3), "atelier")
    assert FrameCache(settings.frame_cache).get(key) is not None


def test_walk_in_hand_does_not_keep_a_still_waiting(settings: Settings) -> None:
    walk = ask(settings, frames=200)
    with at_work(settings, render=Painter(settings.home / "made.txt", 0.02)):
        until(lambda: made(settings))
        still_id = ask_still(settings, 0.3)
        until(lambda: still_row(settings, still_id).state is State.DONE)
        assert row(settings, walk).state is State.RUNNING


def test_walk_comes_after_one_still_however_many_wait(settings: Settings) -> None:
    """A slider that never rests must not hold up the queue."""
    order: list[str] = []

    def watched(spec: WalkSpec, **how: Any) -> Any:
        order.append("walk")
        return Painter(settings.home / "made.txt")(spec, **how)

    def noted(*what: Any) -> str:
        order.append("still")
        return still(*what)

    ask(settings, frames=2)
    for t in (0.1, 0.2, 0.3):
        ask_still(settings, t)
    worker(settings, render=watched, still=noted).run(once=True)
    assert order == ["still", "walk", "still", "still"]


def test_another_model_waits_for_the_walk_in_hand(settings: Settings) -> None:
    """Two models may not fit into memory."""
    order: list[str] = []

    def load(name: str, _device: str) -> str:
        order.append(name)
        return name

    def walk(spec: WalkSpec, **how: Any) -> Any:
        ask_still(settings, 0.3, model="other")
        film = Painter(settings.home / "made.txt")(spec, **how)
        order.append("film")
        return film

    ask(settings)
    worker(settings, load=load, render=walk, poll=0).run(once=True)
    assert order == ["atelier", "film", "other"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(OutOfMemory("Not even one."), "Not even one."), (RuntimeError(), "(RuntimeError)")],
)
def test_failed_still_is_said_and_costs_no_walk(
    settings: Settings, error: Exception, sentence: str
) -> None:
    def refuse(*_what: Any) -> str:
        raise error

    still_id, walk = ask_still(settings, 0.3), ask(settings)
    worker(settings, still=refuse).run(once=True)
    failed = still_row(settings, still_id)
    assert failed.state is State.FAILED
    assert sentence in failed.error
    assert row(settings, walk).state is State.DONE


def test_history_out_of_reach_costs_no_walk(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from db import stills

    def gone(**_how: Any) -> None:
        raise OSError("disk gone")

    def walk(spec: WalkSpec, **how: Any) -> Any:
        monkeypatch.setattr(stills, "claim", gone)
        film = Painter(settings.home / "made.txt")(spec, **how)
        monkeypatch.undo()
        return film

    done = ask(settings)
    worker(settings, render=walk, poll=0).run(once=True)
    assert row(settings, done).state is State.DONE


def test_endpoint_paints_no_stills(tmp_path: Path, settings: Settings) -> None:
    still_id = ask_still(settings, 0.3)
    elsewhere = Settings(home=tmp_path, endpoint="nowhere")
    worker(elsewhere).run(once=True)
    assert "paints whole walks only" in still_row(settings, still_id).error
