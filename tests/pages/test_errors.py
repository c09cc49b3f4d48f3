"""Errors of the server: an answer with a sentence and the security headers, and one log entry."""

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from db.error_messages import OutOfReach
from db.session import migrate
from momalisa.ui.error_display import error_message
from momalisa.ui.http import headers
from tests.support import asgi


async def fail(_request: Request) -> Response:
    raise RuntimeError("a secret path")


async def answer(_request: Request) -> Response:
    return PlainTextResponse("the gallery")


async def leave(_request: Request) -> Response:
    raise ClientDisconnect


async def break_off(_request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError("later")

    return StreamingResponse(parts())


APP = Starlette(
    routes=[
        *(Route("/", answer), Route("/fail", fail)),
        *(Route("/leave", leave), Route("/break", break_off)),
    ],
    middleware=[Middleware(headers.add_security_headers)],
)


def get(path: str) -> asgi.Response:
    return asyncio.run(asgi.request(path, app=APP))


def test_every_answer_has_the_headers() -> None:
    sent = get("/")[1]
    policy = dict(
        part.strip().partition(" ")[::2] for part in sent["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == policy["frame-src"] == "'none'"
    scripts = policy["script-src"].split()
    assert not {"'unsafe-inline'", "'unsafe-eval'", "*"} & set(scripts)
    assert sum(source.startswith("'sha256-") for source in scripts) == 2
    assert sent["x-frame-options"] == "DENY"
    assert sent["x-content-type-options"] == "nosniff"
    assert sent["referrer-policy"] == "same-origin"
    for device in ("camera", "microphone", "geolocation"):
        assert f"{device}=()" in sent["permissions-policy"]


def test_an_error_of_the_history_names_no_place(tmp_path: Path) -> None:
    (tmp_path / "history.db").mkdir()
    with pytest.raises(OutOfReach) as raised:
        migrate(f"sqlite:///{tmp_path / 'history.db'}")
    assert str(tmp_path) in str(raised.value)
    assert str(tmp_path) not in error_message(raised.value)


def test_an_error_is_a_sentence_with_the_headers(caplog: pytest.LogCaptureFixture) -> None:
    """Starlette answered outside of the middleware that adds them."""
    status, sent, body = get("/fail")
    assert (status, body.decode()) == (500, headers.FAILED)
    assert "frame-ancestors" in sent["content-security-policy"]
    assert sent["x-content-type-options"] == "nosniff"
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "a secret path" in caplog.text


def test_a_browser_that_has_left_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    assert get("/leave")[0] == 400
    assert not caplog.records


def test_an_answer_that_has_begun_is_broken_off() -> None:
    with pytest.raises(RuntimeError, match="later"):
        get("/break")
