"""Middleware that adds security headers to every response: Streamlit's own, and to errors."""

import logging
import os
import re
from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.file_util import get_static_dir

from momalisa.settings import Settings, settings, split_list
from momalisa.ui.http import prerender

FAILED = "Something went wrong here. It is noted in the log; please try again in a while."
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)

log = logging.getLogger(__name__)


def add_security_headers(app: ASGIApp) -> ASGIApp:
    """Wrap an app: add the headers of `security_headers` to every HTTP response.

    An exception becomes a response here: Starlette's own would be sent without the headers.
    """

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(raw=message["headers"]).update(security_headers(settings()))
            await send(message)

        try:
            await app(scope, receive, send_with_headers)
        except Exception as error:
            if started or scope["type"] != "http":
                raise
            await _answer_error(error, scope["path"])(scope, receive, send_with_headers)

    return middleware


def _answer_error(error: Exception, path: str) -> PlainTextResponse:
    if isinstance(error, ClientDisconnect):  # reads the answer no more
        return PlainTextResponse("", 400)
    log.error("%r failed", path, exc_info=error)
    return PlainTextResponse(FAILED, 500, {"Cache-Control": "no-store"})


@lru_cache(maxsize=1)
def security_headers(current: Settings) -> dict[str, str]:
    """The headers of every response, by name."""
    embedders = split_list(current.embedders)
    frames = (
        {} if embedders else {"X-Frame-Options": "DENY"}
    )  # for browsers without frame-ancestors
    return {
        "Content-Security-Policy": content_security_policy(current),
        "X-Content-Type-Options": "nosniff",
        # Addresses name films and searches, which other sites need not know.
        "Referrer-Policy": "same-origin",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
        **frames,
    }


def content_security_policy(current: Settings) -> str:
    """What pages may load and run, and who may show them in a frame."""
    store = store_source(current.store_root)
    directives = {
        "default-src": ["'self'"],
        # Streamlit passes the scripts of components to the browser as text, which it imports from
        # a blob. Its 64-bit integers (long.js in protobuf.js) are WebAssembly, which only a script
        # that runs already can start. Inline scripts are known by their hashes: one of Streamlit's,
        # one of ours. Charts need no eval: Streamlit gives Vega an interpreter.
        "script-src": [
            "'self'",
            "blob:",
            "'wasm-unsafe-eval'",
            *(f"'sha256-{digest}'" for digest in script_hashes()),
        ],
        # Streamlit's elements are styled by style elements made at run time (Emotion), and by style
        # attributes. Styles cannot run anything.
        "style-src": ["'self'", "'unsafe-inline'"],
        # data: for Streamlit's icons and the curve of a pacing, blob: for films taken apart.
        "img-src": ["'self'", "data:", "blob:", *store],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'", *store],
        "media-src": ["'self'", "blob:", *store],
        "worker-src": ["'self'", "blob:"],
        "frame-src": ["'none'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": split_list(current.embedders) or ["'none'"],
    }
    return "; ".join(" ".join([name, *sources]) for name, sources in directives.items())


def store_source(store_root: str) -> list[str]:
    """The source of films in a bucket, to which its URLs lead; none for a folder."""
    if not store_root.startswith("gs://"):
        return []
    if emulator := os.environ.get("STORAGE_EMULATOR_HOST"):
        return [emulator.rstrip("/")]
    bucket = store_root.removeprefix("gs://").partition("/")[0]
    return [f"https://storage.googleapis.com/{bucket}/"]


@lru_cache(maxsize=1)
def script_hashes() -> list[str]:
    """The SHA-256 of each inline script in the HTML of the pages, in base 64."""
    streamlit_html = Path(get_static_dir(), "index.html").read_text("utf-8")
    scripts = [
        text
        for html in (streamlit_html, prerender.TEMPLATE)
        for text in _INLINE_SCRIPT.findall(html)
    ]
    return [b64encode(sha256(text.encode()).digest()).decode() for text in scripts]
