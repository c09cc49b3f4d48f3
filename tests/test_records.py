"""A history that is rebuilt from the storage alone equals the old one, edits and votes included."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from db import curation, votes, walks
from db.models import Vote, Walk
from db.session import get_engine, migrate, reading, writing
from momalisa.deletion import delete_walk
from momalisa.film.embedded_spec import read_spec
from momalisa.film.embedded_text import RECORD_BYTES
from momalisa.records import Record
from momalisa.storage import LocalStorage, film_key
from momalisa.storage.outbox import Outbox
from momalisa.sync import sync
from momalisa.worker.courier import Courier
from momalisa.worker.record_writer import RecordWriter
from tests.support.databases import postgresql_programs, running_postgresql
from tests.support.stored_films import GIF, SPEC, add_film, film_record
from tests.support.waiting import wait_until

QUEUE = {"turn", "due", "progress", "owner", "lease_until", "attempt", "deaths", "troubles"}
QUEUE |= {"stage", "cancel_requested", "machine_failures", "not_before", "error", "origin"}
KEPT = [column.name for column in Walk.__table__.columns if column.name not in QUEUE]


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "store")


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Two empty histories of one kind."""
    if request.param == "sqlite":
        pair = f"sqlite:///{tmp_path}/old.db", f"sqlite:///{tmp_path}/new.db"
        for url in pair:
            migrate(url)
        yield pair
    elif programs := postgresql_programs():
        with running_postgresql(programs) as server:
            pair = server.fresh(), server.fresh()
            yield pair
            for url in pair:
                get_engine(url).dispose()
        return
    else:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    for url in pair:
        get_engine(url).dispose()


def history(url: str) -> tuple[dict[str, dict[str, Any]], list[tuple[Any, ...]]]:
    """All films with their tags, in all columns that are not the queue's; and all votes."""
    with reading(url) as session:
        rows = session.scalars(select(Walk)).all()
        films = {w.id: {n: getattr(w, n) for n in KEPT} | {"tags": w.tags} for w in rows}
        ballots = [
            (vote.left, vote.right, vote.chosen, vote.maker, vote.created_at)
            for vote in session.scalars(select(Vote))
        ]
    return films, sorted(ballots, key=str)


def write_records(storage: LocalStorage, outbox: Outbox, url: str) -> None:
    Courier(outbox, lambda: storage, url).write_records()


def fill(storage: LocalStorage, outbox: Outbox, url: str) -> None:
    """Films with remixes, a film of another program, edits, votes, and a film deleted since."""
    for number, (walk_id, parent) in enumerate(
        (("z-parent", None), ("a-child", "z-parent"), ("m-grandchild", "a-child"), ("gone", None))
    ):
        fields = {"parent": parent, "accession": f"ML.2026.{number + 7:04d}", "maker": walk_id}
        add_film(storage, walk_id, film_record(walk_id, **fields))
    storage.put(film_key("foreign", "dog_cat.gif"), GIF, "image/gif")
    assert sync(storage, url, outbox).damaged == []
    with writing(url) as session:
        curation.set_title(session=session, walk_id="a-child", title="Ein Kind → “zwei”")
        curation.set_tags(session=session, walk_id="a-child", tags=["Sea", "night"])
        curation.set_star(session=session, walk_id="z-parent", star=True)
        curation.set_notes(session=session, walk_id="foreign", notes="öl\nauf 木", known="")
        curation.set_title(session=session, walk_id="foreign", title="A dog")
        for maker, preferred in (("one", "a-child"), ("two", None), ("one", "z-parent")):
            pair = {"one": "a-child", "other": "z-parent"}
            assert votes.cast(session=session, preferred=preferred, maker=maker, **pair)
        votes.cast(session=session, one="foreign", other="gone", preferred="gone", maker="one")
    delete_walk("gone", storage, outbox, url)


def test_rebuilt_history_equals_the_old_one(
    urls: tuple[str, str], storage: LocalStorage, outbox: Outbox
) -> None:
    old, new = urls
    fill(storage, outbox, old)
    write_records(storage, outbox, old)
    assert len(sync(storage, new, outbox).taken_in) == 4
    before, after = history(old), history(new)
    assert after[0].keys() == before[0].keys()
    for walk_id, film in before[0].items():
        assert after[0][walk_id] == film
    assert after[1] == before[1]
    assert len(after[1]) == 2
    # The record of a film may be all that was stored of a vote or a child before its parent.
    assert sync(storage, new, outbox).edited == []
    assert history(new) == before


