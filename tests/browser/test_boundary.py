"""The running server as others on the network and pages of other sites meet it."""

import http.client
import socket
from contextlib import nullcontext
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.support.app import App

pytestmark = pytest.mark.browser

PATHS = (
    "/",
    "/gallery",
    "/pictures/example/film.gif",
    "/_stcore/host-config",
    "/static/js/none.js",
    "/media/none.png",
    "/nosuch/page",
)
"""Our routes and Streamlit's own."""


def port_of(app: App) -> int:
    port = urlsplit(app.url).port
    assert port is not None
    return port


def get(app: App, path: str, host: str) -> tuple[int, dict[str, str]]:
    """Status and headers of a GET request with this Host."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(app), timeout=30)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}


def test_the_server_listens_on_this_machine_only(app: App) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", port_of(app)), timeout=30)


@pytest.mark.parametrize("path", PATHS)
def test_a_rebound_name_is_refused_on_every_route(app: App, path: str) -> None:
    assert get(app, path, f"evil.example:{port_of(app)}")[0] == 421
    assert get(app, path, f"localhost:{port_of(app)}")[0] < 500


@pytest.mark.parametrize(
    ("name", "origin", "open_"),
    [
        ("localhost", "http://localhost:{}", True),
        ("127.0.0.1", "http://127.0.0.1:{}", True),
        ("localhost", None, True),
        ("evil.example", "http://evil.example:{}", False),
        ("localhost", "http://evil.example", False),
        ("localhost", "http://localhost:1", False),
    ],
)
def test_sockets_of_other_sites_are_refused(
    app: App, name: str, origin: str | None, open_: bool
) -> None:
    port = port_of(app)
    url = f"ws://{name}:{port}/_stcore/stream"
    own = Origin(origin.format(port)) if origin else None
    here = socket.create_connection(("127.0.0.1", port))
    refused = nullcontext() if open_ else pytest.raises(InvalidStatus, match="HTTP 403")
    with refused, connect(url, origin=own, sock=here, proxy=None, open_timeout=30):
        pass
