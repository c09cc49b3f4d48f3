"""A worker renders the walks of its queue and reports its progress."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakSet

from db import worker_registry
from db.models import State, Walk
from db.session import reading, writing
from momalisa.models.registry import digest_of
from momalisa.render import Progress, StoredFilm
from momalisa.settings import CHECKOUT, Settings
from momalisa.spec import WalkSpec
from momalisa.storage import LocalStorage
from momalisa.worker.active_job import ActiveJob
from momalisa.worker.live_socket import socket_path, wake_workers
from momalisa.worker.timing import Timing
from tests.support.results import stub_film
from tests.support.stub_worker import (
    LOG,
    QUICK,
    StubRenderer,
    rendered_keys,
    running_worker,
    stub_worker,
)
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk, read_walk


def test_walk_becomes_a_film(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=6)
    stub_worker(settings).run(once=True)
    done = read_walk(settings.database, walk)
    assert (done.state, done.stage, done.owner) == (State.DONE, "", None)
    assert LocalStorage(Path(settings.store_root)).get(done.files["gif"]) == b"film"
    assert (done.seconds, done.sharpness, done.distances) == (0.5, 2.0, [0.25])
    assert [place for place, _ in done.progress] == [0, 1, 2, 3, 4, 5]


def test_row_names_the_pictures_of_all_attempts(settings: Settings) -> None:
    """Deleting the film takes them from the cache."""
    walk = enqueue_walk(settings.database, frames=3)
    walk.progress = [[0, "a"], [1, "b", "rough"], [1, "c", "replaced"]]
    job = ActiveJob(walk, "worker")
    job.report(Progress("frames", ((0, "a"), (1, "e")), 3, ((2, "f"),), 0, ((2, "g"),)))
    assert job.changes()[0]["progress"] == [
        *([0, "a"], [1, "e"], [2, "f", "rough"]),
        *([1, "b", "replaced"], [1, "c", "replaced"], [2, "g", "replaced"]),
    ]


def test_record_says_what_the_history_knows(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=6)
    stub_worker(settings).run(once=True)
    record = json.loads(
        LocalStorage(Path(settings.store_root)).get(
            read_walk(settings.database, walk).files["json"]
        )
    )
    done = read_walk(settings.database, walk)
    assert {name: record[name] for name in ("accession", "maker", "parent", "title")} == {
        name: getattr(done, name) for name in ("accession", "maker", "parent", "title")
    }
    for name in ("created_at", "started_at", "finished_at", "edited_at"):
        assert record[name] == getattr(done, name).isoformat()
    assert done.recorded_at == done.edited_at


def test_once_means_until_the_queue_is_empty(settings: Settings) -> None:
    queued = [enqueue_walk(settings.database, frames=frames) for frames in (2, 3, 4)]
    stub_worker(settings).run(once=True)
    assert [read_walk(settings.database, walk).state for walk in queued] == [State.DONE] * 3


def test_remote_walk_is_rendered_at_the_endpoint(settings: Settings) -> None:
    def at_the_endpoint(spec: WalkSpec, **how: Any) -> StoredFilm:
        return StubRenderer(settings.home / "far.txt")(spec, runner="far", **how)

    near, far = (
        enqueue_walk(settings.database, frames=2),
        enqueue_walk(settings.database, frames=3, remote=True),
    )
    stub_worker(settings, remote=at_the_endpoint).run(once=True)
    assert [read_walk(settings.database, walk).state for walk in (near, far)] == [State.DONE] * 2
    assert len(rendered_keys(settings)) == 2
    assert len((settings.home / "far.txt").read_text().split()) == 3


def test_model_is_loaded_once_for_walks_that_share_it(settings: Settings) -> None:
    loaded: list[tuple[str, str]] = []

    def remember(name: str, device: str) -> str:
        loaded.append((name, device))
        return name

    for model in ("atelier", "atelier", "other", "atelier"):
        enqueue_walk(settings.database, model=model)
    stub_worker(settings, load=remember).run(once=True)
    assert loaded == [("atelier", ""), ("other", ""), ("atelier", "")]


def test_a_worker_is_ready_once_its_model_is_loaded(settings: Settings) -> None:
    """Only then the app's lowers its priority: meanwhile people wait for it."""
    order: list[str] = []
    worker = stub_worker(settings, load=lambda _name, _device: order.append("loaded"))

    def when_ready() -> None:
        order.append("ready")
        worker.stop()

    worker.run(when_ready=when_ready)
    assert order == ["loaded", "ready"]


