"""A bucket of the real emulator, behind a proxy that lets a network fail."""

import gc
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from momalisa.storage import GCSStorage
from tests.support.faults import Proxy, emulator, proxy_before

KEY = "saved_predictions/abc/a film, № 1.gif"
# The client library leaves the socket of an answer that it tries again to the collector.
LEFT_SOCKETS = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="package")
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
