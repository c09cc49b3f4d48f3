"""Ports that are kept for one server, and servers that are about to answer."""

import socket
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

ANSWER_SECONDS = 10.0
"""How long one request may take before the next is tried."""


@contextmanager
def kept_port(port: int = 0) -> Iterator[int]:
    """Keep a TCP port on loopback, by default any free one, for the length of a block.

    Meanwhile the kernel gives it to no other program that asks for any port. A server that sets
    SO_REUSEADDR, as uvicorn and Go's do, can listen on it, also again after a restart. Raises
    OSError if a server listens there already.
    """
    with socket.socket() as keeper:
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keeper.bind(("127.0.0.1", port))
        # It never listens: that would refuse the port to its server, too.
        yield int(keeper.getsockname()[1])


def wait_for_url(url: str, is_alive: Callable[[], bool], seconds: float = 120.0) -> None:
    """Return once a URL answers.

    Raises ChildProcessError if its server is not alive, and TimeoutError.
    """
    end = time.monotonic() + seconds
    while is_alive():
        # With a limit: a server that takes a connection at its start may never answer it.
        with suppress(OSError), urllib.request.urlopen(url, timeout=ANSWER_SECONDS):
            return
        if time.monotonic() > end:
            raise TimeoutError(f"{url} does not answer")
        time.sleep(0.1)
    raise ChildProcessError(f"The server of {url} has ended")
