"""Free ports, and servers that are about to answer."""

import socket
import time
import urllib.request
from contextlib import suppress

ANSWER_SECONDS = 10.0
"""How long one request may take before the next is tried."""


def free_port() -> int:
    """Return a TCP port on loopback that no process listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for_url(url: str, seconds: float = 120.0) -> None:
    """Return once a URL answers. Raises TimeoutError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        # With a limit: a server that takes a connection at its start may never answer it.
        with suppress(OSError), urllib.request.urlopen(url, timeout=ANSWER_SECONDS):
            return
        time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer")
