"""A deleted film is gone for good, on every machine, whatever was out of reach meanwhile."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from db import deletions, walks
from db.models import Deletion, Walk
from db.session import get_engine, reading, writing
from momalisa.deletion import delete_walk
from momalisa.storage import LocalStorage
from momalisa.storage.outbox import Outbox
from momalisa.sync import Report, sync
from momalisa.worker.courier import Courier
from tests.support.databases import create_sqlite
from tests.support.outbox import UnreliableBucket
from tests.support.stored_films import GIF, add_film, film_record
from tests.support.walks import enqueue_walk


@dataclass
class Machine:
    """A machine with an outbox of its own: its way to the bucket, and its history."""

    bucket: UnreliableBucket
    outbox: Outbox
    database: str

    def sync(self) -> Report:
        return sync(self.bucket, self.database, self.outbox)

    def deliver(self) -> bool:
        """Run this machine's courier once."""
        return Courier(self.outbox, lambda: self.bucket, self.database).deliver_all()

    def delete(self, walk_id: str) -> bool:
        return delete_walk(walk_id, self.bucket, self.outbox, self.database)

    def films(self) -> list[str]:
        with reading(self.database) as session:
            return [walk.id for walk in walks.list_page(session=session)]


def make_machine(folder: Path, name: str, history: str) -> Machine:
    database = f"sqlite:///{folder}/{history}.db"
    create_sqlite(database)
    return Machine(UnreliableBucket(folder / "bucket"), Outbox(folder / name / "outbox"), database)


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[tuple[Machine, Machine]]:
    """Two machines that share a history and a bucket, with one film."""
    pair = make_machine(tmp_path, "a", "shared"), make_machine(tmp_path, "b", "shared")
    add_film(pair[0].bucket, "w1")
    assert pair[0].sync().taken_in == ["w1"]
    yield pair
    get_engine(pair[0].database).dispose()


def files_of(machine: Machine) -> list[str]:
    return [stored.key for stored in LocalStorage(machine.bucket.root).list()]


def test_film_deleted_while_the_bucket_was_away_is_not_taken_in_elsewhere(
    machines: tuple[Machine, Machine],
) -> None:
    """Deletions were remembered on the machine that deleted: another one's sync hung it again."""
    here, there = machines
    here.bucket.away = True
    assert here.delete("w1")
    assert there.sync().taken_in == []
    assert there.films() == []


def test_courier_of_any_machine_deletes_the_files(machines: tuple[Machine, Machine]) -> None:
    here, there = machines
    here.bucket.away = True
    here.delete("w1")
    assert here.deliver() is False
    assert there.deliver()
    assert files_of(there) == []
    assert there.sync().agree


def test_film_that_waits_on_another_machine_is_dropped_there(
    machines: tuple[Machine, Machine],
) -> None:
    here, there = machines
    add_film(there.outbox.films, "w1")
    here.delete("w1")
    assert here.deliver()
    assert there.outbox.walk_ids() == ["w1"]
    assert there.deliver()
    assert there.outbox.walk_ids() == []
    assert files_of(there) == []
    assert list(there.outbox.films.list()) == []


def test_files_that_come_after_the_deletion_are_deleted_again(
    machines: tuple[Machine, Machine],
) -> None:
    """A worker may stall between its question whether the walk is still its own and its answer."""
    here, there = machines
    here.delete("w1")
    add_film(here.bucket, "w1")
    report = there.sync()
    assert (report.taken_in, report.deleted, there.films()) == ([], ["w1"], [])
    assert there.deliver()
    assert files_of(there) == []


def test_film_deleted_during_its_upload_does_not_stay(
    machines: tuple[Machine, Machine], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = machines
    here.bucket.delete("saved_predictions/w1/walk.json")
    add_film(there.outbox.films, "w1")
    put = there.bucket.put

    def delete_first(key: str, data: bytes, content_type: str) -> object:
        if key.endswith("walk.json"):
            assert here.delete("w1")
        return put(key, data, content_type)

    with monkeypatch.context() as uploading:
        uploading.setattr(there.bucket, "put", delete_first)
        there.deliver()
    assert there.deliver()
    assert files_of(there) == []
    assert there.outbox.walk_ids() == there.films() == []


def test_notes_of_an_earlier_version_are_honoured(machines: tuple[Machine, Machine]) -> None:
    """Its outbox noted the deletions of its machine in files."""
    here, there = machines
    with writing(here.database) as session:
        session.delete(session.get_one(Walk, "w1"))
    notes = LocalStorage(here.outbox.folder / "removals")
    notes.put("w1.json", b"{}", "application/json")
    assert here.sync().taken_in == []
    assert here.outbox.removals() == set()
    with reading(here.database) as session:
        assert deletions.list_open(session=session) == ["w1"]
    assert there.deliver()
    assert files_of(there) == []


def test_machines_with_separate_histories_delete_each_for_itself(tmp_path: Path) -> None:
    """Of a film deleted in one history, the other one keeps the row and reports the loss.

    It does not bring the film back by itself: only somebody who asks for a repair does.
    """
    here, there = make_machine(tmp_path, "a", "a"), make_machine(tmp_path, "b", "b")
    add_film(here.bucket, "w1")
    add_film(here.bucket, "w2", film_record("w2", accession="ML.2026.0043"))
    for machine in (here, there):
        machine.sync()
    here.delete("w1")
    assert (here.sync().agree, here.films()) == (True, ["w2"])
    report = there.sync()
    assert (report.without_files, report.taken_in) == (["ML.2026.0042"], [])
    there.deliver()
    assert here.sync().taken_in == []
    for machine in (here, there):
        get_engine(machine.database).dispose()


def add_films_to(machine: Machine, *names: str) -> None:
    """Store films of the numbers 1, 2, ... and take them in."""
    for number, name in enumerate(names, start=1):
        record = film_record(name, accession=f"ML.2026.{number:04d}")
        add_film(machine.bucket, name, record)
    assert set(machine.sync().taken_in) == set(names)


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Machine]:
    machine = make_machine(tmp_path, "gallery", "gallery")
    yield machine
    get_engine(machine.database).dispose()