def test_parent_and_votes_come_whatever_the_order(
    tmp_path: Path, storage: LocalStorage, outbox: Outbox
) -> None:
    """A parent's film may be stored after its child's: it waited in an outbox."""
    old, new = (f"sqlite:///{tmp_path}/{name}.db" for name in ("old", "new"))
    for url in (old, new):
        migrate(url)
    fill(storage, outbox, old)
    write_records(storage, outbox, old)
    files = list(storage.list("saved_predictions/z-parent/"))
    parent = {stored.key: storage.get(stored.key) for stored in files}
    for key in parent:
        storage.delete(key)
    sync(storage, new, outbox)
    for key, data in parent.items():
        storage.put(key, data, "image/gif")
    sync(storage, new, outbox)
    films, ballots = history(new)
    assert films["a-child"]["parent"] == "z-parent"
    assert ballots == history(old)[1]
    for url in (old, new):
        get_engine(url).dispose()


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    url = f"sqlite:///{tmp_path}/history.db"
    migrate(url)
    yield url
    get_engine(url).dispose()


def record_of(storage: LocalStorage, walk_id: str) -> Record:
    return Record.model_validate_json(storage.get(film_key(walk_id, "walk.json")))


def set_title(url: str, title: str) -> None:
    with writing(url) as session:
        curation.set_title(session=session, walk_id="w1", title=title)


def title_of(url: str) -> str:
    with reading(url) as session:
        return session.get_one(Walk, "w1").title


def test_record_of_an_earlier_version_is_read(
    url: str, storage: LocalStorage, outbox: Outbox
) -> None:
    add_film(storage, "w1")
    sync(storage, url, outbox)
    with reading(url) as session:
        walk = session.get_one(Walk, "w1")
    assert (walk.title, walk.star, walk.tags, walk.edited_at) == ("square → sea", False, [], None)


def test_later_edit_of_two_histories_wins(
    url: str, tmp_path: Path, storage: LocalStorage, outbox: Outbox
) -> None:
    other = f"sqlite:///{tmp_path}/other.db"
    migrate(other)
    add_film(storage, "w1")
    for each in (url, other):
        sync(storage, each, outbox)
    set_title(url, "first")
    set_title(other, "second")
    # The later edit is written first: the earlier one must not replace it.
    write_records(storage, outbox, other)
    write_records(storage, outbox, url)
    assert record_of(storage, "w1").title == title_of(url) == title_of(other) == "second"
    set_title(url, "third")
    write_records(storage, outbox, url)
    assert sync(storage, other, outbox).edited == ["w1"]
    assert title_of(other) == "third"
    get_engine(other).dispose()


def cast_vote(url: str, other: str, maker: str) -> None:
    with writing(url) as session:
        pair = {"one": "w1", "other": other, "preferred": other}
        assert votes.cast(session=session, maker=maker, **pair)


def test_a_vote_in_one_history_leaves_the_edits_of_another(
    url: str, tmp_path: Path, storage: LocalStorage, outbox: Outbox
) -> None:
    other = f"sqlite:///{tmp_path}/other.db"
    migrate(other)
    for number, walk_id in enumerate(("w1", "w2")):
        add_film(storage, walk_id, film_record(walk_id, accession=f"ML.2026.{number + 1:04d}"))
    for each in (url, other):
        sync(storage, each, outbox)
        write_records(storage, outbox, each)
    with writing(url) as session:
        of: dict[str, Any] = {"session": session, "walk_id": "w1"}
        curation.set_notes(notes="an hour of work", known="", **of)
        curation.set_tags(tags=["blue"], **of)
        curation.set_star(star=True, **of)
    cast_vote(url, "w2", "one")
    write_records(storage, outbox, url)
    cast_vote(other, "w2", "two")
    with writing(other) as session:
        curation.set_title(session=session, walk_id="w1", title="another")
    write_records(storage, outbox, other)
    sync(storage, url, outbox)
    record = record_of(storage, "w1")
    assert (record.title, record.notes, record.tags) == ("another", "an hour of work", ["blue"])
    assert record.star
    assert {vote.maker for vote in record.votes} == {"one", "two"}
    rows = [history(each) for each in (url, other)]
    assert rows[0][1] == rows[1][1]
    for row in (films["w1"] for films, _ in rows):
        assert (row["notes"], row["title"], row["star"]) == ("an hour of work", "another", True)
    get_engine(other).dispose()