def test_a_film_is_made_again_with_the_weights_it_had(settings: Settings) -> None:
    loaded: list[str] = []
    walk = enqueue_walk(settings.database)
    with writing(settings.database) as session:
        session.get_one(Walk, walk.id).model_digest = digest_of("atelier-base")
    stub_worker(settings, load=lambda name, _device: loaded.append(name)).run(once=True)
    assert loaded == ["atelier-base"]


def test_one_model_is_let_go_before_the_next_comes(settings: Settings) -> None:
    alive: WeakSet[threading.Event] = WeakSet()

    def big(_name: str, _device: str) -> threading.Event:
        assert not alive
        model = threading.Event()
        alive.add(model)
        return model

    queued = [enqueue_walk(settings.database, model=model) for model in ("one", "two")]
    stub_worker(settings, load=big, render=lambda *_, **__: stub_film({})).run(once=True)
    assert [read_walk(settings.database, walk).state for walk in queued] == [State.DONE] * 2


def test_progress_and_heartbeat_are_visible(settings: Settings) -> None:
    was_seen = threading.Event()

    def render(
        spec: WalkSpec, *, on_progress: Callable[[Progress], None], **how: Any
    ) -> StoredFilm:
        def follow(progress: Progress) -> None:
            on_progress(progress)
            if len(progress.ready) == 3:
                was_seen.wait(60)

        return StubRenderer(settings.home / LOG)(spec, on_progress=follow, **how)

    walk = enqueue_walk(settings.database, frames=6)
    with running_worker(settings, render=render) as one:
        wait_until(lambda: len(read_walk(settings.database, walk).progress) == 3)
        with reading(settings.database) as session:
            assert [seen.name for seen in worker_registry.list_alive(session=session)] == [one.name]
        assert read_walk(settings.database, walk).stage == "frames"
        was_seen.set()
        wait_until(lambda: read_walk(settings.database, walk).state is State.DONE)
    with reading(settings.database) as session:
        assert worker_registry.list_alive(session=session) == []


def test_lease_is_kept_as_long_as_it_takes(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=4)
    slow = StubRenderer(settings.home / LOG, 1.5)
    brief = Timing(lease=4.0, heartbeat=0.05, poll=0.02)
    with (
        running_worker(settings, render=slow, timing=brief),
        running_worker(settings, timing=brief),
    ):
        wait_until(lambda: read_walk(settings.database, walk).state is State.DONE)
    assert read_walk(settings.database, walk).attempt == 1
    assert len(rendered_keys(settings)) == 4


def test_import_is_light() -> None:
    heavy = {"torch", "diffusers", "streamlit"}
    code = f"import sys, momalisa.worker.worker; print({heavy} & {{*sys.modules}})"
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "set()"


def test_the_model_is_traced_while_the_worker_is_idle(settings: Settings) -> None:
    """Not before the first walk, which may be waiting already."""

    class Model:
        def __init__(self) -> None:
            self.traced_after: list[list[str]] = []

        def trace(self) -> None:
            self.traced_after.append(rendered_keys(settings))

    model = Model()
    enqueue_walk(settings.database, frames=3)
    options: dict[str, Any] = {"load": lambda name, device: model}
    options["render"] = lambda spec, *, runner, **rest: StubRenderer(settings.home / LOG)(
        spec, runner="atelier", **rest
    )
    with running_worker(settings, **options):
        wait_until(lambda: model.traced_after)
    assert len(model.traced_after[0]) == 3


def test_an_idle_worker_that_is_woken_takes_a_walk_up_at_once(settings: Settings) -> None:
    seldom = Timing(**QUICK | {"poll": 3600.0})
    with running_worker(settings, timing=seldom) as worker:
        wait_until(lambda: socket_path(settings).exists())
        walk = enqueue_walk(settings.database, frames=2)

        def is_done() -> bool:
            wake_workers(settings)
            return read_walk(settings.database, walk).state is State.DONE

        wait_until(is_done)
        worker.stop()
        wake_workers(settings)


def test_first_frames_are_told_before_the_next_heartbeat_is_due(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=3)
    seldom = Timing(**QUICK | {"heartbeat": 3600.0, "lease": 3600.0})
    shown = threading.Event()

    def render(*_: Any, on_progress: Any, **__: Any) -> StoredFilm:
        on_progress(Progress("frames", ((0, "a"),), 3))
        shown.wait(60)
        return stub_film({})

    with running_worker(settings, render=render, timing=seldom):
        try:
            wait_until(lambda: read_walk(settings.database, walk).progress == [[0, "a"]])
        finally:
            shown.set()
