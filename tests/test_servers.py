"""Laws of the servers that tests start: nobody else answers in the place of one."""

import socket
import struct
import subprocess
import sys
from contextlib import suppress
from threading import Thread
from wsgiref.simple_server import demo_app, make_server

import pytest

from tests.support.network import kept_port, wait_for_url

IP_LOCAL_PORT_RANGE = 51
"""Linux's option (since 6.3) of a socket: the ports it may be given, two 16-bit numbers."""


def _is_given(port: int) -> bool:
    """Whether the kernel gives this port to a program that asks for any."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        both = struct.pack("=I", port << 16 | port)
        try:
            listener.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, both)
        except OSError:
            pytest.skip("This kernel cannot narrow the ports that a socket is given.")
        with suppress(OSError):
            listener.bind(("127.0.0.1", 0))
            return True
        return False


def test_a_port_is_kept_from_all_but_its_server() -> None:
    """Two apps started at once were given one port, and tests talked to the wrong one."""
    with kept_port() as port:
        assert not _is_given(port)
        for _ in range(2):
            with socket.create_server(("127.0.0.1", port)):
                assert not _is_given(port)
                with pytest.raises(OSError, match="in use"), kept_port(port):
                    pass
    assert _is_given(port)


def test_an_answer_of_another_server_does_not_stand_for_one_that_has_ended() -> None:
    """An app without its port ends; another one answered, and 11 tests looked at the wrong home."""
    with make_server("127.0.0.1", 0, demo_app) as other:
        Thread(target=other.serve_forever, args=(0.05,), daemon=True).start()
        with subprocess.Popen([sys.executable, "-ISc", "raise SystemExit(1)"]) as ended:
            ended.wait()
        url = f"http://127.0.0.1:{other.server_port}/"
        with pytest.raises(ChildProcessError, match="has ended"):
            wait_for_url(url, lambda: ended.poll() is None)
        other.shutdown()
