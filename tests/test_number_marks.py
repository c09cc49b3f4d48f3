"""The storage remembers which accession numbers were given, whatever becomes of the history."""

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db import accession_numbers
from db.session import get_engine, sqlite_file, writing
from momalisa import number_marks
from momalisa.errors import StorageError
from momalisa.number_marks import MarkKeeper, exchange_marks
from momalisa.storage import LocalStorage, StoredFile
from tests.support.databases import create_sqlite
from tests.support.outbox import UnreliableBucket
from tests.support.walks import enqueue_walk

YEAR = datetime.now(UTC).year


@pytest.fixture
def database(tmp_path: Path) -> Iterator[str]:
    url = f"sqlite:///{tmp_path}/home/history.db"
    create_sqlite(url)
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
    create_sqlite(database)
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
    assert exchange_marks(storage, database) == {YEAR: 0}
    assert enqueue_walk(database).accession == f"ML.{YEAR}.0001"


@pytest.mark.parametrize("mark", [999_999, 30_000])
def test_a_mark_far_above_all_films_does_not_use_up_the_year(
    database: str, storage: LocalStorage, mark: int
) -> None:
    """One empty file in the storage left no number for new walks."""
    enqueue_walk(database)
    for last in (mark, 4):
        key = f"accession_numbers/{YEAR}.{last:06d}.json"
        storage.put(key, b"{}", "application/json")
    exchange_marks(storage, database)
    assert enqueue_walk(database).accession == f"ML.{YEAR}.0005"


def test_a_mark_that_the_films_make_credible_is_believed(
    database: str, storage: LocalStorage
) -> None:
    for number in range(1_000):
        storage.put(f"saved_predictions/w{number}/walk.json", b"{}", "application/json")
    storage.put(f"accession_numbers/{YEAR}.030000.json", b"{}", "application/json")
    exchange_marks(storage, database)
    assert enqueue_walk(database).accession == f"ML.{YEAR}.30001"


@pytest.mark.parametrize("counter", [999_999, 500_000])
def test_a_counter_that_was_burnt_is_set_back(
    database: str, storage: LocalStorage, counter: int
) -> None:
    enqueue_walk(database)
    with writing(database) as session:
        accession_numbers.raise_counters(session, {YEAR: counter})
    storage.put(f"accession_numbers/{YEAR}.{counter:06d}.json", b"{}", "application/json")
    exchange_marks(storage, database)
    assert enqueue_walk(database).accession == f"ML.{YEAR}.0002"


class AwayBucket(UnreliableBucket):
    """A bucket that does not answer."""

    def list(self, prefix: str = "") -> Iterator[StoredFile]:
        raise StorageError("The bucket is away.")


def test_a_history_that_begins_while_its_store_is_away_gives_none_of_its_numbers(
    database: str, tmp_path: Path
) -> None:
    """ML.2026.0001 was given to a second walk, and to the first film once the store was back."""
    with pytest.raises(StorageError):
        exchange_marks(AwayBucket(tmp_path / "bucket"), database)
    first = int(enqueue_walk(database).accession[8:])
    assert first > 10_000
    with pytest.raises(StorageError):
        exchange_marks(AwayBucket(tmp_path / "bucket"), database)
    assert int(enqueue_walk(database).accession[8:]) == first + 1


def test_a_missing_folder_counts_as_away_unless_it_is_beside_the_history(
    database: str, tmp_path: Path
) -> None:
    exchange_marks(LocalStorage(tmp_path / "home" / "store"), database)
    assert enqueue_walk(database).accession == f"ML.{YEAR}.0001"
    other = f"sqlite:///{tmp_path}/other/history.db"
    create_sqlite(other)
    with pytest.raises(StorageError, match="no folder"):
        exchange_marks(LocalStorage(tmp_path / "disk" / "store"), other)
    assert enqueue_walk(other).accession > f"ML.{YEAR}.10000"
    get_engine(other).dispose()


def test_a_history_that_has_seen_its_store_goes_on_while_it_is_away(
    database: str, tmp_path: Path
) -> None:
    (tmp_path / "bucket").mkdir()
    exchange_marks(UnreliableBucket(tmp_path / "bucket"), database)
    with pytest.raises(StorageError):
        exchange_marks(AwayBucket(tmp_path / "bucket"), database)
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
