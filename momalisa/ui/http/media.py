"""HTTP routes for pictures: stored films, finished frames, and the example film.

They are below `/pictures/`, since Streamlit uses `/media/`. Paths that are not valid keys, and
files outside the storage, the frame cache and the example folder, are answered with 404.
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
from momalisa.storage.interface import cache_control
from momalisa.storage.outbox import open_outbox
from momalisa.ui import history
from momalisa.ui.gallery import import_film
from momalisa.ui.http import downloads
from momalisa.ui.http.permission import permit
from momalisa.ui.policy import Action

EXAMPLE = Path(__file__).parent.parent / "example"
BUCKET_LIMITER = CapacityLimiter(8)
"""Concurrent reads of a bucket: a stalled bucket must not occupy all threads of the server."""

log = logging.getLogger(__name__)
_FRAME_KEY = re.compile(r"[0-9a-f]{64}")


def frame_url(key: str) -> str:
    """The URL of a finished frame."""
    return f"/pictures/frames/{key}.png"


def example_url(name: str) -> str:
    """The URL of a file of the example film, with a hash of its content."""
    return f"/pictures/example/{quote(name)}?{_content_hash(name)}"


@lru_cache
def _content_hash(name: str) -> str:
    return hashlib.sha256((EXAMPLE / name).read_bytes()).hexdigest()[:12]


async def serve_stored_file(request: Request) -> Response:
    """Answer with a film's file by its key, from the outbox if it waits there for its upload."""
    key, download = request.path_params["key"], request.query_params.get("download", "")
    waiting = _servable_path(open_outbox(settings()).films.root, key)
    if waiting is not None:
        return _file_response(waiting, download)
    storage = history.storage()
    if isinstance(storage, LocalStorage):
        return _response_from_folder(storage.root, key, download)
    return await to_thread.run_sync(
        _response_from_bucket, storage, key, download, limiter=BUCKET_LIMITER
    )


async def serve_frame(request: Request) -> Response:
    """Answer with a finished frame of the cache by its key of 64 hex digits."""
    key = request.path_params["key"]
    if not _FRAME_KEY.fullmatch(key):
        return _not_found()
    return _response_from_folder(settings().frame_cache, f"{key[:2]}/{key}.png")


async def serve_example(request: Request) -> Response:
    """Answer with a file of the example film."""
    return _response_from_folder(EXAMPLE, request.path_params["name"])


def _response_from_folder(root: Path, key: str, download: str = "") -> Response:
    """The file of that key below `root`, or 404."""
    path = _servable_path(root, key)
    return _not_found() if path is None else _file_response(path, download)


def _file_response(path: Path, download: str) -> Response:
    return FileResponse(
        path, media_type=CONTENT_TYPES[path.suffix], headers=_headers(path.name, download)
    )


def _response_from_bucket(storage: Storage, key: str, download: str) -> Response:
    """The file of that key; 404 if there is none, 503 if the bucket is out of reach."""
    media_type = CONTENT_TYPES.get(PurePosixPath(key).suffix)
    if media_type is None:
        return _not_found()
    try:
        data = storage.get(key)
    except (BadInput, NotStored):
        return _not_found()
    except StorageError as error:
        log.warning("%s", error)
        return PlainTextResponse("The storage is out of reach just now.", status_code=503)
    return Response(data, media_type=media_type, headers=_headers(key, download))


def _headers(name: str, download: str) -> dict[str, str]:
    """Cache headers, and a download header if there is a file name to save under."""
    headers = {"Cache-Control": cache_control(name), "X-Content-Type-Options": "nosniff"}
    return headers | (downloads.attachment_header(download) if download else {})


def _servable_path(root: Path, key: str) -> Path | None:
    """The path of a servable file below `root`; None for invalid keys and missing files."""
    try:
        path = root / check_key(key)
    except BadInput:
        return None
    if path.suffix not in CONTENT_TYPES or not path.is_file():
        return None
    # A symbolic link could still lead outside.
    return path if path.resolve().is_relative_to(root.resolve()) else None


def _not_found() -> Response:
    return PlainTextResponse("There is no such picture.", status_code=404)


ROUTES = [
    Route("/pictures/store/{key:path}", permit(Action.VIEW, serve_stored_file)),
    Route("/pictures/frames/{key}.png", permit(Action.VIEW, serve_frame)),
    Route("/pictures/example/{name}", serve_example),
    downloads.ROUTE,
    import_film.ROUTE,
]
