"""Middleware that limits how many pages are open in browsers at a time.

Each open page has a WebSocket, and in this process a session and a thread: thousands from
one visitor would take its memory from all others.
"""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from momalisa.settings import settings
from momalisa.ui.http import hosts, not_found
from momalisa.ui.http.addresses import network_of

RETRY_SECONDS = 10
"""After so long a browser that was refused asks again by itself."""
TRY_AGAIN_LATER = 1013
"""The close code of refused WebSockets."""
MANY_HERE = "As many pages are open from your address as one may have. Please close some of them."
MANY = "As many pages are open as this gallery may have. It looks again in a moment."

log = logging.getLogger(__name__)


class OpenPages:
    """The pages that are open: of each address, in the order in which they were opened."""

    def __init__(self) -> None:
        self._pages: dict[str, list[asyncio.Event]] = {}

    def find_refusal(self, address: str) -> str:
        """Why one more page from an address is refused; blank if it may be opened."""
        if len(self._open(address)) >= settings().pages_address:
            return MANY_HERE
        return MANY if self._is_full() and not self._find_richer(address) else ""

    @contextmanager
    def opened(self, address: str) -> Iterator[asyncio.Event]:
        """Count a page that may be opened; yields what is set when it has to make room."""
        if self._is_full():
            # The newest, which is least at work.
            self._open(self._find_richer(address))[-1].set()
        closing = asyncio.Event()
        self._pages.setdefault(address, []).append(closing)
        try:
            yield closing
        finally:
            self._pages[address].remove(closing)
            if not self._pages[address]:
                del self._pages[address]

    def _open(self, address: str) -> list[asyncio.Event]:
        """An address's pages; those that are about to close do not count."""
        return [page for page in self._pages.get(address, ()) if not page.is_set()]

    def _is_full(self) -> bool:
        return sum(len(self._open(address)) for address in self._pages) >= settings().pages_total

    def _find_richer(self, address: str) -> str:
        """The address with most pages, if it keeps as many as this one gets; else blank."""
        most = max(self._pages, key=lambda one: len(self._open(one)), default="")
        return most if len(self._open(most)) - len(self._open(address)) > 1 else ""


def limit_open_pages(app: ASGIApp) -> ASGIApp:
    """Wrap an app: refuse WebSockets, and the HTML of pages, beyond the limits of the settings.

    Where all pages are open, the address with most of them makes room for one with fewer.
    """
    open_pages = OpenPages()

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        address = network_of(scope)
        refusal = open_pages.find_refusal(address)
        if scope["type"] == "http":
            await app(scope, receive, _replacing_pages(refusal, scope, receive, send))
        elif refusal:
            log.debug("a page was refused: %s", refusal)
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
        else:
            with open_pages.opened(address) as closing:
                await app(scope, _receive_until(closing, receive), send)

    return middleware


def _receive_until(closing: asyncio.Event, receive: Receive) -> Receive:
    """Wrap `receive`: the client counts as disconnected once `closing` is set."""

    async def receive_or_close() -> Message:
        tasks = asyncio.ensure_future(receive()), asyncio.create_task(closing.wait())
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if closing.is_set():
                return {"type": "websocket.disconnect", "code": TRY_AGAIN_LATER}
            return await tasks[0]
        finally:
            for task in tasks:
                task.cancel()

    return receive_or_close


def _replacing_pages(refusal: str, scope: Scope, receive: Receive, send: Send) -> Send:
    """Wrap `send`: the HTML of a page whose WebSocket would be refused becomes a sentence."""
    if not refusal:
        return send
    replaced = False

    async def send_or_replace(message: Message) -> None:
        nonlocal replaced
        is_start = message["type"] == "http.response.start"
        if is_start and not_found.starts_page_html(scope, message):
            replaced = True
            again = {"Retry-After": str(RETRY_SECONDS), "Refresh": str(RETRY_SECONDS)}
            page = HTMLResponse(hosts.PAGE.format(escape(refusal)), 503, again)
            await page(scope, receive, send)
        elif not replaced:
            await send(message)

    return send_or_replace
