"""The storage interface, tested on a folder and on a bucket in the emulator."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from momalisa.errors import BadInput, NotStored, StorageError
from momalisa.storage import GCSStorage, LocalStorage, Storage, film_key, open_storage
from tests.support.storage_emulator import AWKWARD_KEY, LEFT_SOCKETS

pytestmark = LEFT_SOCKETS
RECORD_KEY = "saved_predictions/abc/walk.json"


@pytest.fixture(params=["local", "gcs", "gcs-prefix"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return LocalStorage(tmp_path / "store")
    bucket, client = request.getfixturevalue("bucket"), request.getfixturevalue("client")
    return GCSStorage(bucket, "a/prefix" if request.param == "gcs-prefix" else "", client)


def test_get_returns_what_was_put(storage: Storage) -> None:
    data = os.urandom(300_000)
    stored = storage.put(AWKWARD_KEY, data, "image/gif")
    assert (stored.key, stored.size) == (AWKWARD_KEY, len(data))
    assert abs(stored.updated - datetime.now(UTC)) < timedelta(minutes=1)
    assert storage.get(AWKWARD_KEY) == data
    assert storage.exists(AWKWARD_KEY)


def test_the_first_bytes_are_read_alone(storage: Storage) -> None:
    storage.put(AWKWARD_KEY, b"0123456789", "image/webp")
    assert storage.get_start(AWKWARD_KEY, 4) == b"0123"
    assert storage.get_start(AWKWARD_KEY, 12) == b"0123456789"
    with pytest.raises(NotStored):
        storage.get_start(RECORD_KEY, 4)


def test_empty_file_is_stored(storage: Storage) -> None:
    storage.put(AWKWARD_KEY, b"", "image/gif")
    assert storage.get(AWKWARD_KEY) == b""


def test_putting_the_same_bytes_again_succeeds(storage: Storage) -> None:
    first = storage.put(AWKWARD_KEY, b"film", "image/gif")
    assert storage.put(AWKWARD_KEY, b"film", "image/gif").size == first.size


@pytest.mark.parametrize("other", [b"other", b"fil", b"mlif"])
def test_films_are_never_overwritten(storage: Storage, other: bytes) -> None:
    storage.put(AWKWARD_KEY, b"film", "image/gif")
    with pytest.raises(StorageError, match="never overwritten"):
        storage.put(AWKWARD_KEY, other, "image/gif")
    assert storage.get(AWKWARD_KEY) == b"film"


def test_concurrent_puts_have_one_winner(storage: Storage) -> None:
    def race(number: int) -> int | None:
        try:
            storage.put(AWKWARD_KEY, b"%d" % number, "image/gif")
        except StorageError:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        winners = [number for number in pool.map(race, range(8)) if number is not None]
    assert [b"%d" % winner for winner in winners] == [storage.get(AWKWARD_KEY)]


def test_a_record_is_replaced_by_who_knows_it(storage: Storage) -> None:
    storage.put(RECORD_KEY, b"first", "application/json")
    stored = storage.replace(RECORD_KEY, b"second", "application/json", previous=b"first")
    assert (stored.key, stored.size) == (RECORD_KEY, 6)
    assert storage.get(RECORD_KEY) == b"second"
    [listed] = storage.list()
    assert listed.updated == stored.updated
    again = storage.replace(RECORD_KEY, b"second", "application/json", previous=b"first")
    assert again.updated == stored.updated, "it was not written again"
    assert [found.key for found in storage.list()] == [RECORD_KEY]


def test_what_was_changed_meanwhile_is_not_replaced(storage: Storage) -> None:
    storage.put(RECORD_KEY, b"theirs", "application/json")
    with pytest.raises(StorageError, match="changed meanwhile"):
        storage.replace(RECORD_KEY, b"mine", "application/json", previous=b"first")
    assert storage.get(RECORD_KEY) == b"theirs"


def test_what_was_deleted_is_not_replaced(storage: Storage) -> None:
    with pytest.raises(NotStored):
        storage.replace(RECORD_KEY, b"mine", "application/json", previous=b"first")
    assert list(storage.list()) == []


def test_concurrent_replacements_have_one_winner(storage: Storage) -> None:
    storage.put(RECORD_KEY, b"first", "application/json")

    def race(number: int) -> int | None:
        try:
            storage.replace(RECORD_KEY, b"%d" % number, "application/json", previous=b"first")
        except StorageError:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        winners = [number for number in pool.map(race, range(8)) if number is not None]
    assert [b"%d" % winner for winner in winners] == [storage.get(RECORD_KEY)]


def test_missing_file_raises_not_stored(storage: Storage) -> None:
    assert not storage.exists(AWKWARD_KEY)
    with pytest.raises(NotStored, match="no file"):
        storage.get(AWKWARD_KEY)
    with pytest.raises(FileNotFoundError):
        storage.get(AWKWARD_KEY)


def test_list_is_by_prefix_and_sorted(storage: Storage) -> None:
    keys = ["b/1.gif", "a/2.gif", "a/10.gif", "ab/1.gif", "a/x/1.gif"]
    for key in keys:
        storage.put(key, key.encode(), "image/gif")
    assert [stored.key for stored in storage.list()] == sorted(keys)
    assert [stored.key for stored in storage.list("a/")] == ["a/10.gif", "a/2.gif", "a/x/1.gif"]
    assert [stored.key for stored in storage.list("a")][-1] == "ab/1.gif"
    assert [stored.size for stored in storage.list("b/")] == [7]
    assert list(storage.list("none/")) == []


def test_deleted_key_can_be_put_again(storage: Storage) -> None:
    storage.put(AWKWARD_KEY, b"film", "image/gif")
    storage.delete(AWKWARD_KEY)
    storage.delete(AWKWARD_KEY)
    assert not storage.exists(AWKWARD_KEY)
    assert list(storage.list()) == []
    storage.put(AWKWARD_KEY, b"other", "image/gif")
    assert storage.get(AWKWARD_KEY) == b"other"


@pytest.mark.parametrize(
    "key",
    [
        *("", "/a", "a/", "a//b", "..", "a/../b", "../a", "./a", "a\\b", "a/.hidden", "C:/a"),
        *("a\0b", "a\nb", "\ud800", "a/" + "x" * 300),
    ],
)
def test_keys_outside_the_storage_are_bad_input(storage: Storage, key: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: storage.put(key, b"", "image/gif"),
        lambda: storage.replace(key, b"", "image/gif", previous=b""),
        lambda: storage.get(key),
        lambda: storage.exists(key),
        lambda: storage.delete(key),
        lambda: storage.url(key),
    ]
    for call in calls:
        with pytest.raises(BadInput):
            call()


@pytest.mark.parametrize("prefix", ["../", "/etc/", "a/../../b"])
def test_prefixes_outside_the_storage_are_bad_input(storage: Storage, prefix: str) -> None:
    with pytest.raises(BadInput):
        list(storage.list(prefix))


def test_url_is_quoted(storage: Storage) -> None:
    storage.put(AWKWARD_KEY, b"film", "image/gif")
    assert storage.url(AWKWARD_KEY).endswith(
        "saved_predictions/abc/a%20film%2C%20%E2%84%96%201.gif"
    )


def test_root_selects_the_storage(tmp_path: Path) -> None:
    assert isinstance(open_storage(str(tmp_path)), LocalStorage)
    assert isinstance(open_storage("gs://films/some/prefix"), GCSStorage)
    with pytest.raises(BadInput, match="gs://bucket"):
        open_storage("gs:///prefix")


def test_film_key() -> None:
    assert film_key("abc", "poster.webp") == "saved_predictions/abc/poster.webp"
    with pytest.raises(BadInput):
        film_key("../abc", "poster.webp")


@pytest.mark.parametrize("root", ["s3://bucket/x", "file:///srv/films", "gs:/bucket", "az://b"])
def test_an_address_of_another_kind_is_no_name_of_a_folder(root: str) -> None:
    with pytest.raises(BadInput, match="gs://bucket/prefix"):
        open_storage(root)
