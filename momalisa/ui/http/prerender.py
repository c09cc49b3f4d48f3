"""First sight: the Gallery's posters stand in its HTML, long before the scripts hang its wall."""

import logging
from html import escape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs

from anyio import CapacityLimiter, move_on_after, to_thread
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db import walks
from momalisa.ui import history, page_paths
from momalisa.ui.gallery import filters
from momalisa.ui.http import not_found

MOST = 24
"""As many posters as a large screen shows."""
FIRST = 12
"""As many as are asked for before the scripts: what a small screen shows."""
PATIENCE = 0.5
"""Seconds for which the HTML waits for the history."""
MARKUP = Path(__file__).with_suffix(".html").read_text("utf-8")

_AT_ONCE = CapacityLimiter(4)

log = logging.getLogger(__name__)


class Sight(NamedTuple):
    """What is added to the Gallery's HTML."""

    markup: bytes
    ahead: str
    """The header by which a browser asks for posters before it asks for scripts."""


def seen_at_once(app: ASGIApp) -> ASGIApp:
    """Middleware that writes the posters that the URL asks for into the Gallery's HTML.

    A script there takes them away once the wall hangs, or something else stands in its place. A
    history that fails or is slow leaves the HTML as it is: the page itself will say so.
    """

    async def seen(scope: Scope, receive: Receive, send: Send) -> None:
        sight = None
        page = not_found.place(scope) if scope.get("method") == "GET" else None
        if page == page_paths.GALLERY.stem:
            with move_on_after(PATIENCE):
                sight = await to_thread.run_sync(
                    _sight, scope["query_string"], abandon_on_cancel=True, limiter=_AT_ONCE
                )
        if sight is None:
            await app(scope, receive, send)
            return
        # To packed HTML nothing can be added.
        scope["headers"] = [one for one in scope["headers"] if one[0] != b"accept-encoding"]
        start: Message | None = None
        html = b""

        async def answer(message: Message) -> None:
            nonlocal start, html
            if message["type"] == "http.response.start" and not_found.is_page(scope, message):
                start = message
            elif start and message["type"] == "http.response.body":
                html += message.get("body", b"")
                if not message.get("more_body"):
                    html = html.replace(b"</body>", sight.markup + b"</body>")
                    headers = MutableHeaders(raw=start["headers"])
                    del headers["etag"], headers["last-modified"]
                    headers["content-length"] = str(len(html))
                    headers.append("link", sight.ahead)
                    await send(start)
                    await send({"type": "http.response.body", "body": html})
            else:
                await send(message)

        await app(scope, receive, answer)

    return seen


def _sight(query: bytes) -> Sight | None:
    """What the URL asks for; None when that is no wall, or nothing hangs there."""
    text = query.decode("latin-1")
    ask = parse_qs(text)
    if "walk" in ask:
        return None
    wanted = filters.asked(text)
    before = ask["before"][-1] if "before" in ask else None
    try:
        with history.reading() as session:
            found = walks.page(
                session=session, sort=wanted.sort, limit=MOST, before=before, **wanted.filters
            )
        hung = [(walk, place) for walk in found if (place := history.address(walk, "poster"))]
    except Exception as error:
        log.warning("no first sight of the Gallery: %s", error)
        return None
    if not hung:
        return None
    posters = "".join(
        f'<li><a href="/gallery?walk={escape(walk.id)}"><img src="{escape(place)}" alt="">'
        f"<span>{escape(walk.title)}</span><span>&nbsp;</span></a></li>"
        for walk, place in hung
    )
    links = (f"<{place}>; rel=preload; as=image; fetchpriority=high" for _, place in hung[:FIRST])
    return Sight(MARKUP.replace("{posters}", posters).encode(), ", ".join(links))
