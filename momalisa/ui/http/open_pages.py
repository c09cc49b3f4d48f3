"""Middleware that limits how many pages are open in browsers at a time.

Each open page has a WebSocket, and in this process a session and a thread: thousands from
one visitor would take its memory from all others.
"""

import logging
from collections import Counter
from html import escape
from ipaddress import IPv6Address, ip_address, ip_network

from starlette.responses import HTMLResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from momalisa.settings import settings
from momalisa.ui.http import hosts, not_found

RETRY_SECONDS = 10
"""After so long a browser that was refused asks again by itself."""
TRY_AGAIN_LATER = 1013
"""The close code of refused WebSockets."""
MANY_HERE = "As many pages are open from your address as one may have. Please close some of them."
MANY = "As many pages are open as this gallery may have. It looks again in a moment."

log = logging.getLogger(__name__)


def limit_open_pages(app: ASGIApp) -> ASGIApp:
    """Wrap an app: refuse WebSockets, and the HTML of pages, beyond the limits of the settings."""
    open_pages: Counter[str] = Counter()

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        address = find_network(scope)
        refusal = find_refusal(open_pages, address)
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
        elif scope["type"] == "http":
            await app(scope, receive, _replacing_pages(refusal, scope, receive, send))
        elif refusal:
            log.debug("a page was refused: %s", refusal)
            await send({"type": "websocket.close", "code": TRY_AGAIN_LATER})
        else:
            open_pages[address] += 1
            try:
                await app(scope, receive, send)
            finally:
                open_pages[address] -= 1
                if not open_pages[address]:
                    del open_pages[address]

    return middleware


def find_refusal(open_pages: Counter[str], address: str) -> str:
    """Why one more page from an address is refused; blank if it may be opened."""
    if open_pages[address] >= settings().pages_address:
        return MANY_HERE
    return MANY if open_pages.total() >= settings().pages_total else ""


def find_network(scope: Scope) -> str:
    """The client's address; of IPv6 the network of 64 bits, which belongs to one household."""
    host = (scope.get("client") or ("", 0))[0]
    try:
        address = ip_address(host)
    except ValueError:
        return host
    is_v6 = isinstance(address, IPv6Address) and not address.ipv4_mapped
    return str(ip_network((int(address), 64), strict=False)) if is_v6 else host


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
