"""A film keeps its accession number, in whatever order histories and storages are lost."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from db.models import Walk
from db.session import migrate, reading
from momalisa.number_marks import exchange_marks
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
