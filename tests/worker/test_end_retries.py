"""How a walk ended is written although the history refuses at first; no film is made twice."""

import time
from typing import Any

import pytest

from db import queue
from db.error_messages import OutOfReach
from db.models import State, Walk
from db.session import writing
from momalisa.errors import BadInput
from momalisa.render import StoredFilm
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.storage import open_storage
from momalisa.worker.timing import Timing
from tests.support.noise_worker import render_noise
from tests.support.stub_worker import (
    LOG,
    QUICK,
    StubRenderer,
    running_worker,
    stub_worker,
)
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk, read_walk


def refuse(monkeypatch: pytest.MonkeyPatch, name: str, times: int, error: Exception) -> list[int]:
    """Let a function of the queue fail the first few times; returns a list that grows with each."""
    real, refusals = getattr(queue, name), list[int]()

    def answer(**how: Any) -> Any:
        if len(refusals) < times:
            refusals.append(1)
            raise error
        return real(**how)

    monkeypatch.setattr(queue, name, answer)
    return refusals


@pytest.mark.parametrize("error", [OutOfReach("The history is away."), OSError("disk gone")])
def test_three_refusals_at_the_end_do_not_fail_a_walk_whose_film_is_stored(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """It failed with "The worker died 3 times"."""
    walk = enqueue_walk(settings.database, frames=3)
    refusals = refuse(monkeypatch, "finish", 3, error)
    brief = Timing(**QUICK | {"lease": 1.0})
    with running_worker(settings, timing=brief):
        wait_until(lambda: read_walk(settings.database, walk).state is State.DONE)
    done = read_walk(settings.database, walk)
    assert (done.attempt, done.deaths, len(refusals)) == (1, 0, 3)


def test_lease_is_renewed_while_the_end_is_retried(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = enqueue_walk(settings.database, frames=3)
    brief = Timing(**QUICK | {"lease": 6.0, "end_retries": (0.7, 0.7)})
    refuse(monkeypatch, "finish", 10, OutOfReach("away"))
    with running_worker(settings, timing=brief), running_worker(settings, timing=brief):
        wait_until(lambda: read_walk(settings.database, walk).state is State.DONE)
    assert read_walk(settings.database, walk).attempt == 1


@pytest.mark.parametrize(("name", "state"), [("fail", State.FAILED), ("put_back", State.DONE)])
def test_failures_and_returns_are_written_as_well(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, name: str, state: State
) -> None:
    walk = enqueue_walk(settings.database, frames=3)
    errors = iter([BadInput("no") if name == "fail" else MemoryError()])

    def stumble(spec: WalkSpec, **how: Any) -> StoredFilm:
        if error := next(errors, None):
            raise error
        return StubRenderer(settings.home / LOG)(spec, **how)

    refusals = refuse(monkeypatch, name, 3, OutOfReach("away"))
    with running_worker(settings, render=stumble):
        wait_until(lambda: read_walk(settings.database, walk).state is state)
    assert len(refusals) == 3


def test_stopping_does_not_give_a_stored_film_back(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = enqueue_walk(settings.database, frames=3)
    refusals = refuse(monkeypatch, "finish", 3, OutOfReach("away"))
    slow = Timing(**QUICK | {"end_retries": (0.3, 0.3)})
    with running_worker(settings, timing=slow) as one:
        wait_until(lambda: refusals)
        one.stop()
    assert read_walk(settings.database, walk).state is State.DONE


def test_next_worker_finds_a_film_that_is_stored_and_renders_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = enqueue_walk(settings.database, frames=3)
    renderings: list[str] = []

    def counted(spec: WalkSpec, **how: Any) -> StoredFilm:
        renderings.append(how["walk_id"])
        return render_noise(spec, **how)

    def unplug(**_how: Any) -> bool:
        raise OSError("unplugged")

    with monkeypatch.context() as patch:
        patch.setattr(queue, "finish", unplug)
        with pytest.raises(OSError, match="unplugged"):
            stub_worker(settings, render=counted, timing=Timing(**QUICK | {"lease": 0.5})).run(
                once=True
            )
    time.sleep(0.6)
    stub_worker(settings, render=counted).run(once=True)
    done = read_walk(settings.database, walk)
    assert (done.state, done.attempt, renderings) == (State.DONE, 2, [walk.id])
    storage = open_storage(settings.store_root)
    assert all(storage.exists(key) for key in done.files.values())
    assert {"gif", "poster", "json"} == done.files.keys()


def test_film_of_another_spec_is_not_taken_for_the_walks(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=3)
    attempts: list[int] = []

    def other(spec: WalkSpec, **how: Any) -> StoredFilm:
        attempts.append(spec.frames)
        film = render_noise(spec.model_copy(update={"frames": 2 + len(attempts)}), **how)
        if len(attempts) == 2:
            return film
        # The first one leaves a film of three frames, whose spec has four.
        raise MemoryError

    with writing(settings.database) as session:
        row = session.get_one(Walk, walk.id)
        row.spec = row.spec | {"frames": 4}
    with running_worker(settings, render=other):
        wait_until(lambda: read_walk(settings.database, walk).state is State.DONE)
    assert len(attempts) == 2
