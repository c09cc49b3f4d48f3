"""Who may ask the container: programs on this machine, no pages of other sites in its browser."""

import asyncio
import json
import os
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from momalisa.settings import Settings
from tests.support.asgi import request

Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Ask a container that loads no model, with these headers; returns status and error code."""
    from momalisa.cloud import serving

    for name in [name for name in os.environ if name.startswith("AIP_")]:
        monkeypatch.delenv(name)

    def _ask(path: str = "/predict", token: str = "", **headers: str) -> tuple[int, str]:
        chosen = Settings(home=tmp_path, model="no-such-model", endpoint_token=token)
        monkeypatch.setattr(serving, "settings", lambda: chosen)
        body = [b"{}"] if path == "/predict" else []
        answer = asyncio.run(request(path, "", body, serving.create_app(), headers))
        return answer[0], json.loads(answer[2])["error"]["code"]

    return _ask


@pytest.mark.parametrize("path", ["/predict", "/openapi.json"])
def test_a_rebound_name_is_refused_without_a_token(ask: Ask, path: str) -> None:
    """A page of another site, whose name pointed to this machine, could have walks painted."""
    for host in ("evil.example", "localhost.evil.example:8080", "a@localhost", ""):
        assert ask(path, host=host) == (421, "misdirected_request")
    assert ask(path) == (421, "misdirected_request")
    for host in ("localhost:8080", "127.0.0.1:8080", "[::1]:8080"):
        assert ask(path, host=host) == (503, "loading")


def test_pages_of_other_sites_cannot_send_requests_without_a_token(ask: Ask) -> None:
    """A form of theirs is sent without a question, to this machine as to any other."""
    for origin in ("http://evil.example", "null", "http://localhost:3000"):
        assert ask(host="localhost:8080", origin=origin) == (403, "forbidden")


def test_with_a_token_or_on_vertex_ai_any_name_will_do(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"host": "painter.example", "authorization": "Bearer sesame"}
    assert ask(token="sesame", **told) == (503, "loading")
    assert ask(token="sesame", host="localhost") == (401, "unauthorized")
    monkeypatch.setenv("AIP_HTTP_PORT", "8080")
    assert ask(host="painter.example") == (503, "loading")


def test_the_app_sends_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    from momalisa.cloud import endpoint

    sent: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent.append(self.headers["Authorization"])
            self.send_response(200)
            self.end_headers()

    monkeypatch.setattr(endpoint, "settings", lambda: Settings(endpoint_token="sesame"))
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        asked = Thread(target=server.handle_request)
        asked.start()
        endpoint._make_sender(f"http://127.0.0.1:{server.server_port}/predict")(b"{}")
        asked.join()
    assert sent == ["Bearer sesame"]


@pytest.mark.parametrize(
    ("environment", "token", "host"),
    [
        ({}, "", "127.0.0.1"),
        ({}, "sesame", "0.0.0.0"),
        ({"AIP_HTTP_PORT": "8080"}, "", "0.0.0.0"),
    ],
)
def test_without_a_token_only_this_machine_and_vertex_ai_ask(
    environment: dict[str, str], token: str, host: str
) -> None:
    from momalisa.cloud.access import choose_host

    assert choose_host(environment, token) == host
