"""Google Cloud Storage under injected faults: requests succeed after retries or raise."""

import json
import os
from typing import Any

import pytest
import requests

from momalisa.errors import StorageError
from momalisa.storage import GCSStorage, gcs
from tests.support.faults import Fault, Proxy
from tests.support.storage_emulator import AWKWARD_KEY, LEFT_SOCKETS

pytestmark = LEFT_SOCKETS

SMALL, LARGE = 1_000, 400_000
REQUESTS = {"existence check": 0, "start": 1, "first chunk": 2, "last chunk": 3}


def patience_with(fault: Fault) -> float:
    """Seconds to retry: few after a stall, of which a third passes before the next try."""
    return 6.0 if fault is Fault.STALL else 30.0


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Upload chunks of the smallest size that is allowed."""
    monkeypatch.setattr(gcs, "CHUNK_BYTES", 2**18)
    monkeypatch.setattr("google.cloud.storage.blob._MAX_MULTIPART_SIZE", 2**18)


def test_upload_sets_content_type_and_cache_control(client: Any, bucket: str) -> None:
    GCSStorage(bucket, "", client).put(AWKWARD_KEY, b"film", "image/gif")
    blob = client.bucket(bucket).get_blob(AWKWARD_KEY)
    assert blob.content_type == "image/gif"
    assert "immutable" in blob.cache_control


def test_only_records_are_asked_for_again(client: Any, bucket: str) -> None:
    """A record changes, so a browser that keeps it for a year would show an old one."""
    GCSStorage(bucket, "", client).put("saved_predictions/abc/walk.json", b"{}", "application/json")
    assert client.bucket(bucket).get_blob("saved_predictions/abc/walk.json").cache_control == (
        "no-cache"
    )


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("before", [0, 1], ids=["read", "upload"])
def test_replacement_succeeds_after_a_fault(
    client: Any, bucket: str, proxy: Proxy, fault: Fault, before: int
) -> None:
    films = GCSStorage(bucket, "", client, retry_seconds=patience_with(fault))
    films.put(AWKWARD_KEY, b"first" * 100, "application/json")
    proxy.script_faults(*[None] * before, fault)
    new = b"second" * 100
    assert films.replace(AWKWARD_KEY, new, "application/json", previous=b"first" * 100).size == 600
    assert films.get(AWKWARD_KEY) == new


def test_damaged_upload_is_deleted(films: GCSStorage, proxy: Proxy) -> None:
    proxy.script_faults(Fault.DAMAGE, None, Fault.DAMAGE)
    with pytest.raises(StorageError, match="damaged on its way"):
        films.put(AWKWARD_KEY, b"film" * 100, "image/gif")
    assert not films.exists(AWKWARD_KEY)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize(
    ("size", "before"),
    [pytest.param(SMALL, 0, id="one request")]
    + [pytest.param(LARGE, number, id=name) for name, number in REQUESTS.items()],
)
def test_upload_succeeds_after_a_fault(
    client: Any, bucket: str, proxy: Proxy, fault: Fault, size: int, before: int
) -> None:
    """Includes the case that the film was stored but the response was lost."""
    films = GCSStorage(bucket, "", client, retry_seconds=patience_with(fault))
    data = os.urandom(size)
    proxy.script_faults(*[None] * before, fault)
    assert films.put(AWKWARD_KEY, data, "image/gif").size == size
    assert films.get(AWKWARD_KEY) == data


@pytest.mark.parametrize("fault", [*Fault][:4])
def test_read_succeeds_after_a_fault(client: Any, bucket: str, proxy: Proxy, fault: Fault) -> None:
    films = GCSStorage(bucket, "", client, retry_seconds=patience_with(fault))
    films.put(AWKWARD_KEY, b"film" * 100, "image/gif")
    proxy.script_faults(fault)
    assert films.get(AWKWARD_KEY) == b"film" * 100
    proxy.script_faults(fault)
    assert [stored.key for stored in films.list()] == [AWKWARD_KEY]
    proxy.script_faults(fault)
    assert films.exists(AWKWARD_KEY)
    assert proxy.uploads[f"{bucket}/{AWKWARD_KEY}"] == 1
    proxy.script_faults(fault)
    films.delete(AWKWARD_KEY)
    assert not films.exists(AWKWARD_KEY)


def test_lost_response_does_not_hide_a_conflict(films: GCSStorage, proxy: Proxy) -> None:
    films.put(AWKWARD_KEY, b"film", "image/gif")
    proxy.script_faults(Fault.LOST)
    with pytest.raises(StorageError, match="never overwritten"):
        films.put(AWKWARD_KEY, b"milf", "image/gif")


@pytest.mark.usefixtures("small_chunks")
def test_large_film_is_not_uploaded_twice(films: GCSStorage, bucket: str, proxy: Proxy) -> None:
    data = os.urandom(LARGE)
    films.put(AWKWARD_KEY, data, "image/gif")
    films.put(AWKWARD_KEY, data, "image/gif")
    with pytest.raises(StorageError, match="never overwritten"):
        films.put(AWKWARD_KEY, data[::-1], "image/gif")
    assert proxy.uploads[f"{bucket}/{AWKWARD_KEY}"] == 1


def test_missing_bucket_is_a_storage_error(client: Any) -> None:
    storage = GCSStorage("no-such-bucket", "", client)
    for call in (lambda: storage.put(AWKWARD_KEY, b"film", "image/gif"), lambda: [*storage.list()]):
        with pytest.raises(StorageError, match="no bucket no-such-bucket"):
            call()


def test_unreachable_bucket_is_a_storage_error(client: Any, bucket: str, proxy: Proxy) -> None:
    films = GCSStorage(bucket, "", client, retry_seconds=1.0)
    proxy.offline = True
    try:
        with pytest.raises(StorageError, match="network"):
            films.put(AWKWARD_KEY, b"film", "image/gif")
    finally:
        proxy.offline = False


def test_a_refusal_is_told_in_googles_words_and_names_the_role(
    films: GCSStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The role alone misled, where a retention policy or an unpaid bill was the reason."""
    kept = "Object is subject to a retention policy until 2027"
    answer = requests.Response()
    answer.status_code, answer.request = 403, requests.PreparedRequest()
    answer.headers["Content-Type"] = "application/json"
    answer._content = json.dumps({"error": {"message": f"{kept}.", "errors": []}}).encode()
    monkeypatch.setattr("requests.Session.request", lambda *_, **__: answer)
    told = rf"1\.gif: {kept}\. .*Storage Object User"
    with pytest.raises(StorageError, match=told):
        films.put(AWKWARD_KEY, b"film", "image/gif")
    with pytest.raises(StorageError, match=told):
        films.delete(AWKWARD_KEY)


def test_missing_login_names_the_command() -> None:
    from google.auth.exceptions import DefaultCredentialsError

    class LoginMissingClient:
        def bucket(self, _name: str) -> None:
            raise DefaultCredentialsError("no credentials")  # type: ignore[no-untyped-call]

    with pytest.raises(StorageError, match=r"gcloud auth .*clock"):
        GCSStorage("films", "", LoginMissingClient()).get(AWKWARD_KEY)
