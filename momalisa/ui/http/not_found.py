"""The porter: leads whoever asks for a page that is not here to Home, which says so."""

import streamlit as st
from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from momalisa.ui import page_paths, sign_in

LOST = "lost"
"""The query parameter with which those arrive at Home who asked for another page."""


def led_home(app: ASGIApp) -> ASGIApp:
    """Middleware that leads to Home whoever asks for a page that is not here.

    Streamlit answers every unknown path with its one HTML file: that shows Home without a word,
    or, below another path, does not find its own scripts.
    """

    async def led(scope: Scope, receive: Receive, send: Send) -> None:
        away = False

        async def answer(message: Message) -> None:
            nonlocal away
            if message["type"] == "http.response.start" and _astray(scope, message):
                away = True
                home = f"{scope.get('root_path', '')}/?{LOST}=yes"
                await RedirectResponse(home)(scope, receive, send)
            elif not away:
                await send(message)

        await app(scope, receive, answer)

    return led


def place(scope: Scope) -> str:
    """The path that is asked for, below the app's own."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")).strip("/")


def is_page(scope: Scope, start: Message) -> bool:
    """Whether this is the beginning of Streamlit's HTML file, which shows every page."""
    html = Headers(raw=start["headers"]).get("content-type", "").startswith("text/html")
    return html and isinstance(scope.get("endpoint"), StaticFiles)


def _astray(scope: Scope, start: Message) -> bool:
    """Whether this is the beginning of a page at a path that is no page's."""
    return is_page(scope, start) and place(scope) not in _pages()


def _pages() -> set[str]:
    """Where there are pages. Home is at the root only: Streamlit knows no other name for it."""
    pages = {"", *(room.stem for room in page_paths.PAGES.glob("*.py"))} - {page_paths.HOME.stem}
    return pages | {sign_in.PATH} if sign_in.offered() else pages


def say_if_lost() -> None:
    """A sentence for those who asked for a page that is not here; the URL forgets it."""
    if st.query_params.pop(LOST, None):
        st.text("There is no such page here; this is the entrance.")
