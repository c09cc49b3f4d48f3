"""Errors of a walk become a sentence in its row; the worker continues with the next walk."""

from pathlib import Path
from typing import Any

import pytest

from db import queue, worker_registry
from db.error_messages import OutOfReach
from db.models import State, Walk
from db.session import reading, writing
from momalisa.errors import Cancelled, ModelNotFound, OutOfMemory
from momalisa.render import StoredFilm
from momalisa.settings import Settings
from momalisa.spec import WalkSpec
from momalisa.storage import LocalStorage, film_key
from momalisa.storage.outbox import open_outbox
from momalisa.worker.timing import Timing
from tests.support.stub_worker import HASTY, LOG, StubRenderer, running_worker, stub_worker
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk, read_walk


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OutOfMemory("Not even one frame fits."), "Not even one frame fits."),
        (RuntimeError("shape"), "Something unforeseen happened (RuntimeError)"),
        (KeyError("x"), "(KeyError)"),
        (Cancelled("not requested"), "not requested"),
    ],
)
def test_no_error_of_a_walk_ends_the_worker(
    settings: Settings, error: Exception, sentence: str
) -> None:
    painter = StubRenderer(settings.home / LOG)

    def stumble(spec: WalkSpec, **how: Any) -> StoredFilm:
        if spec.frames == 2:
            raise error
        return painter(spec, **how)

    bad, good = enqueue_walk(settings.database, frames=2), enqueue_walk(settings.database, frames=3)
    stub_worker(settings, render=stumble, timing=Timing(**HASTY)).run(once=True)
    failed = read_walk(settings.database, bad)
    assert failed.state is State.FAILED
    assert sentence in failed.error
    assert read_walk(settings.database, good).state is State.DONE


def test_model_that_an_error_may_have_damaged_is_loaded_anew(settings: Settings) -> None:
    errors, loaded = iter([RuntimeError("shape")]), list[str]()

    def note(name: str, _device: str) -> str:
        loaded.append(name)
        return name

    def stumble(spec: WalkSpec, **how: Any) -> StoredFilm:
        if error := next(errors, None):
            raise error
        return StubRenderer(settings.home / LOG)(spec, **how)

    walk = enqueue_walk(settings.database, frames=3)
    stub_worker(settings, load=note, render=stumble).run(once=True)
    assert read_walk(settings.database, walk).state is State.DONE
    assert len(loaded) == 2


def test_missing_model_is_reported(settings: Settings) -> None:
    def refuse(name: str, _device: str) -> str:
        raise ModelNotFound(f"There is no model “{name}” here.")

    walk = enqueue_walk(settings.database, frames=6)
    stub_worker(settings, load=refuse, timing=Timing(**HASTY)).run(once=True)
    assert read_walk(settings.database, walk).error == "There is no model “atelier” here."


def test_a_walk_of_another_version_waits_for_a_worker_that_knows_it(settings: Settings) -> None:
    """A worker that was not upgraded yet failed all walks of the app that was."""
    walk = enqueue_walk(settings.database, frames=6)
    with writing(settings.database) as session:
        session.get_one(Walk, walk.id).spec = walk.spec | {"warp": 9}
    with running_worker(settings):
        wait_until(lambda: read_walk(settings.database, walk).machine_failures > 1)
    row = read_walk(settings.database, walk)
    assert row.state is State.QUEUED
    assert "queued by another version" in row.troubles[-1]["reason"]


@pytest.mark.parametrize(
    ("endpoint", "words"), [("", "set MOMALISA_ENDPOINT"), ("nowhere", "“nowhere” is no endpoint")]
)
def test_walks_for_an_endpoint_wait_where_the_settings_name_none(
    settings: Settings, endpoint: str, words: str
) -> None:
    """All that were queued failed, beside a worker that could have made them, too."""
    walk = enqueue_walk(settings.database, remote=True)
    with running_worker(settings.model_copy(update={"endpoint": endpoint})):
        wait_until(lambda: read_walk(settings.database, walk).machine_failures > 3)
        other = enqueue_walk(settings.database, frames=3)
        wait_until(lambda: read_walk(settings.database, other).state is State.DONE)
    row = read_walk(settings.database, walk)
    assert row.state is State.QUEUED
    assert words in row.troubles[-1]["reason"]


