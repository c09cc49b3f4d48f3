"""Streamlit's own routes: those that no page uses are closed."""

import asyncio

import pytest
import streamlit as st
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from momalisa.settings import CHECKOUT
from momalisa.ui.http import streamlit_routes
from tests.support import asgi

UNUSED = (
    "/_stcore/upload_file/session/file",
    "/base/_stcore/upload_file/session/file",
    "/_stcore/metrics",
    "/_stcore/agent/openapi.json",
    "/_stcore/agent/mcp",
    "/_stcore/script-health-check",
    "/_stcore/",
    "/_stcore//upload_file/session/file",
)
USED = ("/", "/gallery", "/metrics", "/_stcore/health", "/_stcore/bidi-components/a/b.js")


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("taken")(scope, receive, send)


APP = streamlit_routes.close_unused_routes(_answer)


@pytest.mark.parametrize("path", UNUSED)
def test_unused_routes_take_and_tell_nothing(path: str) -> None:
    """Uploads of 190 MB were kept in memory, for strangers of a members' gallery too."""
    assert asyncio.run(asgi.request(path, app=APP, parts=[b"x" * 100]))[0] == 404
    assert asyncio.run(asgi.request(path, app=APP))[0] == 404


@pytest.mark.parametrize("path", USED)
def test_used_routes_answer(path: str) -> None:
    assert asyncio.run(asgi.request(path, app=APP))[0] == 200


def test_no_page_has_a_widget_that_uploads_to_streamlit() -> None:
    widgets = ("file_uploader", "chat_input", "camera_input", "audio_input")
    assert all(hasattr(st, widget) for widget in widgets)
    for folder in ("momalisa/ui", "pages"):
        for file in (CHECKOUT / folder).rglob("*.py"):
            assert not any(widget in file.read_text("utf-8") for widget in widgets), file
