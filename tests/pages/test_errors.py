"""Errors of the server: an answer with a sentence and the security headers, and one log entry."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from momalisa.ui.http import headers
from tests.support import asgi


async def fail(_request: Request) -> Response:
    raise RuntimeError("a secret path")


async def leave(_request: Request) -> Response:
    raise ClientDisconnect


async def break_off(_request: Request) -> Response:
    async def parts() -> AsyncIterator[bytes]:
        yield b"half"
        raise RuntimeError("later")

    return StreamingResponse(parts())


APP = Starlette(
    routes=[Route("/fail", fail), Route("/leave", leave), Route("/break", break_off)],
    middleware=[Middleware(headers.add_security_headers)],
)


def get(path: str) -> asgi.Response:
    return asyncio.run(asgi.request(path, app=APP))


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
