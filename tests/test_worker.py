"""Laws of the worker, with a small renderer of its own: real frames, painted slowly.

Run as a script, this file is such a worker: `python tests/test_worker.py HOME SECONDS_A_FRAME`.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
import pytest

from db import walks
from db.models import State, Walk
from db.session import engine_for, migrate, reading, writing
from momalisa.errors import Cancelled, ModelNotFound, OutOfMemory
from momalisa.frames import FrameCache, frame_key
from momalisa.outbox import File, Outbox, deliver, outbox_of
from momalisa.settings import CHECKOUT, Settings
from momalisa.spec import WalkSpec
from momalisa.storage import LocalStorage, Storage, film_key
from momalisa.worker import Worker, run_process

STOPS: Any = ({"prompt": "a red square"}, {"prompt": "a stormy sea"})


@dataclass(frozen=True)
class Report:
    stage: str
    ready: tuple[tuple[int, str], ...]
    total: int
    rough: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True)
class Film:
    files: dict[str, str]
    frames_computed: int
    bytes: int = 4
    sha256: str = "5a"
    seconds: float = 0.5
    seconds_to_load: float = 0.1
    unet_samples: int = 8
    distances: list[float] = field(default_factory=lambda: [0.25])
    evenness: float = 1.0
    sharpness: float = 2.0
    device: str = "cpu"
    dtype: str = "float32"
    model_digest: str = "stub"
    waiting: bool = False


@dataclass
class Painter:
    """A renderer whose model is a number of seconds a frame."""

    made: Path
    pace: float = 0.0

    def __call__(
        self,
        spec: WalkSpec,
        *,
        walk_id: str,
        model: str,
        cache: FrameCache,
        storage: Storage,
        outbox: Outbox,
        entry: dict[str, Any],
        on_progress: Callable[[Report], None],
        cancelled: Callable[[], bool],
    ) -> Film:
        ready: list[tuple[int, str]] = []
        made = 0
        for index, place in enumerate(spec.places()):
            key = frame_key(spec, place, model)
            if cancelled():
                raise Cancelled("called off")
            if cache.get(key) is None:
                time.sleep(self.pace)
                cache.put(key, np.full((8, 8, 3), index, np.uint8))
                with self.made.open("a") as log:
                    log.write(f"{key}\n")
                made += 1
            ready.append((index, key))
            on_progress(Report("frames", tuple(ready), spec.frames))
        files = {"gif": film_key(walk_id, "film.gif"), "json": film_key(walk_id, "walk.json")}
        film, record = File(files["gif"], b"film"), File(files["json"], json.dumps(entry).encode())
        return Film(files, made, waiting=deliver([film, record], storage, outbox))


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(home=tmp_path)
    migrate(settings.database)
    yield settings
    engine_for(settings.database).dispose()


def ask(settings: Settings, **choice: Any) -> Walk:
    spec = WalkSpec(stops=STOPS, **{"frames": 6} | choice)
    with writing(settings.database) as session:
        return walks.enqueue(
            session=session,
            spec=spec.model_dump(mode="json"),
            digest=spec.digest(),
            title=spec.title(),
            frames_total=len(spec.places()),
        )


def row(settings: Settings, walk: Walk) -> Walk:
    with reading(settings.database) as session:
        return session.get_one(Walk, walk.id)


def until(true: Callable[[], object], seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def load(name: str, device: str) -> str:
    return name


def worker(settings: Settings, **how: Any) -> Worker:
    quick: dict[str, Any] = {
        "load": load,
        "render": Painter(settings.home / "made.txt"),
        "beat": 0.05,
    }
    return Worker(settings, **quick | {"poll": 0.02} | how)


@contextmanager
def at_work(settings: Settings, **how: Any) -> Iterator[Worker]:
    """A worker in a thread of this process."""
    one = worker(settings, **how)
    thread = threading.Thread(target=one.run)
    thread.start()
    try:
        yield one
    finally:
        one.stop()
        thread.join()


def made(settings: Settings) -> list[str]:
    path = settings.home / "made.txt"
    return path.read_text().split() if path.exists() else []


def test_walk_becomes_a_film(settings: Settings) -> None:
    walk = ask(settings)
    worker(settings).run(once=True)
    done = row(settings, walk)
    assert (done.state, done.stage, done.owner) == (State.DONE, "", None)
    assert LocalStorage(Path(settings.store_root)).get(done.files["gif"]) == b"film"
    assert (done.seconds, done.sharpness, done.distances) == (0.5, 2.0, [0.25])
    assert [place for place, _ in done.progress] == [0, 1, 2, 3, 4, 5]


def test_once_means_until_the_queue_is_empty(settings: Settings) -> None:
    asked = [ask(settings, frames=frames) for frames in (2, 3, 4)]
    worker(settings).run(once=True)
    assert [row(settings, walk).state for walk in asked] == [State.DONE] * 3


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


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OutOfMemory("Not even one frame fits."), "Not even one frame fits."),
        (RuntimeError("shape"), "unforeseen happened to this film (RuntimeError)"),
        (KeyError("x"), "(KeyError)"),
        (Cancelled("nobody asked"), "nobody asked"),
    ],
)
def test_no_error_of_a_walk_ends_the_worker(
    settings: Settings, error: Exception, sentence: str
) -> None:
    painter = Painter(settings.home / "made.txt")

    def stumble(spec: WalkSpec, **how: Any) -> Film:
        if spec.frames == 2:
            raise error
        return painter(spec, **how)

    bad, good = ask(settings, frames=2), ask(settings, frames=3)
    worker(settings, render=stumble).run(once=True)
    failed = row(settings, bad)
    assert failed.state is State.FAILED
    assert sentence in failed.error
    assert row(settings, good).state is State.DONE


def test_missing_model_is_said(settings: Settings) -> None:
    def refuse(name: str, _device: str) -> str:
        raise ModelNotFound(f"There is no model “{name}” here.")

    walk = ask(settings)
    worker(settings, load=refuse).run(once=True)
    assert row(settings, walk).error == "There is no model “atelier” here."


def test_spec_of_another_version_is_said(settings: Settings) -> None:
    walk = ask(settings)
    with writing(settings.database) as session:
        session.get_one(Walk, walk.id).spec = walk.spec | {"warp": 9}
    worker(settings).run(once=True)
    assert "“warp”" in row(settings, walk).error


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


def test_history_out_of_reach_is_no_end(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    from db import queue

    whole, failures = queue.claim, iter([True, True])

    def claim(**how: Any) -> Walk | None:
        if next(failures, False):
            raise OSError("disk gone")
        return whole(**how)

    monkeypatch.setattr(queue, "claim", claim)
    walk = ask(settings)
    with at_work(settings):
        until(lambda: row(settings, walk).state is State.DONE)


def test_film_waits_for_a_storage_out_of_reach_and_arrives_by_itself(settings: Settings) -> None:
    """A folder that cannot be made stands for a bucket that is away."""
    store = Path(settings.store_root)
    store.write_text("in the way")
    walk, other = ask(settings), ask(settings, frames=3)
    with at_work(settings):
        until(lambda: row(settings, other).waiting)
        assert row(settings, walk).state is State.DONE
        store.unlink()
        until(lambda: not row(settings, walk).waiting and not row(settings, other).waiting)
    for done in (row(settings, walk), row(settings, other)):
        assert LocalStorage(store).get(done.files["gif"]) == b"film"
    assert outbox_of(settings).walk_ids() == []


def test_once_ends_with_a_try_to_send_what_waits(settings: Settings) -> None:
    outbox_of(settings).shelf.put(film_key("w1", "walk.json"), b"{}", "application/json")
    worker(settings).run(once=True)
    assert LocalStorage(Path(settings.store_root)).exists(film_key("w1", "walk.json"))


def test_film_that_can_be_kept_nowhere_is_said(settings: Settings) -> None:
    Path(settings.store_root).write_text("in the way")
    outbox_of(settings).folder.write_text("in the way, too")
    walk = ask(settings)
    worker(settings).run(once=True)
    failed = row(settings, walk)
    assert failed.state is State.FAILED
    assert "Not a directory" in failed.error
    assert "disk has room" in failed.error


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


@contextmanager
def child(
    settings: Settings, pace: float, **environment: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, __file__, str(settings.home), str(pace)],
        cwd=CHECKOUT,
        env=os.environ | {"PYTHONPATH": str(CHECKOUT)} | environment,
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


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


def test_endpoint_of_the_settings_takes_the_walks(settings: Settings) -> None:
    walk = ask(settings)
    named = {"MOMALISA_HOME": str(settings.home), "MOMALISA_ENDPOINT": "nowhere"}
    command = [sys.executable, "-m", "momalisa", "worker", "--once"]
    subprocess.run(
        command, cwd=CHECKOUT, env=os.environ | named, capture_output=True, check=True, text=True
    )
    done = row(settings, walk)
    assert (done.state, "“nowhere” is no endpoint" in done.error) == (State.FAILED, True)


def test_import_is_light() -> None:
    code = (
        "import sys, momalisa.worker; print({'torch', 'diffusers', 'streamlit'} & {*sys.modules})"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=CHECKOUT, capture_output=True, check=True, text=True)
    assert found.stdout.strip() == "set()"


if __name__ == "__main__":
    home = Settings(home=Path(sys.argv[1]))
    slow = Painter(home.home / "made.txt", float(sys.argv[2]))
    run_process(Worker(home, load=load, render=slow, lease=1.0, beat=0.2, poll=0.05))
