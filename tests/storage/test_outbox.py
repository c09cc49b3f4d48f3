"""Laws of films on their way: into the storage at once, or by the outbox, but whole and once."""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from db import queue, walks
from db.models import State, Walk
from db.session import get_engine, migrate, reading, writing
from momalisa.errors import StorageError
from momalisa.storage import LocalStorage, StoredFile, film_key
from momalisa.storage.outbox import File, Outbox, deliver_film
from momalisa.sync import sync
from momalisa.worker.courier import Courier, delete_walk


class Bucket(LocalStorage):
    """A folder that can be out of reach, or refuse one walk."""

    away = False
    refused = ""

    def put(self, key: str, data: bytes, content_type: str) -> StoredFile:
        if self.away or (self.refused and self.refused in key):
            raise StorageError("The bucket is away.")
        return super().put(key, data, content_type)

    def delete(self, key: str) -> None:
        if self.away:
            raise StorageError("The bucket is away.")
        super().delete(key)


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return Bucket(tmp_path / "bucket")


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    url = f"sqlite:///{tmp_path}/history.db"
    migrate(url)
    yield url
    get_engine(url).dispose()


@pytest.fixture
def courier(outbox: Outbox, bucket: Bucket, database: str) -> Courier:
    return Courier(outbox, lambda: bucket, database)


def film(walk_id: str = "w1", name: str = "film.gif") -> list[File]:
    names = {"poster.webp": b"poster", name: name.encode(), "walk.json": f"{name}'s".encode()}
    return [File(film_key(walk_id, name), data) for name, data in names.items()]


def stored(storage: LocalStorage) -> dict[str, bytes]:
    return {found.key: storage.get(found.key) for found in storage.list()}


@pytest.fixture
def hang(database: str) -> Callable[..., Walk]:
    """A walk that is running, or done and waiting for the storage."""

    def _hang(*, done: bool = True) -> Walk:
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

    return _hang


def waits(database: str, walk: Walk) -> bool:
    with reading(database) as session:
        return session.get_one(Walk, walk.id).waiting


def test_film_goes_straight_into_a_storage_in_reach(bucket: Bucket, outbox: Outbox) -> None:
    assert deliver_film(film(), bucket, outbox) is False
    assert stored(bucket) == dict(film())
    assert outbox.walk_ids() == []


def test_film_waits_when_the_storage_is_away(bucket: Bucket, outbox: Outbox) -> None:
    bucket.away = True
    assert deliver_film(film(), bucket, outbox) is True
    assert stored(outbox.films) == dict(film())
    assert [file.key for file in outbox.files("w1")][-1].endswith("walk.json")


def test_without_an_outbox_a_storage_that_is_away_is_an_error(bucket: Bucket) -> None:
    bucket.away = True
    with pytest.raises(StorageError, match="away"):
        deliver_film(film(), bucket, None)


def test_nobody_waits_again_for_a_storage_that_was_away_a_moment_ago(
    bucket: Bucket, outbox: Outbox
) -> None:
    bucket.away = True
    deliver_film(film("w1"), bucket, outbox)
    bucket.away = False
    assert deliver_film(film("w2"), bucket, outbox) is True


def test_record_is_stored_last(bucket: Bucket, outbox: Outbox) -> None:
    """A film of which something is missing must not look like a whole one."""
    bucket.refused = "film.gif"
    deliver_film(film(), bucket, outbox)
    assert not bucket.exists(film_key("w1", "walk.json"))


def test_second_attempt_keeps_the_first_ones_record_and_checks_the_film(
    bucket: Bucket, outbox: Outbox
) -> None:
    deliver_film(film(), bucket, outbox)
    again = [File(file.key, b"other") for file in film()]
    deliver_film([again[0], film()[1], again[2]], bucket, outbox)
    assert stored(bucket) == dict(film())
    assert deliver_film(again, bucket, outbox) is True, "another film under the same name"
    assert stored(bucket) == dict(film())


