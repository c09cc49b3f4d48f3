"""The storage remembers which accession numbers were given, whatever becomes of the history."""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db.session import get_engine, migrate, sqlite_file
from momalisa import number_marks
from momalisa.number_marks import MarkKeeper, exchange_marks
from momalisa.storage import LocalStorage
from tests.support.outbox import UnreliableBucket
from tests.support.walks import enqueue_walk

YEAR = datetime.now(UTC).year


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    url = f"sqlite:///{tmp_path}/home/history.db"
    migrate(url)
    yield url
    get_engine(url).dispose()


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(tmp_path / "store")


def test_history_that_was_lost_or_set_back_gives_no_number_again(
    database: str, storage: LocalStorage, tmp_path: Path
) -> None:
    """A copy of the file, put back by hand, gave ML.2026.0002 twice."""
    file = sqlite_file(database)
    assert file is not None
    enqueue_walk(database)
    get_engine(database).dispose()
    shutil.copy(file, tmp_path / "copy.db")
    numbers = [enqueue_walk(database).accession for _ in range(2)]
    exchange_marks(storage, database)
    get_engine(database).dispose()
    shutil.rmtree(file.parent)
    file.parent.mkdir()
    shutil.copy(tmp_path / "copy.db", file)
    exchange_marks(storage, database)
    numbers.append(enqueue_walk(database).accession)
    assert numbers == [f"ML.{YEAR}.{last:04d}" for last in (2, 3, 4)]
    get_engine(database).dispose()
    file.unlink()
    migrate(database)
    exchange_marks(storage, database)
    assert enqueue_walk(database).accession == f"ML.{YEAR}.0004"


def test_one_mark_a_year_is_kept(database: str, storage: LocalStorage) -> None:
    for last in range(1, 4):
        enqueue_walk(database)
        assert exchange_marks(storage, database) == {YEAR: last}
    assert keys(storage) == [f"accession_numbers/{YEAR}.000003.json"]


def keys(storage: LocalStorage) -> list[str]:
    return [stored.key for stored in storage.list()]


@pytest.mark.parametrize("name", ["9999.000500", f"{YEAR}.1000000", f"{YEAR}.12", "notes"])
def test_what_is_no_mark_changes_nothing(name: str, database: str, storage: LocalStorage) -> None:
    storage.put(f"accession_numbers/{name}.json", b"{}", "application/json")
    exchange_marks(storage, database)
    assert enqueue_walk(database).accession == f"ML.{YEAR}.0001"


def test_keeper_asks_the_storage_only_when_numbers_were_given(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(number_marks, "PAUSE", 0.0)
    bucket, asked = UnreliableBucket(tmp_path / "bucket"), []

    def get_storage() -> UnreliableBucket:
        asked.append(time.monotonic())
        return bucket

    keeper = MarkKeeper(get_storage, database)
    enqueue_walk(database)
    bucket.away = True
    keeper.update()
    bucket.away = False
    for _ in range(3):
        keeper.update()
    assert len(asked) == 2
    enqueue_walk(database)
    for _ in range(3):
        keeper.update()
    assert len(asked) == 3
    assert keys(bucket) == [f"accession_numbers/{YEAR}.000002.json"]
