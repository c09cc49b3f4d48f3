"""A film keeps its accession number, in whatever order histories and storages are lost."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from db.models import Walk
from db.session import migrate, reading
from momalisa import number_marks
from momalisa.number_marks import MarkKeeper, exchange_marks
from momalisa.storage import LocalStorage
from momalisa.storage.outbox import Outbox
from momalisa.sync import sync
from momalisa.worker.courier import Courier
from tests.support.stored_films import GIF, add_film, film_record
from tests.support.walks import enqueue_walk

YEAR = datetime.now(UTC).year


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "store")


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


def blank_history(folder: Path) -> str:
    url = f"sqlite:///{folder}/history.db"
    migrate(url)
    return url


def numbers_of(url: str) -> dict[str, str]:
    with reading(url) as session:
        return {walk.id: walk.accession for walk in session.scalars(select(Walk))}


def test_film_that_gets_another_number_keeps_it_in_a_rebuilt_history(
    tmp_path: Path, storage: LocalStorage, outbox: Outbox
) -> None:
    """Its record still had the number of its former gallery, and won it: a wall label was wrong."""
    old, new = blank_history(tmp_path / "old"), blank_history(tmp_path / "new")
    elsewhere = LocalStorage(tmp_path / "elsewhere")
    add_film(elsewhere, "brought-in")  # the older film
    add_film(storage, "own")
    sync(storage, old, outbox)
    shutil.copytree(elsewhere.root, storage.root, dirs_exist_ok=True)
    sync(storage, old, outbox)
    Courier(outbox, lambda: storage, old).write_records()
    sync(storage, new, outbox)
    assert numbers_of(new) == {"own": "ML.2026.0042", "brought-in": "ML.2026.0043"}


def test_history_that_is_lost_learns_the_numbers_of_films_in_a_store_without_marks(
    tmp_path: Path, storage: LocalStorage, outbox: Outbox
) -> None:
    """Only its films had been copied: a new walk got the first one's number before `sync` ran."""
    url = blank_history(tmp_path)
    for number in range(1, 4):
        walk_id, accession = f"w{number}", f"ML.{YEAR}.{number:04d}"
        add_film(storage, walk_id, film_record(walk_id, accession=accession))
    add_film(storage, "unreadable", b"{")
    storage.put("saved_predictions/foreign/film.gif", GIF, "image/gif")
    exchange_marks(storage, url)
    assert enqueue_walk(url).accession == f"ML.{YEAR}.0004"
    sync(storage, url, outbox)
    numbers = numbers_of(url)
    assert [numbers[f"w{number}"][8:] for number in range(1, 4)] == ["0001", "0002", "0003"]


def test_films_are_not_read_for_their_numbers_once_there_are_marks(
    tmp_path: Path, storage: LocalStorage, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = blank_history(tmp_path)
    add_film(storage, "w1", film_record("w1", accession=f"ML.{YEAR}.0003"))
    exchange_marks(storage, url)
    monkeypatch.setattr(LocalStorage, "get", None)
    exchange_marks(storage, url)


def test_film_made_before_the_clock_was_set_comes_back_with_its_number(
    tmp_path: Path, storage: LocalStorage, outbox: Outbox
) -> None:
    """A machine without a clock of its own begins in 1970; the film's record could not be read."""
    url, moment = blank_history(tmp_path), "1970-01-01T00:00:20+00:00"
    record = film_record("w1", accession="ML.1970.0001", finished_at=moment, created_at=moment)
    add_film(storage, "w1", record)
    assert sync(storage, url, outbox).damaged == []
    assert numbers_of(url) == {"w1": "ML.1970.0001"}


def test_two_histories_on_one_storage_learn_of_each_others_numbers(
    tmp_path: Path, storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ML.2026.0003 was given by both, for hours: each asked only after it had given one itself."""
    monkeypatch.setattr(number_marks, "PAUSE", 0.0)
    monkeypatch.setattr(number_marks, "LOOK", 0.0)
    one, other = blank_history(tmp_path / "one"), blank_history(tmp_path / "other")
    keepers = [MarkKeeper(lambda: storage, url) for url in (one, other)]
    numbers = []
    for url in (one, other, one, one, other):
        numbers.append(enqueue_walk(url).accession)
        for keeper in (*keepers, *keepers):  # the first writes a mark, or reads the other's
            keeper.update()
    assert numbers == [f"ML.{YEAR}.{last:04d}" for last in range(1, 6)]
