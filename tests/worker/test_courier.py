"""The courier delivers the outbox, and deletes, exactly once whatever fails in between."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from filelock import FileLock

from db import queue, walks
from db.models import State, Walk
from db.session import get_engine, reading, writing
from momalisa.deletion import delete_walk
from momalisa.number_marks import FOLDER
from momalisa.storage import LocalStorage, film_key
from momalisa.storage.outbox import Outbox, deliver_film
from momalisa.sync import sync
from momalisa.worker.courier import Courier
from tests.support.databases import create_sqlite
from tests.support.outbox import UnreliableBucket, film_files, stored_bytes
from tests.support.waiting import wait_until


@pytest.fixture
def bucket(tmp_path: Path) -> UnreliableBucket:
    return UnreliableBucket(tmp_path / "bucket")


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    url = f"sqlite:///{tmp_path}/history.db"
    create_sqlite(url)
    yield url
    get_engine(url).dispose()


@pytest.fixture
def courier(outbox: Outbox, bucket: UnreliableBucket, database: str) -> Courier:
    return Courier(outbox, lambda: bucket, database)


@pytest.fixture
def add_walk(database: str) -> Callable[..., Walk]:
    """Add a walk that is running, or done and waiting for the storage."""

    def _add_walk(*, done: bool = True) -> Walk:
        searched = ("model", "pacing", "interpolation", "frames", "steps", "guidance", "size")
        spec = dict.fromkeys(searched, 1) | {"model": "m", "pacing": "p", "interpolation": "i"}
        with writing(database) as session:
            walks.enqueue(session=session, spec=spec, digest="d", title="t", frames_total=1)
            walk = queue.claim(session=session, owner="w", lease_seconds=60)
            assert walk is not None
            lease: dict[str, Any] = {"walk_id": walk.id, "owner": "w", "attempt": 1}
            if done:
                assert queue.finish(session=session, **lease, result={}, waiting=True)
        return walk

    return _add_walk


def is_waiting(database: str, walk: Walk) -> bool:
    with reading(database) as session:
        return session.get_one(Walk, walk.id).waiting


def test_films_are_delivered_once_the_storage_is_back(
    bucket: UnreliableBucket,
    outbox: Outbox,
    courier: Courier,
    database: str,
    add_walk: Callable[..., Walk],
    caplog: pytest.LogCaptureFixture,
) -> None:
    walk = add_walk()
    bucket.away = True
    deliver_film(film_files(walk.id), bucket, outbox)
    assert courier.deliver_all() is False
    assert "The bucket is away." in caplog.text
    assert is_waiting(database, walk)
    bucket.away = False
    assert courier.deliver_all() is True
    assert stored_bytes(bucket) == dict(film_files(walk.id))
    assert stored_bytes(outbox.films) == {}
    assert not is_waiting(database, walk)


@pytest.mark.parametrize("step", range(7))
def test_next_courier_completes_what_a_killed_one_began(
    step: int,
    bucket: UnreliableBucket,
    outbox: Outbox,
    courier: Courier,
    database: str,
    add_walk: Callable[..., Walk],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Steps: three files stored, the row updated, three files removed from the outbox."""
    walk = add_walk()
    bucket.away = True
    deliver_film(film_files(walk.id), bucket, outbox)
    bucket.away = False
    steps = iter(range(7))

    def dying(change: Callable[..., Any]) -> Callable[..., Any]:
        def _change(*args: Any, **named: Any) -> Any:
            if next(steps) == step:
                raise SystemExit("killed")
            return change(*args, **named)

        return _change

    with monkeypatch.context() as killing:
        for where, what in ((bucket, "put"), (outbox.films, "delete"), (queue, "mark_stored")):
            killing.setattr(where, what, dying(getattr(where, what)))
        with pytest.raises(SystemExit):
            courier.deliver_all()
    assert Courier(outbox, lambda: bucket, database).deliver_all()
    assert stored_bytes(bucket) == dict(film_files(walk.id))
    assert stored_bytes(outbox.films) == {}
    assert not is_waiting(database, walk)


