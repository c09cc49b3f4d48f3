"""URLs of stored files: the app's route, a public bucket's, or signed."""

import logging
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from momalisa.storage import GCSStorage, LocalStorage
from tests.support.faults import Proxy
from tests.support.storage_emulator import AWKWARD_KEY, LEFT_SOCKETS

pytestmark = LEFT_SOCKETS


def test_local_url_is_the_media_route(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    assert storage.url("a/b.gif") == "/pictures/store/a/b.gif"
    assert storage.url("a/b.gif", download="№ 1.gif") == (
        "/pictures/store/a/b.gif?download=%E2%84%96%201.gif"
    )


def fetch(url: str) -> tuple[bytes, str]:
    """The response's body and content disposition."""
    with urllib.request.urlopen(url) as response:
        return response.read(), response.headers.get("Content-Disposition", "")


def test_public_bucket_is_read_directly(films: GCSStorage) -> None:
    films.put(AWKWARD_KEY, b"film", "image/gif")
    assert fetch(films.url(AWKWARD_KEY))[0] == b"film"
    # Only a signed URL can name the download.
    assert films.url(AWKWARD_KEY, download="x.gif").startswith("/pictures/store/")


@pytest.fixture
def signing(proxy: Proxy, bucket: str) -> Iterator[GCSStorage]:
    """A storage with an invented service account's key."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from google.cloud.storage import Client  # type: ignore[import-untyped]
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
    films.put(f"a/prefix/{AWKWARD_KEY}", b"film", "image/gif")
    assert fetch(signing.url(AWKWARD_KEY))[0] == b"film"
    assert "X-Goog-Expires=604800" in signing.url(AWKWARD_KEY)
    download_url = signing.url(AWKWARD_KEY, download="№ 1.gif")
    assert "response-content-disposition=attachment%3B%20filename" in download_url
    assert fetch(download_url)[0] == b"film"


def test_signed_url_stays_the_same_for_days_and_valid_for_three(
    signing: GCSStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    from google.cloud.storage import _signing

    first = datetime(2026, 3, 1, tzinfo=UTC)
    urls: set[str] = set()
    for hours in range(0, 40 * 24, 6):
        now = first + timedelta(hours=hours)
        monkeypatch.setattr("momalisa.storage.gcs.time.time", now.timestamp)
        monkeypatch.setattr(_signing, "_NOW", lambda _zone, now=now: now)
        url = signing.url(AWKWARD_KEY)
        [signed_at] = parse_qs(urlsplit(url).query)["X-Goog-Date"]
        expires = datetime.strptime(signed_at, "%Y%m%dT%H%M%S%z") + timedelta(days=7)
        assert expires - now >= timedelta(days=3)
        urls.add(url)
    assert len(urls) <= 11


def user_credentials() -> Any:
    from google.oauth2.credentials import Credentials

    return Credentials(token="t")  # type: ignore[no-untyped-call]


def impersonated_credentials() -> Any:
    from google.auth.impersonated_credentials import Credentials

    return Credentials(user_credentials(), "lisa@example.com", [])  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("make", [user_credentials, impersonated_credentials])
def test_credentials_without_a_key_ask_nobody_to_sign(
    client: Any,
    bucket: str,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[], Any],
) -> None:
    """Some could ask a Google API: three times for each film of a page, one after the other."""
    asked: list[object] = []
    monkeypatch.setattr("requests.Session.request", lambda *request, **_: asked.append(request))
    monkeypatch.setattr(client, "_credentials", make())
    storage = GCSStorage(bucket, "", client)
    with caplog.at_level(logging.WARNING):
        assert storage.url("a/b.gif") == storage.url("a/b.gif") == "/pictures/store/a/b.gif"
    [message] = caplog.messages
    assert "cannot sign" in message
    assert not asked
