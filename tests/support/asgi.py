"""Requests to an ASGI app without a server and without normalising the path."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp

from momalisa.ui.http import media

MEDIA_APP = Starlette(routes=media.ROUTES)
"""The app's own routes, without Streamlit's."""

Response = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


def get(path: str, query: str = "", app: ASGIApp = MEDIA_APP) -> Response:
    """GET a path exactly as it is written."""
    return asyncio.run(request(path, query, app=app))


def post(path: str, query: str, *parts: bytes) -> Response:
    """POST a body in these chunks."""
    return asyncio.run(request(path, query, parts))


async def request(
    path: str,
    query: str = "",
    parts: Sequence[bytes] = (),
    app: ASGIApp = MEDIA_APP,
    headers: Mapping[str, str] | None = None,
    client: str = "127.0.0.1",
) -> Response:
    """Send a GET request, or a POST request if there are body chunks."""
    messages: list[Any] = []
    chunks = list(parts)

    async def receive() -> dict[str, Any]:
        chunk = chunks.pop(0) if chunks else b""
        return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

    async def send(message: Any) -> None:
        messages.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": "POST" if parts else "GET",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(n.lower().encode(), v.encode()) for n, v in (headers or {}).items()],
        "server": ("test", 80),
        "client": (client, 1),
        "scheme": "http",
        "http_version": "1.1",
    }
    await app(scope, receive, send)
    start, *body = messages
    sent = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], sent, b"".join(part.get("body", b"") for part in body)
