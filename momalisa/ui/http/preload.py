"""Middleware that adds preload headers for the scripts that pages need first."""

import re
from functools import cache
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.file_util import get_static_dir

from momalisa.ui.http import not_found

ELEMENTS = (
    "BidiComponent",
    "Button",
    "DownloadButton",
    "Html",
    "PageLink",
    "Selectbox",
    "TextInput",
)
"""The Streamlit elements that the pages start with.

Without preloading, a browser learns of their scripts only from the first elements of a page, and
then loads them one after another.
"""
_SCRIPT = re.compile(
    r"""(?:(?:from|import)\s*["']\./ | ["']\./static/js/) ([\w.-]+\.js) ["']""", re.VERBOSE
)


def add_preload_links(app: ASGIApp) -> ASGIApp:
    """Wrap an app: add a `Link: rel=modulepreload` header to the HTML of every page."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_links(message: Message) -> None:
            is_start = message["type"] == "http.response.start"
            if is_start and not_found.starts_page_html(scope, message):
                links = (f"<./static/js/{name}>; rel=modulepreload" for name in preload_scripts())
                MutableHeaders(raw=message["headers"]).append("link", ", ".join(links))
            await send(message)

        await app(scope, receive, send_with_links)

    return middleware


@cache
def preload_scripts() -> tuple[str, ...]:
    """The scripts of ELEMENTS with all their imports, without those that the HTML loads itself."""
    scripts = dict.fromkeys(imported_scripts("index.html"))
    in_html = len(scripts)
    pending = [
        path.name for one in ELEMENTS for path in _static_dir().glob(f"static/js/{one}.*.js")
    ]
    while pending:
        name = pending.pop(0)
        if name not in scripts:
            scripts[name] = None
            pending += imported_scripts(f"static/js/{name}")
    return tuple(scripts)[in_html:]


def imported_scripts(path: str) -> list[str]:
    """The names of the scripts that one of Streamlit's static files imports."""
    return _SCRIPT.findall((_static_dir() / path).read_text("utf-8"))


def _static_dir() -> Path:
    return Path(get_static_dir())