def test_votes_on_films_that_a_history_lacks_stay_in_the_record(
    url: str, storage: LocalStorage, outbox: Outbox
) -> None:
    ballot = {"left": "w1", "right": "w9", "chosen": "left", "maker": "m"}
    ballot["created_at"] = "2026-02-02T10:00:00+00:00"
    add_film(storage, "w1", film_record("w1", votes=[ballot], parent="w9"))
    sync(storage, url, outbox)
    set_title(url, "mine")
    write_records(storage, outbox, url)
    record = record_of(storage, "w1")
    assert (record.title, record.parent, len(record.votes)) == ("mine", "w9", 1)
    add_film(storage, "w9", film_record("w9", accession="ML.2026.0043"))
    sync(storage, url, outbox)
    films, ballots = history(url)
    assert (films["w1"]["parent"], len(ballots)) == ("w9", 1)


def test_edit_that_claims_the_future_is_not_believed(
    url: str, storage: LocalStorage, outbox: Outbox
) -> None:
    """Otherwise no edit of a curator would ever be written any more."""
    record = film_record("w1", edited_at="2099-01-01T00:00:00+00:00", title="hostile")
    add_film(storage, "w1")
    sync(storage, url, outbox)
    set_title(url, "ours")
    path = storage.root / film_key("w1", "walk.json")
    path.write_text(json.dumps(record))
    assert sync(storage, url, outbox).edited == []
    set_title(url, "mine")
    write_records(storage, outbox, url)
    assert (record_of(storage, "w1").title, title_of(url)) == ("mine", "mine")


def test_wrong_storage_gets_no_records(url: str, tmp_path: Path, storage: LocalStorage) -> None:
    outbox = Outbox(tmp_path / "outbox")
    add_film(storage, "w1")
    sync(storage, url, outbox)
    set_title(url, "mine")
    wrong = LocalStorage(tmp_path / "wrong")
    assert RecordWriter(lambda: wrong, url).update() is False
    assert list(wrong.list()) == []
    write_records(storage, outbox, url)
    assert record_of(storage, "w1").title == "mine"


def test_lost_films_do_not_hold_up_the_records_of_others(
    url: str, storage: LocalStorage, outbox: Outbox
) -> None:
    for number in range(25):
        name = f"f{number}"
        add_film(storage, name, film_record(name, accession=f"ML.2026.{number + 100}"))
    add_film(storage, "w1")
    sync(storage, url, outbox)
    with writing(url) as session:
        for number in range(25):
            curation.set_star(session=session, walk_id=f"f{number}", star=True)
            storage.delete(film_key(f"f{number}", "film.gif"))
    set_title(url, "mine")
    write_records(storage, outbox, url)
    assert record_of(storage, "w1").title == "mine"


def test_record_of_many_votes_can_be_read_back(
    url: str, storage: LocalStorage, outbox: Outbox
) -> None:
    names = ["w1", "木" * 68]
    for number, name in enumerate(names):
        add_film(storage, name, film_record(name, accession=f"ML.2026.{number + 1:04d}"))
    sync(storage, url, outbox)
    moment = datetime(2026, 2, 2, tzinfo=UTC)
    ballot = {"left": names[0], "right": names[1], "chosen": "left", "created_at": moment}
    ballots = [ballot | {"maker": f"{'木' * 59}{number:05d}"} for number in range(5_000)]
    with writing(url) as session:
        assert votes.take_in(session=session, walk_id="w1", votes=ballots)
        assert votes.count_of(session=session, walk_id="w1") == 5_000
    set_title(url, "mine")
    write_records(storage, outbox, url)
    stored = storage.get(film_key("w1", "walk.json"))
    assert len(stored) <= RECORD_BYTES
    assert read_spec(stored, "walk.json") == SPEC
    assert len(record_of(storage, "w1").votes) > 1_000


def test_edits_are_recorded_while_the_courier_runs(
    url: str, storage: LocalStorage, outbox: Outbox
) -> None:
    add_film(storage, "w1")
    sync(storage, url, outbox)
    ended = threading.Event()
    thread = threading.Thread(target=Courier(outbox, lambda: storage, url).run, args=[ended.is_set])
    thread.start()
    try:
        set_title(url, "mine")
        wait_until(lambda: record_of(storage, "w1").title == "mine")
    finally:
        ended.set()
        thread.join()


def test_deleted_film_gets_no_record(url: str, storage: LocalStorage, outbox: Outbox) -> None:
    add_film(storage, "w1")
    sync(storage, url, outbox)
    set_title(url, "mine")
    delete_walk("w1", storage, outbox, url)
    write_records(storage, outbox, url)
    with reading(url) as session:
        assert walks.get(session=session, walk_id="w1") is None
    assert list(storage.list()) == []