def use_store(machine: Machine, folder: Path) -> Machine:
    """The same machine with another MOMALISA_STORE."""
    return replace(machine, bucket=UnreliableBucket(folder))


def test_a_wrong_store_for_a_moment_keeps_no_film_that_was_deleted(
    gallery: Machine, tmp_path: Path
) -> None:
    """A courier looked into the wrong store, found nothing, and never looked again."""
    add_films_to(gallery, "w1", "w2")
    gallery.bucket.away = True
    gallery.delete("w1")
    gallery.bucket.away = False
    assert use_store(gallery, tmp_path / "wrong").deliver()
    assert gallery.deliver()
    assert [key for key in files_of(gallery) if "/w1/" in key] == []
    with reading(gallery.database) as session:
        assert deletions.list_open(session=session) == []


@pytest.mark.parametrize("others", [(), ("w2",), ("w2", "w3", "w4")])
def test_a_film_of_the_same_name_in_a_wrong_store_stays(
    gallery: Machine, tmp_path: Path, others: tuple[str, ...]
) -> None:
    """Deleting a film here deleted another gallery's film there."""
    add_films_to(gallery, "w1", *others)
    wrong = use_store(gallery, tmp_path / "wrong")
    for number, name in enumerate(("w1", "cats", "dogs"), start=7):
        add_film(wrong.bucket, name, film_record(name, accession=f"ML.2026.{number:04d}"))
    before = files_of(wrong)
    gallery.delete("w1")
    wrong.sync()
    wrong.deliver()
    assert files_of(wrong) == before


@pytest.mark.parametrize("others", [(), ("w2",), ("w2", "w3", "w4")])
def test_a_deletion_at_a_wrong_store_takes_no_film_of_the_same_name(
    gallery: Machine, tmp_path: Path, others: tuple[str, ...]
) -> None:
    add_films_to(gallery, "w1", *others)
    wrong = use_store(gallery, tmp_path / "wrong")
    record = film_record("w1", accession="ML.2026.0007")
    record["result"]["files"]["gif"] = "saved_predictions/w1/cats.gif"
    wrong.bucket.put("saved_predictions/w1/cats.gif", GIF, "image/gif")
    wrong.bucket.put("saved_predictions/w1/walk.json", json.dumps(record).encode(), "text/json")
    before = files_of(wrong)
    wrong.delete("w1")
    wrong.deliver()
    assert files_of(wrong) == before
    assert gallery.deliver()
    assert [key for key in files_of(gallery) if "/w1/" in key] == []


def test_a_walk_that_never_had_a_film_needs_no_store(gallery: Machine) -> None:
    walk = enqueue_walk(gallery.database)
    with writing(gallery.database) as session:
        assert walks.cancel(session=session, walk_id=walk.id)
    assert gallery.delete(walk.id)
    with reading(gallery.database) as session:
        assert deletions.list_open(session=session) == []


def delete_an_hour_ago(machine: Machine, walk_id: str) -> None:
    machine.delete(walk_id)
    with writing(machine.database) as session:
        tombstone = session.get_one(Deletion, walk_id)
        tombstone.deleted_at -= timedelta(hours=1)


def test_a_new_film_under_the_name_of_a_deleted_one_hangs(gallery: Machine) -> None:
    add_films_to(gallery, "cats", "dogs")
    delete_an_hour_ago(gallery, "cats")
    gallery.bucket.put("saved_predictions/cats/cats.gif", GIF, "image/gif")
    assert gallery.sync().taken_in == ["cats"]
    assert gallery.deliver()
    assert "saved_predictions/cats/cats.gif" in files_of(gallery)


@pytest.mark.parametrize("with_record", [True, False])
def test_what_a_worker_brings_long_after_the_deletion_is_deleted(
    gallery: Machine, with_record: bool
) -> None:
    add_films_to(gallery, "w1", "w2")
    delete_an_hour_ago(gallery, "w1")
    if with_record:
        add_film(gallery.bucket, "w1", film_record("w1", accession="ML.2026.0001"))
    else:
        gallery.bucket.put(f"saved_predictions/w1/{'5a' * 8}.gif", GIF, "image/gif")
    assert gallery.sync().taken_in == []
    assert gallery.deliver()
    assert [key for key in files_of(gallery) if "/w1/" in key] == []
