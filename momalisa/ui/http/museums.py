"""HTTP routes for works of art from museums: searches and thumbnails.

A museum is asked in threads of its own: one that is slow or away keeps none of the others waiting.
Browsers get all of it from here, and never ask a museum themselves.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from momalisa.errors import BadInput, ServiceError
from momalisa.settings import settings
from momalisa.ui.http.addresses import Waiting, address_of
from momalisa.ui.http.permission import permit
from momalisa.ui.http.threads import Threads, TooSlow
from momalisa.ui.policy import Action
from momalisa.works.collection import MUSEUMS, open_museums
from momalisa.works.museum import Museum
from momalisa.works.search import find_work, make_thumbnail, search
from momalisa.works.work import Work

SEARCH_PATH, THUMBNAIL_PATH = "/pictures/museums/search", "/pictures/museums/thumbnail"
SECONDS = 40.0
"""How long a museum may take to answer, its retries included."""
WAITING_EACH = 32
"""Requests of one address that may wait for museums at a time; browsers have 6 under way."""
MANY = "Many works are being asked for just now. Please try again soon."
NO_MUSEUM = "There is no such museum here."
THREADS = {museum.key: Threads(museum.key, 3, seconds=SECONDS) for museum in MUSEUMS}
NAMES = {museum.key: museum.name for museum in MUSEUMS}
"""The museums' names, by key."""
_DAY = {"Cache-Control": "private, max-age=86400"}
_WAITING = Waiting()


def thumbnail_url(work: Work) -> str:
    """Where a work's thumbnail is."""
    return f"{THUMBNAIL_PATH}?{urlencode({'museum': work.museum, 'id': work.id})}"


async def ask_museum(
    request: Request, answer: Callable[[Museum, Request], Response], key: str = ""
) -> Response:
    """Respond with `answer`, called in the threads of the museum with that key, or in the query.

    404 for unknown museums, 422 and 502 with the sentence of a BadInput or ServiceError, 503 after
    the deadline, 429 for an address of which too many requests wait.
    """
    key = key or request.query_params.get("museum", "")
    address = address_of(request)
    if key not in THREADS:
        return PlainTextResponse(NO_MUSEUM, 404)
    if _WAITING[address] >= WAITING_EACH:
        return PlainTextResponse(MANY, 429)
    try:
        with _WAITING.one_more(address):
            return await THREADS[key].run(_answer, key, answer, request)
    except TooSlow:
        return PlainTextResponse(f"{NAMES[key]}: it does not answer in time. Try again later.", 503)
    except BadInput as problem:
        return PlainTextResponse(str(problem), 422)
    except ServiceError as problem:
        return PlainTextResponse(str(problem), 502)


def _answer(key: str, answer: Callable[[Museum, Request], Response], request: Request) -> Response:
    return answer(open_museums(settings().home)[key], request)


def _search(museum: Museum, request: Request) -> Response:
    first = request.query_params.get("first", "0")[:9]  # more digits than these are as far beyond
    part = search(museum, request.query_params.get("q", ""), int(first) if first.isdecimal() else 0)
    works = [_describe(work) for work in part.works]
    return JSONResponse({"works": works, "following": part.following})


def _describe(work: Work) -> dict[str, Any]:
    """What the page shows of a work."""
    return {
        "id": work.id,
        "caption": work.caption,
        "licence": work.licence,
        "withheld": work.withheld,
        "thumbnail": "" if work.withheld else thumbnail_url(work),
    }


def _thumbnail(museum: Museum, request: Request) -> Response:
    work = find_work(museum, request.query_params.get("id", ""))
    return Response(make_thumbnail(museum, work), media_type="image/webp", headers=_DAY)


async def serve_search(request: Request) -> Response:
    """Answer with some of the works that a museum finds, as JSON."""
    return await ask_museum(request, _search)


async def serve_thumbnail(request: Request) -> Response:
    """Answer with the small picture of a work."""
    return await ask_museum(request, _thumbnail)


ROUTES = [
    Route(SEARCH_PATH, permit(Action.MAKE, serve_search)),
    Route(THUMBNAIL_PATH, permit(Action.MAKE, serve_thumbnail)),
]
