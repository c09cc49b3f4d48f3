"""A film keeps its accession number, in whatever order histories and storages are lost."""

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select

from db.models import Walk
from db.session import migrate, reading
from momalisa.storage import LocalStorage
from momalisa.storage.outbox import Outbox
from momalisa.sync import sync
from momalisa.worker.courier import Courier
from tests.support.stored_films import add_film


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
