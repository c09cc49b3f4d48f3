"""One contract for every storage: a folder, and a bucket of the real emulator."""

import errno
import gc
import logging
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from momalisa.errors import BadInput, NotStored, StorageError
from momalisa.settings import CHECKOUT
from momalisa.storage import GCSStorage, LocalStorage, Storage, film_key, gcs, open_storage
from tests.faults import Fault, Proxy, emulator, proxy_before

# The client library leaves the socket of an answer that it tries again to the collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)

KEY = "saved_predictions/abc/a film, № 1.gif"


@pytest.fixture(scope="module")
def proxy() -> Iterator[Proxy]:
    """The way to a bucket of the emulator."""
    with emulator() as place, proxy_before(place) as proxy:
        yield proxy
    gc.collect()


@pytest.fixture
def client(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    from google.cloud.storage import Client  # type: ignore[import-untyped]

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.address)
    with closing(Client(project="test")) as client:
        yield client


@pytest.fixture
def bucket(client: Any) -> str:
    name = f"films-{time.monotonic_ns()}"
    client.create_bucket(name)
    return name


@pytest.fixture
def films(client: Any, bucket: str) -> GCSStorage:
    """A bucket that is soon given up."""
    return GCSStorage(bucket, "", client, patience=3.0)


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
    storage = LocalStorage(tmp_path)
    assert storage.url("a/b.gif") == "/pictures/store/a/b.gif"
    assert storage.url("a/b.gif", download="№ 1.gif") == (
        "/pictures/store/a/b.gif?download=%E2%84%96%201.gif"
    )


def fetched(url: str) -> tuple[bytes, str]:
    """The body and the content disposition behind an address."""
    with urllib.request.urlopen(url) as answer:
        return answer.read(), answer.headers.get("Content-Disposition", "")


def test_public_bucket_is_read_directly(films: GCSStorage) -> None:
    films.put(KEY, b"film", "image/gif")
    assert fetched(films.url(KEY))[0] == b"film"
    # Only a signed address could name the download.
    assert films.url(KEY, download="x.gif").startswith("/pictures/store/")


@pytest.fixture
def signing(proxy: Proxy, bucket: str) -> Iterator[GCSStorage]:
    """A storage with a service account's key, made up here."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from google.cloud.storage import Client
    from google.oauth2.service_account import Credentials

    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "private_key": key.decode(),
        "client_email": "lisa@example.com",
        "token_uri": "http://127.0.0.1:9/token",
    }
    credentials = Credentials.from_service_account_info(account)  # type: ignore[no-untyped-call]
    with closing(Client(project="test", credentials=credentials)) as client:
        yield GCSStorage(bucket, "a/prefix", client)


def test_signed_url_opens_the_file_and_names_the_download(
    films: GCSStorage, signing: GCSStorage
) -> None:
    films.put(f"a/prefix/{KEY}", b"film", "image/gif")
    assert fetched(signing.url(KEY))[0] == b"film"
    assert "X-Goog-Expires=604800" in signing.url(KEY)
    named = signing.url(KEY, download="№ 1.gif")
    assert "response-content-disposition=attachment%3B%20filename" in named
    assert fetched(named)[0] == b"film"


def test_signed_url_is_one_for_days_and_always_good_for_three(
    signing: GCSStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from google.cloud.storage import _signing

    first = datetime(2026, 3, 1, tzinfo=UTC)
    given: set[str] = set()
    for hours in range(0, 40 * 24, 6):
        now = first + timedelta(hours=hours)
        monkeypatch.setattr("momalisa.storage.gcs.time.time", now.timestamp)
        monkeypatch.setattr(_signing, "_NOW", lambda _zone, now=now: now)
        url = signing.url(KEY)
        [signed] = parse_qs(urlsplit(url).query)["X-Goog-Date"]
        ends = datetime.strptime(signed, "%Y%m%dT%H%M%S%z") + timedelta(days=7)
        assert ends - now >= timedelta(days=3)
        given.add(url)
    assert len(given) <= 11


def test_credentials_that_cannot_sign_are_said_once(
    client: Any, bucket: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from google.oauth2.credentials import Credentials

    token = Credentials(token="t")  # type: ignore[no-untyped-call]
    monkeypatch.setattr(client, "_credentials", token)
    storage = GCSStorage(bucket, "", client)
    with caplog.at_level(logging.WARNING):
        assert storage.url("a/b.gif") == storage.url("a/b.gif") == "/pictures/store/a/b.gif"
    [said] = caplog.messages
    assert "cannot sign" in said


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


TROUBLES = {
    "a limit on files": "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))",
    "a folder of somebody else": "os.setuid(65_534)",
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_what_the_system_refuses_is_a_sentence_and_leaves_nothing(
    tmp_path: Path, trouble: str
) -> None:
    """In a process of its own: nobody takes such a refusal back."""
    if "setuid" in TROUBLES[trouble] and os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    code = f"""