def test_film_of_a_running_walk_is_left_to_its_worker(
    outbox: Outbox, bucket: UnreliableBucket, courier: Courier, add_walk: Callable[..., Walk]
) -> None:
    walk = add_walk(done=False)
    assert walk.state is State.RUNNING
    bucket.away = True
    deliver_film(film_files(walk.id), bucket, outbox)
    bucket.away = False
    assert courier.deliver_all()
    assert stored_bytes(bucket) == {}
    assert outbox.walk_ids() == [walk.id]


def test_film_without_a_row_is_delivered(
    outbox: Outbox, bucket: UnreliableBucket, courier: Courier
) -> None:
    bucket.away = True
    deliver_film(film_files("unknown"), bucket, outbox)
    bucket.away = False
    assert courier.deliver_all()
    assert stored_bytes(bucket) == dict(film_files("unknown"))


def test_refused_film_does_not_hold_up_the_others(
    outbox: Outbox, bucket: UnreliableBucket, courier: Courier
) -> None:
    bucket.away = True
    for walk_id in ("a", "b", "c"):
        deliver_film(film_files(walk_id), bucket, outbox)
    bucket.away, bucket.refused = False, "/a/"
    assert [courier.deliver_all(), courier.deliver_all()] == [False, False]
    assert outbox.walk_ids() == ["a"]


def test_refused_film_does_not_hold_up_the_marks_of_the_numbers(
    outbox: Outbox, bucket: UnreliableBucket, courier: Courier, add_walk: Callable[..., Walk]
) -> None:
    """An account that may not delete never stored a mark: a lost history gave numbers twice."""
    number = add_walk(done=False).accession
    bucket.away = True
    deliver_film(film_files("a"), bucket, outbox)
    bucket.away, bucket.refused = False, "/a/"
    ended = threading.Event()
    thread = threading.Thread(target=courier.run, args=(ended.is_set,))
    thread.start()
    try:
        mark = f"{number[3:7]}.00{number[8:]}.json"
        wait_until(lambda: [f.key for f in bucket.list(f"{FOLDER}/") if f.key.endswith(mark)])
    finally:
        ended.set()
        thread.join()
    assert outbox.walk_ids() == ["a"]


def test_two_couriers_do_not_run_at_once(
    outbox: Outbox, bucket: UnreliableBucket, courier: Courier
) -> None:
    bucket.away = True
    deliver_film(film_files(), bucket, outbox)
    bucket.away = False
    with FileLock(outbox.folder / ".lock"):
        assert courier.deliver_all()
    assert stored_bytes(bucket) == {}


def add_film(database: str, bucket: UnreliableBucket, walk: Walk) -> Walk:
    """Store the walk's film in the bucket."""
    deliver_film(film_files(walk.id), bucket, None)
    with writing(database) as session:
        row = session.get_one(Walk, walk.id)
        row.files = {file.key.rpartition("/")[2]: file.key for file in film_files(walk.id)}
        row.waiting = False
    return row


def has_row(database: str, walk: Walk) -> bool:
    with reading(database) as session:
        return session.get(Walk, walk.id) is not None


def test_deleted_walk_is_gone_with_its_files(
    bucket: UnreliableBucket, outbox: Outbox, database: str, add_walk: Callable[..., Walk]
) -> None:
    walk = add_film(database, bucket, add_walk())
    assert delete_walk(walk.id, bucket, outbox, database)
    assert not has_row(database, walk)
    assert stored_bytes(bucket) == stored_bytes(outbox.films) == {}
    assert delete_walk(walk.id, bucket, outbox, database) is False