def test_worker_survives_a_history_out_of_reach(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:

    whole, failures = queue.claim, iter([True, True])

    def claim(**how: Any) -> Walk | None:
        if next(failures, False):
            raise OSError("disk gone")
        return whole(**how)

    monkeypatch.setattr(queue, "claim", claim)
    walk = enqueue_walk(settings.database, frames=6)
    with running_worker(settings):
        wait_until(lambda: read_walk(settings.database, walk).state is State.DONE)


def test_history_out_of_reach_ends_a_worker_that_works_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def claim(**_how: Any) -> Walk | None:
        raise OutOfReach("gone")

    monkeypatch.setattr(queue, "claim", claim)
    with pytest.raises(OutOfReach):
        stub_worker(settings).run(once=True)


def test_history_out_of_reach_fills_no_log(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[dict[str, Any]] = []

    def away(**how: Any) -> Any:
        tries.append(how)
        raise OutOfReach("The history is gone.")

    def claims() -> list[dict[str, Any]]:
        return [how for how in tries if "owner" in how]

    def heartbeats() -> list[dict[str, Any]]:
        return [how for how in tries if "name" in how]

    def is_alive() -> bool:
        with reading(settings.database) as session:
            return bool(worker_registry.list_alive(session=session))

    with running_worker(settings):
        wait_until(is_alive)  # without its first heartbeat it would not start
        monkeypatch.setattr(queue, "claim", away)
        monkeypatch.setattr(worker_registry, "record_heartbeat", away)
        wait_until(lambda: len(claims()) >= 4 and heartbeats())
    lines = [record for record in caplog.records if "history is gone" in record.getMessage()]
    assert len(lines) == len(claims()) + 1, "a line for each try, and for the first lost heartbeat"
    assert not any(record.exc_info for record in lines)


def test_walk_from_before_there_were_modes_is_exact(settings: Settings) -> None:
    walk, modes = enqueue_walk(settings.database, frames=6), []
    with writing(settings.database) as session:
        old = {name: value for name, value in walk.spec.items() if name not in ("mode", "without")}
        session.get_one(Walk, walk.id).spec = old

    def look(spec: WalkSpec, **how: Any) -> StoredFilm:
        modes.append(spec.mode)
        return StubRenderer(settings.home / LOG)(spec, **how)

    stub_worker(settings, render=look).run(once=True)
    assert modes == ["exact"]


def test_film_waits_for_a_storage_out_of_reach_and_arrives_by_itself(settings: Settings) -> None:
    """A folder that cannot be made stands for a bucket that is away."""
    store = Path(settings.store_root)
    store.write_text("in the way")
    walk, other = (
        enqueue_walk(settings.database, frames=6),
        enqueue_walk(settings.database, frames=3),
    )
    with running_worker(settings):
        wait_until(lambda: read_walk(settings.database, other).waiting)
        assert read_walk(settings.database, walk).state is State.DONE
        store.unlink()
        wait_until(
            lambda: (
                not read_walk(settings.database, walk).waiting
                and not read_walk(settings.database, other).waiting
            )
        )
        # It is emptied once the rows say that the films have arrived.
        wait_until(lambda: open_outbox(settings).walk_ids() == [])
    for done in (read_walk(settings.database, walk), read_walk(settings.database, other)):
        assert LocalStorage(store).get(done.files["gif"]) == b"film"


def test_once_ends_with_a_try_to_send_what_waits(settings: Settings) -> None:
    open_outbox(settings).films.put(film_key("w1", "walk.json"), b"{}", "application/json")
    stub_worker(settings).run(once=True)
    assert LocalStorage(Path(settings.store_root)).exists(film_key("w1", "walk.json"))


def test_film_that_can_be_stored_nowhere_is_reported(settings: Settings) -> None:
    Path(settings.store_root).write_text("in the way")
    open_outbox(settings).folder.write_text("in the way, too")
    walk = enqueue_walk(settings.database, frames=6)
    stub_worker(settings, timing=Timing(**HASTY)).run(once=True)
    failed = read_walk(settings.database, walk)
    assert failed.state is State.FAILED
    assert "Not a directory" in failed.error
    assert "disk has room" in failed.error