import os, resource, signal
from pathlib import Path
from momalisa.storage import LocalStorage
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
{TROUBLES[trouble]}
LocalStorage(Path({str(tmp_path)!r})).put("a/b.gif", bytes(100_000), "image/gif")
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert "did not take or give a/b.gif" in done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_unreadable_folder_is_not_an_empty_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalStorage(tmp_path)
    storage.put(KEY, b"film", "image/gif")

    def refuse(_path: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(StorageError, match="Input/output error"):
        list(storage.list())


def test_folder_is_no_file(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    storage.put("a/b.gif", b"film", "image/gif")
    with pytest.raises(NotStored):
        storage.get("a")
    with pytest.raises(StorageError):
        storage.put("a/b.gif/c.gif", b"film", "image/gif")
    assert not storage.exists("a")


def test_what_arrives_damaged_is_taken_back(films: GCSStorage, proxy: Proxy) -> None:
    proxy.meet(Fault.DAMAGE, None, Fault.DAMAGE)
    with pytest.raises(StorageError, match="damaged on its way"):
        films.put(KEY, b"film" * 100, "image/gif")
    assert not films.exists(KEY)


SMALL, LARGE = 1_000, 400_000
REQUESTS = {"look first": 0, "begin": 1, "first piece": 2, "last piece": 3}


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pieces of the smallest size that there is."""
    monkeypatch.setattr(gcs, "CHUNK", 2**18)
    monkeypatch.setattr("google.cloud.storage.blob._MAX_MULTIPART_SIZE", 2**18)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize(
    ("size", "before"),
    [pytest.param(SMALL, 0, id="at once")]
    + [pytest.param(LARGE, number, id=name) for name, number in REQUESTS.items()],
)
def test_upload_gets_over_a_fault(
    client: Any, bucket: str, proxy: Proxy, fault: Fault, size: int, before: int
) -> None:
    """Also when a film was stored although its answer was lost: it is there, as it was sent."""
    films = GCSStorage(bucket, "", client, patience=6.0)
    data = os.urandom(size)
    proxy.meet(*[None] * before, fault)
    assert films.put(KEY, data, "image/gif").size == size
    assert films.get(KEY) == data


@pytest.mark.parametrize("fault", [*Fault][:4])
def test_reading_gets_over_a_fault(client: Any, bucket: str, proxy: Proxy, fault: Fault) -> None:
    films = GCSStorage(bucket, "", client, patience=6.0)
    films.put(KEY, b"film" * 100, "image/gif")
    proxy.meet(fault)
    assert films.get(KEY) == b"film" * 100
    proxy.meet(fault)
    assert [found.key for found in films.list()] == [KEY]
    proxy.meet(fault)
    assert films.exists(KEY)
    assert proxy.stored[f"{bucket}/{KEY}"] == 1
    proxy.meet(fault)
    films.delete(KEY)
    assert not films.exists(KEY)


def test_answer_lost_for_another_film_is_a_conflict(films: GCSStorage, proxy: Proxy) -> None:
    films.put(KEY, b"film", "image/gif")
    proxy.meet(Fault.LOST)
    with pytest.raises(StorageError, match="never overwritten"):
        films.put(KEY, b"milf", "image/gif")


@pytest.mark.usefixtures("small_pieces")
def test_large_film_is_not_sent_in_vain(films: GCSStorage, bucket: str, proxy: Proxy) -> None:
    data = os.urandom(LARGE)
    films.put(KEY, data, "image/gif")
    films.put(KEY, data, "image/gif")
    with pytest.raises(StorageError, match="never overwritten"):
        films.put(KEY, data[::-1], "image/gif")
    assert proxy.stored[f"{bucket}/{KEY}"] == 1


def test_missing_bucket_is_a_sentence(client: Any) -> None:
    storage = GCSStorage("no-such-bucket", "", client)
    for call in (lambda: storage.put(KEY, b"film", "image/gif"), lambda: [*storage.list()]):
        with pytest.raises(StorageError, match="no bucket no-such-bucket"):
            call()


def test_unreachable_bucket_is_a_sentence(films: GCSStorage, proxy: Proxy) -> None:
    proxy.gone = True
    try:
        with pytest.raises(StorageError, match="network"):
            films.put(KEY, b"film", "image/gif")
    finally:
        proxy.gone = False


def test_missing_right_is_a_sentence() -> None:
    from google.api_core.exceptions import Forbidden

    class Closed:
        def bucket(self, _name: str) -> None:
            raise Forbidden("no")  # type: ignore[no-untyped-call]

    with pytest.raises(StorageError, match="Storage Object User"):
        GCSStorage("films", "", Closed()).get(KEY)


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