def test_all_files_of_the_folder_are_deleted(
    bucket: UnreliableBucket, outbox: Outbox, database: str, add_walk: Callable[..., Walk]
) -> None:
    """Otherwise the next sync would take a film of an earlier attempt for another program's."""
    walk = add_film(database, bucket, add_walk())
    bucket.put(film_key(walk.id, "earlier.gif"), b"earlier", "image/gif")
    assert delete_walk(walk.id, bucket, outbox, database)
    assert stored_bytes(bucket) == {}


def test_waiting_film_is_deleted_from_the_outbox(
    bucket: UnreliableBucket,
    outbox: Outbox,
    courier: Courier,
    database: str,
    add_walk: Callable[..., Walk],
) -> None:
    walk = add_walk()
    bucket.away = True
    deliver_film(film_files(walk.id), bucket, outbox)
    delete_walk(walk.id, bucket, outbox, database)
    bucket.away = False
    assert courier.deliver_all()
    assert stored_bytes(bucket) == stored_bytes(outbox.films) == {}


def test_running_walk_is_not_deleted(
    bucket: UnreliableBucket, outbox: Outbox, database: str, add_walk: Callable[..., Walk]
) -> None:
    walk = add_walk(done=False)
    assert delete_walk(walk.id, bucket, outbox, database) is False
    assert has_row(database, walk)


def test_files_out_of_reach_are_deleted_later(
    bucket: UnreliableBucket,
    outbox: Outbox,
    courier: Courier,
    database: str,
    add_walk: Callable[..., Walk],
) -> None:
    walk = add_film(database, bucket, add_walk())
    bucket.away = True
    assert delete_walk(walk.id, bucket, outbox, database)
    assert not has_row(database, walk)
    assert courier.deliver_all() is False
    # Meanwhile sync does not take it in again.
    assert sync(bucket, database, outbox, repair=True).taken_in == []
    bucket.away = False
    assert courier.deliver_all()
    assert stored_bytes(bucket) == stored_bytes(outbox.films) == {}


def test_note_of_an_earlier_version_is_dropped_while_the_row_exists(
    bucket: UnreliableBucket,
    outbox: Outbox,
    courier: Courier,
    database: str,
    add_walk: Callable[..., Walk],
) -> None:
    walk = add_film(database, bucket, add_walk())
    notes = LocalStorage(outbox.folder / "removals")
    notes.put(f"{walk.id}.json", b"{}", "application/json")
    assert courier.deliver_all()
    assert stored_bytes(bucket) == dict(film_files(walk.id))
    assert outbox.removals() == set()


def test_damaged_outbox_does_not_end_the_courier(
    bucket: UnreliableBucket, outbox: Outbox, courier: Courier, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.away = True
    deliver_film(film_files(), bucket, outbox)
    (outbox.folder / ".lock").mkdir()
    assert courier.deliver_all() is False
    assert "cannot be used" in caplog.text


def test_pauses_between_tries_grow(
    outbox: Outbox, bucket: UnreliableBucket, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, tried = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        now[0] += seconds

    def fail() -> bool:
        tried.append(now[0])
        return False

    # The courier's own clock: threads that still run here would put on one of all modules.
    clock = SimpleNamespace(sleep=sleep, monotonic=lambda: now[0])
    monkeypatch.setattr("momalisa.worker.courier.time", clock)
    monkeypatch.setattr(courier, "deliver_all", fail)
    courier.run(stopping=lambda: now[0] > 400)
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses[:7] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]
    assert set(pauses[6:]) == {60.0}


def test_courier_runs_beside_its_worker(
    outbox: Outbox, bucket: UnreliableBucket, courier: Courier, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.away = True
    deliver_film(film_files(), bucket, outbox)
    bucket.away = False
    ended = threading.Event()
    thread = threading.Thread(target=courier.run, args=(ended.is_set,))
    with caplog.at_level(logging.INFO):
        thread.start()
        while outbox.walk_ids():
            time.sleep(0.02)
        ended.set()
        thread.join()
    assert stored_bytes(bucket) == dict(film_files())
