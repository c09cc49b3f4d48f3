"""Pictures over HTTP: stored films, finished frames, and the example that ships here.

Streamlit keeps `/media/` for itself, so ours hang under `/pictures/`. Whatever is not one of
our own files answers 404, and nothing outside the storage and our folders can be reached.
"""

import hashlib
import logging
import re
from functools import lru_cache
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from momalisa.errors import BadInput, NotStored, StorageError
from momalisa.settings import settings
from momalisa.storage import CONTENT_TYPES, LocalStorage, Storage, check_key
from momalisa.storage.outbox import open_outbox
from momalisa.ui import history
from momalisa.ui.gallery import import_film
from momalisa.ui.http import downloads

FOREVER = {
    # A key is never used twice for another picture, so a browser need not ask again.
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}
EXAMPLE = Path(__file__).parent.parent / "example"
AT_ONCE = CapacityLimiter(8)
"""Reads of a bucket at a time: while it stalls, threads remain for all else the server does."""

log = logging.getLogger(__name__)
_FRAME = re.compile(r"[0-9a-f]{64}")


def frame_url(key: str) -> str:
    """Where the browser finds a finished frame."""
    return f"/pictures/frames/{key}.png"


def example_url(name: str) -> str:
    """Where the browser finds a file of the example film, as it is in this version."""
    return f"/pictures/example/{quote(name)}?{_version(name)}"


@lru_cache
def _version(name: str) -> str:
    return hashlib.sha256((EXAMPLE / name).read_bytes()).hexdigest()[:12]


async def stored(request: Request) -> Response:
    """A film's file, by its key: from the outbox while it waits there, else from the storage."""
    key, download = request.path_params["key"], request.query_params.get("download", "")
    waiting = _inside(open_outbox(settings()).films.root, key)
    if waiting is not None:
        return _file(waiting, download)
    storage = history.storage()
    if isinstance(storage, LocalStorage):
        return _picture(storage.root, key, download)
    return await to_thread.run_sync(_from_bucket, storage, key, download, limiter=AT_ONCE)


async def frame(request: Request) -> Response:
    """A finished frame of the cache, by its 64 hex digits."""
    key = request.path_params["key"]
    if not _FRAME.fullmatch(key):
        return _nothing()
    return _picture(settings().frame_cache, f"{key[:2]}/{key}.png")


async def example(request: Request) -> Response:
    """A file of the example film."""
    return _picture(EXAMPLE, request.path_params["name"])


def _picture(root: Path, key: str, download: str = "") -> Response:
    path = _inside(root, key)
    return _nothing() if path is None else _file(path, download)


def _file(path: Path, download: str) -> Response:
    return FileResponse(path, media_type=CONTENT_TYPES[path.suffix], headers=_headers(download))


def _from_bucket(storage: Storage, key: str, download: str) -> Response:
    media_type = CONTENT_TYPES.get(PurePosixPath(key).suffix)
    if media_type is None:
        return _nothing()
    try:
        data = storage.get(key)
    except (BadInput, NotStored):
        return _nothing()
    except StorageError as error:
        log.warning("%s", error)
        return PlainTextResponse("The storage is out of reach just now.", status_code=503)
    return Response(data, media_type=media_type, headers=_headers(download))


def _headers(download: str) -> dict[str, str]:
    """For good; and under which name, if it is to be kept on the visitor's disk."""
    if not download:
        return FOREVER
    return FOREVER | downloads.attachment(download)


def _inside(root: Path, key: str) -> Path | None:
    """The file of that key if it is one of ours: no hidden name, no way out of the root."""
    try:
        path = root / check_key(key)
    except BadInput:
        return None
    if path.suffix not in CONTENT_TYPES or not path.is_file():
        return None
    # A link inside the store could still lead outside it.
    return path if path.resolve().is_relative_to(root.resolve()) else None


def _nothing() -> Response:
    return PlainTextResponse("There is no such picture.", status_code=404)


ROUTES = [
    Route("/pictures/store/{key:path}", stored),
    Route("/pictures/frames/{key}.png", frame),
    Route("/pictures/example/{name}", example),
    downloads.ROUTE,
    import_film.ROUTE,
]
