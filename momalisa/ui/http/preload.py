"""The herald: tells a browser with a page's HTML which scripts the page will need."""

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
"""Streamlit's elements that the pages begin with. A browser hears of their scripts only when a
page's first elements arrive, and would then load one after another."""
_SCRIPT = re.compile(
    r"""(?:(?:from|import)\s*["']\./ | ["']\./static/js/) ([\w.-]+\.js) ["']""", re.VERBOSE
)


def heralded(app: ASGIApp) -> ASGIApp:
    """Middleware that names the scripts of ELEMENTS in the headers of every page's HTML."""

    async def named(scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and not_found.is_page(scope, message):
                links = (f"<./static/js/{name}>; rel=modulepreload" for name in scripts())
                MutableHeaders(raw=message["headers"]).append("link", ", ".join(links))
            await send(message)

        await app(scope, receive, answer)

    return named


@cache
def scripts() -> tuple[str, ...]:
    """The files of ELEMENTS and all that they import, without those that the HTML names itself."""
    found = dict.fromkeys(imports("index.html"))
    here = len(found)
    wanted = [path.name for one in ELEMENTS for path in _static().glob(f"static/js/{one}.*.js")]
    while wanted:
        name = wanted.pop(0)
        if name not in found:
            found[name] = None
            wanted += imports(f"static/js/{name}")
    return tuple(found)[here:]


def imports(path: str) -> list[str]:
    """The scripts that a file of Streamlit's names as needed with it."""
    return _SCRIPT.findall((_static() / path).read_text("utf-8"))


def _static() -> Path:
    return Path(get_static_dir())
