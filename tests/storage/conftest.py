"""Fixtures: a bucket in a Cloud Storage emulator, behind a fault-injecting proxy."""

import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from momalisa.storage import GCSStorage
from tests.support.faults import Proxy
from tests.support.storage_emulator import proxied_emulator


@pytest.fixture(scope="package")
def proxy() -> Iterator[Proxy]:
    """A proxy in front of the emulator."""
    with proxied_emulator() as proxy:
        yield proxy


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
    """A storage whose retries end after 15 seconds."""
    return GCSStorage(bucket, "", client, retry_seconds=15.0)
