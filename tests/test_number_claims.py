"""Of two histories on one storage, only one has a film with a number."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from db import curation, queue
from db.models import State, Walk
from db.session import get_engine, migrate, reading, writing
from momalisa.settings import Settings
from momalisa.storage import LocalStorage, film_key
from momalisa.storage.outbox import File, deliver_film, open_outbox
from momalisa.sync import sync
from momalisa.worker.courier import Courier
from tests.support.outbox import UnreliableBucket
from tests.support.stored_films import GIF, add_film, film_record
from tests.support.stub_worker import running_worker
from tests.support.waiting import wait_until
from tests.support.walks import claim_walk, enqueue_walk, finish_walk, lease_of, read_walk


@pytest.fixture
def homes(tmp_path: Path) -> Iterator[list[Settings]]:
    """Two homes, each with a history of its own, and one storage."""
    homes = [
        Settings(home=tmp_path / name, store=str(tmp_path / "store")) for name in ("one", "other")
    ]
    for home in homes:
        migrate(home.database)
    yield homes
    for home in homes:
        get_engine(home.database).dispose()


def rows(home: Settings) -> list[Walk]:
    with reading(home.database) as session:
        return list(session.scalars(select(Walk)))


def test_films_of_two_histories_on_one_storage_have_numbers_of_their_own(
    homes: list[Settings],
) -> None:
    """Both gave the same number within a minute, and both films hung with it."""
    storage = LocalStorage(Path(homes[0].store_root))
    for _ in range(5):
        for home in homes:
            enqueue_walk(home.database, frames=2)
    with running_worker(homes[0]), running_worker(homes[1]):
        wait_until(lambda: all(row.state is State.DONE for home in homes for row in rows(home)))
    films = [row for home in homes for row in rows(home)]
    assert len({film.accession for film in films}) == len(films) == 10
    for film in films:
        assert not film.notes
        assert json.loads(storage.get(film_key(film.id, "walk.json")))["accession"] == (
            film.accession
        )


def make_waiting_film(home: Settings, bucket: UnreliableBucket) -> Walk:
    """Make a film while the bucket is away."""
    enqueue_walk(home.database)
    walk = claim_walk(home.database)
    assert walk is not None
    files = {"gif": film_key(walk.id, "film.gif")}
    content = film_record(walk.id, accession=walk.accession)
    record = json.dumps(content).encode()
    bucket.away = True
    parts = [File(files["gif"], GIF), File(film_key(walk.id, "walk.json"), record)]
    assert deliver_film(parts, bucket, open_outbox(home))
    with writing(home.database) as session:
        result = {name: content["result"][name] for name in ("bytes", "sha256")} | {"files": files}
        assert queue.finish(session=session, **lease_of(walk), result=result, waiting=True)
    return walk


def test_a_film_that_waited_and_gets_another_number_tells_the_former_one(
    homes: list[Settings], tmp_path: Path
) -> None:
    """Curators have seen its number: it must not change unnoticed."""
    bucket = UnreliableBucket(tmp_path / "bucket")
    first, second = (make_waiting_film(home, bucket) for home in homes)
    assert first.accession == second.accession
    with writing(homes[1].database) as session:
        curation.set_notes(session=session, walk_id=second.id, notes="Mine.", known="")
    couriers = [Courier(open_outbox(home), lambda: bucket, home.database) for home in homes]
    assert not any(courier.deliver_all() for courier in couriers)
    assert rows(homes[1])[0].accession == first.accession
    bucket.away = False
    for courier in couriers:
        assert courier.deliver_all()
        courier.write_records()
    one, other = rows(homes[0])[0], rows(homes[1])[0]
    assert (one.accession, one.notes) == (first.accession, "")
    assert other.accession == first.accession.replace("0001", "0002")
    assert other.notes.startswith("Mine.\n")
    assert first.accession in other.notes
    record = json.loads(bucket.get(film_key(other.id, "walk.json")))
    assert (record["accession"], record["notes"]) == (other.accession, other.notes)


def test_a_film_s_first_record_has_its_last_number(homes: list[Settings], tmp_path: Path) -> None:
    bucket = UnreliableBucket(tmp_path / "bucket")
    films = [make_waiting_film(home, bucket) for home in homes]
    bucket.away = False
    for home in homes:
        assert Courier(open_outbox(home), lambda: bucket, home.database).deliver_all()
    numbers = [
        json.loads(bucket.get(film_key(film.id, "walk.json")))["accession"][8:] for film in films
    ]
    assert numbers == ["0001", "0002"]


def test_sync_leaves_a_film_the_number_that_it_has_claimed(homes: list[Settings]) -> None:
    """It got another one in a history whose next walk had the same number, and in its record."""
    made = enqueue_walk(homes[0].database, frames=2)
    with running_worker(homes[0]):
        wait_until(lambda: read_walk(homes[0].database, made).state is State.DONE)
    storage = LocalStorage(Path(homes[0].store_root))
    storage.delete(film_key(made.id, "walk.json"))
    storage.delete(film_key(made.id, "film.gif"))
    add_film(storage, made.id, film_record(made.id, accession=made.accession))
    queued = enqueue_walk(homes[1].database)
    hanging = enqueue_walk(homes[1].database)
    assert queued.accession == made.accession
    sync(storage, homes[1].database, open_outbox(homes[1]))
    assert read_walk(homes[1].database, made).accession == made.accession
    assert read_walk(homes[1].database, queued).accession > hanging.accession
    assert not read_walk(homes[1].database, queued).notes


def test_a_film_that_hangs_keeps_its_number_whatever_is_claimed(homes: list[Settings]) -> None:
    """A film that is made again, since its file was lost, keeps the number on its label."""
    for home in homes:
        enqueue_walk(home.database, frames=2)
        walk = claim_walk(home.database)
        assert walk is not None
        assert finish_walk(home.database, walk)
        with writing(home.database) as session:
            session.get_one(Walk, walk.id).state = State.QUEUED
    with running_worker(homes[0]), running_worker(homes[1]):
        wait_until(lambda: all(row.record_stored_at for home in homes for row in rows(home)))
    assert {row.accession[8:] for home in homes for row in rows(home)} == {"0001"}


def test_a_film_of_another_program_gets_a_number_that_nobody_has_claimed(
    homes: list[Settings],
) -> None:
    """Its number was given when it came in, and another history's next film had it as well."""
    storage = LocalStorage(Path(homes[0].store_root))
    storage.put("saved_predictions/foreign/film.gif", GIF, "image/gif")
    sync(storage, homes[0].database, open_outbox(homes[0]))
    [foreign] = rows(homes[0])
    made = enqueue_walk(homes[1].database, frames=2)
    assert made.accession == foreign.accession
    with running_worker(homes[1]):
        wait_until(lambda: read_walk(homes[1].database, made).state is State.DONE)
    Courier(open_outbox(homes[0]), lambda: storage, homes[0].database).write_records()
    [foreign] = rows(homes[0])
    assert foreign.accession > made.accession
    assert made.accession in foreign.notes
    record = json.loads(storage.get("saved_predictions/foreign/walk.json"))
    assert (record["accession"], record["notes"]) == (foreign.accession, foreign.notes)