def test_courier_brings_what_waits_once_the_storage_is_back(
    bucket: Bucket,
    outbox: Outbox,
    courier: Courier,
    database: str,
    hang: Callable[..., Walk],
    caplog: pytest.LogCaptureFixture,
) -> None:
    walk = hang()
    bucket.away = True
    deliver_film(film(walk.id), bucket, outbox)
    assert courier.go() is False
    assert "The bucket is away." in caplog.text
    assert waits(database, walk)
    bucket.away = False
    assert courier.go() is True
    assert stored(bucket) == dict(film(walk.id))
    assert stored(outbox.films) == {}
    assert not waits(database, walk)


@pytest.mark.parametrize("step", range(7))
def test_courier_that_dies_at_any_step_is_followed_by_one_that_ends_it(
    step: int,
    bucket: Bucket,
    outbox: Outbox,
    courier: Courier,
    database: str,
    hang: Callable[..., Walk],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three files put, the row told, three files let go."""
    walk = hang()
    bucket.away = True
    deliver_film(film(walk.id), bucket, outbox)
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
            courier.go()
    assert Courier(outbox, lambda: bucket, database).go()
    assert stored(bucket) == dict(film(walk.id))
    assert stored(outbox.films) == {}
    assert not waits(database, walk)


def test_film_of_a_walk_that_is_made_again_is_left_to_its_worker(
    outbox: Outbox, bucket: Bucket, courier: Courier, hang: Callable[..., Walk]
) -> None:
    walk = hang(done=False)
    assert walk.state is State.RUNNING
    bucket.away = True
    deliver_film(film(walk.id), bucket, outbox)
    bucket.away = False
    assert courier.go()
    assert stored(bucket) == {}
    assert outbox.walk_ids() == [walk.id]


def test_film_whose_row_is_lost_is_brought_all_the_same(
    outbox: Outbox, bucket: Bucket, courier: Courier
) -> None:
    bucket.away = True
    deliver_film(film("unknown"), bucket, outbox)
    bucket.away = False
    assert courier.go()
    assert stored(bucket) == dict(film("unknown"))


def test_half_a_film_in_the_outbox_is_none(outbox: Outbox, courier: Courier) -> None:
    outbox.films.put(film_key("w1", "film.gif"), b"film", "image/gif")
    assert outbox.walk_ids() == []
    assert courier.go()


def test_refused_film_does_not_hold_up_the_others(
    outbox: Outbox, bucket: Bucket, courier: Courier
) -> None:
    bucket.away = True
    for walk_id in ("a", "b", "c"):
        deliver_film(film(walk_id), bucket, outbox)
    bucket.away, bucket.refused = False, "/a/"
    assert [courier.go(), courier.go()] == [False, False]
    assert outbox.walk_ids() == ["a"]


def test_two_couriers_do_not_go_at_a_time(outbox: Outbox, bucket: Bucket, courier: Courier) -> None:
    bucket.away = True
    deliver_film(film(), bucket, outbox)
    bucket.away = False
    with FileLock(outbox.folder / ".lock"):
        assert courier.go()
    assert stored(bucket) == {}


def hung(database: str, bucket: Bucket, walk: Walk) -> Walk:
    """The walk with its film in the bucket."""
    deliver_film(film(walk.id), bucket, None)
    with writing(database) as session:
        row = session.get_one(Walk, walk.id)
        row.files = {file.key.rpartition("/")[2]: file.key for file in film(walk.id)}
        row.waiting = False
    return row


def there(database: str, walk: Walk) -> bool:
    with reading(database) as session:
        return session.get(Walk, walk.id) is not None


def test_taken_down_is_gone_with_its_files(
    bucket: Bucket, outbox: Outbox, database: str, hang: Callable[..., Walk]
) -> None:
    walk = hung(database, bucket, hang())
    assert delete_walk(walk.id, bucket, outbox, database)
    assert not there(database, walk)
    assert stored(bucket) == stored(outbox.films) == {}
    assert delete_walk(walk.id, bucket, outbox, database) is False


def test_nothing_of_a_folder_that_is_taken_down_stays(
    bucket: Bucket, outbox: Outbox, database: str, hang: Callable[..., Walk]
) -> None:
    """Or else the next sync would take a film of an earlier attempt for another program's."""
    walk = hung(database, bucket, hang())
    bucket.put(film_key(walk.id, "earlier.gif"), b"earlier", "image/gif")
    assert delete_walk(walk.id, bucket, outbox, database)
    assert stored(bucket) == {}


def test_waiting_film_is_taken_down_here(
    bucket: Bucket, outbox: Outbox, courier: Courier, database: str, hang: Callable[..., Walk]
) -> None:
    walk = hang()
    bucket.away = True
    deliver_film(film(walk.id), bucket, outbox)
    delete_walk(walk.id, bucket, outbox, database)
    bucket.away = False
    assert courier.go()
    assert stored(bucket) == stored(outbox.films) == {}


def test_running_walk_is_not_taken_down(
    bucket: Bucket, outbox: Outbox, database: str, hang: Callable[..., Walk]
) -> None:
    walk = hang(done=False)
    assert delete_walk(walk.id, bucket, outbox, database) is False
    assert there(database, walk)
    assert outbox.removals() == set()


def test_what_cannot_be_deleted_now_is_deleted_later(
    bucket: Bucket, outbox: Outbox, courier: Courier, database: str, hang: Callable[..., Walk]
) -> None:
    walk = hung(database, bucket, hang())
    bucket.away = True
    assert delete_walk(walk.id, bucket, outbox, database)
    assert not there(database, walk)
    assert courier.go() is False
    # Nor does it come back meanwhile.
    assert sync(bucket, database, outbox, repair=True).taken_in == []
    bucket.away = False
    assert courier.go()
    assert stored(bucket) == stored(outbox.films) == {}


def test_removal_that_died_before_the_row_went_is_called_off(
    bucket: Bucket, outbox: Outbox, courier: Courier, database: str, hang: Callable[..., Walk]
) -> None:
    walk = hung(database, bucket, hang())
    outbox.note_removal(walk.id)
    assert courier.go()
    assert stored(bucket) == dict(film(walk.id))
    assert outbox.removals() == set()


def test_full_disk_can_still_be_emptied(
    bucket: Bucket,
    outbox: Outbox,
    database: str,
    hang: Callable[..., Walk],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_walk: Walk) -> None:
        raise StorageError("No space left on device")

    walk = hung(database, bucket, hang())
    monkeypatch.setattr(outbox, "note_removal", full)
    assert delete_walk(walk.id, bucket, outbox, database)
    assert stored(bucket) == {}


def test_damaged_outbox_does_not_end_the_courier(
    bucket: Bucket, outbox: Outbox, courier: Courier, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.away = True
    deliver_film(film(), bucket, outbox)
    (outbox.folder / ".lock").mkdir()
    assert courier.go() is False
    assert "cannot be used" in caplog.text


def test_tries_come_ever_slower(
    outbox: Outbox, bucket: Bucket, courier: Courier, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, tried = [0.0], list[float]()

    def sleep(seconds: float) -> None:
        now[0] += seconds

    def go() -> bool:
        tried.append(now[0])
        return False

    monkeypatch.setattr("momalisa.worker.courier.time.sleep", sleep)
    monkeypatch.setattr("momalisa.worker.courier.time.monotonic", lambda: now[0])
    monkeypatch.setattr(courier, "go", go)
    courier.run(stopping=lambda: now[0] > 400)
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses[:7] == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0]
    assert set(pauses[6:]) == {60.0}


def test_courier_runs_beside_its_worker(
    outbox: Outbox, bucket: Bucket, courier: Courier, caplog: pytest.LogCaptureFixture
) -> None:
    bucket.away = True
    deliver_film(film(), bucket, outbox)
    bucket.away = False
    ended = threading.Event()
    thread = threading.Thread(target=courier.run, args=(ended.is_set,))
    with caplog.at_level(logging.INFO):
        thread.start()
        while outbox.walk_ids():
            time.sleep(0.02)
        ended.set()
        thread.join()
    assert stored(bucket) == dict(film())
