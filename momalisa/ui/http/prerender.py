"""Middleware that renders the Gallery's first posters into its HTML, before any script has run."""

import logging
from contextlib import suppress
from html import escape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db import walks
from db.models import Walk
from momalisa.ui import history, navigation, page_paths
from momalisa.ui.gallery import filters
from momalisa.ui.http import not_found, permission
from momalisa.ui.http.threads import Threads, TooSlow
from momalisa.ui.policy import Action

MAX_POSTERS = 24
"""The posters in the HTML: as many as a large screen shows."""
PRELOADED_POSTERS = 12
"""The posters that are loaded before the scripts: as many as a small screen shows."""
TIMEOUT = 0.5
"""Seconds to wait for the database before the HTML is sent without posters."""
TEMPLATE = Path(__file__).with_suffix(".html").read_text("utf-8")

_THREADS = Threads("prerender", 4)

log = logging.getLogger(__name__)


class Prerendered(NamedTuple):
    """The first posters as HTML, and the header that preloads their pictures."""

    html: bytes
    """Inserted at the end of the body."""
    link_header: str
    """Preloads the first posters."""


def prerender_posters(app: ASGIApp) -> ASGIApp:
    """Wrap an app: insert the posters that the URL selects into the Gallery's HTML.

    A script removes them as soon as the page itself shows its posters or a message. If the
    database fails or is slow, the HTML is sent unchanged, and the page reports the problem.
    """

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        prerendered = None
        if _asks_for_gallery(scope) and permission.is_allowed(HTTPConnection(scope), Action.VIEW):
            prerendered = await _prerender_in_time(scope["query_string"])
        if prerendered is None:
            await app(scope, receive, send)
            return
        # Nothing can be inserted into compressed HTML.
        scope["headers"] = [one for one in scope["headers"] if one[0] != b"accept-encoding"]
        await app(scope, receive, _inserting(prerendered, scope, send))

    return middleware


def _asks_for_gallery(scope: Scope) -> bool:
    is_get = scope.get("method") == "GET"  # else the start of the server, or a WebSocket
    return is_get and not_found.page_path(scope) == page_paths.GALLERY.stem


async def _prerender_in_time(query: bytes) -> Prerendered | None:
    """Run `_prerender` in a thread; None after TIMEOUT."""
    with suppress(TooSlow):
        return await _THREADS.run(_prerender, query, seconds=TIMEOUT)
    return None


def _inserting(prerendered: Prerendered, scope: Scope, send: Send) -> Send:
    """Wrap `send`: buffer the page's HTML, insert the posters, and correct the headers."""
    start: Message | None = None
    html = b""

    async def send_with_posters(message: Message) -> None:
        nonlocal start, html
        if message["type"] == "http.response.start" and not_found.starts_page_html(scope, message):
            start = message
        elif start and message["type"] == "http.response.body":
            html += message.get("body", b"")
            if not message.get("more_body"):
                html = html.replace(b"</body>", prerendered.html + b"</body>")
                headers = MutableHeaders(raw=start["headers"])
                del headers["etag"], headers["last-modified"]
                headers["content-length"] = str(len(html))
                headers.append("link", prerendered.link_header)
                await send(start)
                await send({"type": "http.response.body", "body": html})
        else:
            await send(message)

    return send_with_posters


def _prerender(query: bytes) -> Prerendered | None:
    """Render the posters that the query string selects.

    None for the page of a single film, without results, and if the database fails.
    """
    text = query.decode("latin-1")
    if "walk" in parse_qs(text):
        return None
    try:
        posters = _posters(text)
    except Exception as error:
        log.warning("no posters in the HTML of the Gallery: %s", error)
        return None
    if not posters:
        return None
    items = "".join(
        f'<li><a href="{escape(navigation.film_address(walk.id))}"><img src="{escape(url)}" alt="">'
        f"<span>{escape(walk.title)}</span><span>&nbsp;</span></a></li>"
        for walk, url in posters
    )
    preloads = (
        f"<{url}>; rel=preload; as=image; fetchpriority=high"
        for _, url in posters[:PRELOADED_POSTERS]
    )
    asked = filters.parse_query(text).filters
    kind = "some" if filters.describe(asked) or filters.describe_unread(asked) else "all"
    html = TEMPLATE.replace("{kind}", kind).replace("{posters}", items)
    return Prerendered(html.encode(), ", ".join(preloads))


def _posters(query: str) -> list[tuple[Walk, str]]:
    """The films of a page of the Gallery that have a poster, with its URL."""
    wanted = filters.parse_query(query)
    before = parse_qs(query).get("before", [None])[-1]
    with history.reading() as session:
        films = walks.list_page(
            session=session, sort=wanted.sort, limit=MAX_POSTERS, before=before, **wanted.filters
        )
    return [(walk, url) for walk in films if (url := history.file_url(walk, "poster"))]
