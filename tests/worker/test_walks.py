"""What a worker makes of the walks in its queue, and what is seen of it meanwhile."""

import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from weakref import WeakSet

from db import walks
from db.models import State
from db.session import reading
from momalisa.settings import CHECKOUT, Settings
from momalisa.spec import WalkSpec
from momalisa.storage import LocalStorage
from tests.support.stub_worker import Film, Painter, ask, at_work, made, row, worker
from tests.support.waiting import until


def test_walk_becomes_a_film(settings: Settings) -> None:
    walk = ask(settings)
    worker(settings).run(once=True)
    done = row(settings, walk)
    assert (done.state, done.stage, done.owner) == (State.DONE, "", None)
    assert LocalStorage(Path(settings.store_root)).get(done.files["gif"]) == b"film"
    assert (done.seconds, done.sharpness, done.distances) == (0.5, 2.0, [0.25])
    assert [place for place, _ in done.progress] == [0, 1, 2, 3, 4, 5]


def test_record_says_what_the_history_knows(settings: Settings) -> None:
    walk = ask(settings)
    worker(settings).run(once=True)
    told = json.loads(
        LocalStorage(Path(settings.store_root)).get(row(settings, walk).files["json"])
    )
    assert told == {
        "accession": walk.accession,
        "created_at": walk.created_at.isoformat(),
        "parent": None,
    }


def test_once_means_until_the_queue_is_empty(settings: Settings) -> None:
    asked = [ask(settings, frames=frames) for frames in (2, 3, 4)]
    worker(settings).run(once=True)
    assert [row(settings, walk).state for walk in asked] == [State.DONE] * 3


def test_walk_is_made_where_it_was_ordered_from(settings: Settings) -> None:
    def at_the_endpoint(spec: WalkSpec, **how: Any) -> Film:
        return Painter(settings.home / "far.txt")(spec, runner="far", **how)

    near, far = ask(settings, frames=2), ask(settings, frames=3, remote=True)
    worker(settings, remote=at_the_endpoint).run(once=True)
    assert [row(settings, walk).state for walk in (near, far)] == [State.DONE] * 2
    assert len(made(settings)) == 2
    assert len((settings.home / "far.txt").read_text().split()) == 3


def test_model_is_loaded_once_for_walks_that_share_it(settings: Settings) -> None:
    loaded: list[tuple[str, str]] = []

    def remember(name: str, device: str) -> str:
        loaded.append((name, device))
        return name

    for model in ("atelier", "atelier", "other", "atelier"):
        ask(settings, model=model)
    worker(settings, load=remember).run(once=True)
    assert loaded == [("atelier", ""), ("other", ""), ("atelier", "")]


def test_one_model_is_let_go_before_the_next_comes(settings: Settings) -> None:
    alive: WeakSet[threading.Event] = WeakSet()

    def big(_name: str, _device: str) -> threading.Event:
        assert not alive
        model = threading.Event()
        alive.add(model)
        return model

    asked = [ask(settings, model=model) for model in ("one", "two")]
    worker(settings, load=big, render=lambda *_, **__: Film({}, 0)).run(once=True)
    assert [row(settings, walk).state for walk in asked] == [State.DONE] * 2


def test_progress_and_life_are_seen_from_outside(settings: Settings) -> None:
    walk = ask(settings)
    with at_work(settings, render=Painter(settings.home / "made.txt", 0.1)) as one:
        until(lambda: 0 < len(row(settings, walk).progress) < 6)
        with reading(settings.database) as session:
            assert [seen.name for seen in walks.alive_workers(session=session)] == [one.name]
        assert row(settings, walk).stage == "frames"
        until(lambda: row(settings, walk).state is State.DONE)
    with reading(settings.database) as session:
        assert walks.alive_workers(session=session) == []


def test_lease_is_kept_as_long_as_it_takes(settings: Settings) -> None:
    walk = ask(settings, frames=4)
    slow = Painter(settings.home / "made.txt", 0.25)
    with at_work(settings, render=slow, lease=0.5), at_work(settings, lease=0.5):
        until(lambda: row(settings, walk).state is State.DONE)
    assert row(settings, walk).attempt == 1
    assert len(made(settings)) == 4


def test_import_is_light() -> None:
    heavy = {"torch", "diffusers", "streamlit"}
    code = f"import sys, momalisa.worker.worker; print({heavy} & {{*sys.modules}})"
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "set()"
