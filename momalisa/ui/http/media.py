"""HTTP routes for pictures: stored films, finished frames, and the example film.

They are below `/pictures/`, since Streamlit uses `/media/`. Paths that are not valid keys, and
files outside the storage, the frame cache and the example folder, are answered with 404.
"""

import hashlib
import logging
import os
import re
from functools import lru_cache, partial
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from momalisa.errors import BadInput, NotStored, StorageError
from momalisa.settings import settings
from momalisa.storage import CONTENT_TYPES, LocalStorage, Storage, check_key
from momalisa.storage.interface import cache_control
from momalisa.storage.outbox import open_outbox
from momalisa.ui import history, page_paths
from momalisa.ui.gallery import import_film
from momalisa.ui.http import downloads, museums, stop_pictures, tables
from momalisa.ui.http.permission import permit
from momalisa.ui.http.threads import AWAY, OpenFileResponse, Outage, Threads, answer_in_time
from momalisa.ui.policy import Action

EXAMPLE = Path(__file__).parent.parent / "example"
OUTBOX, STORE, FRAMES, PROGRAM = (
    Threads(name, 4) for name in ("outbox", "store", "frames", "program")
)
"""Threads for each folder that files are read from: one that hangs must not stop the others."""
BUCKET = Threads("bucket", 8, seconds=60.0)
_OUTAGE = Outage()

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
    """Answer with a film's file by its key; where a download fails, with an HTML error page."""
    response = await answer_in_time(_find_stored_file)(request)
    if response.status_code < 400 or "download" not in request.query_params:
        return response
    is_missing = response.status_code == 404
    why = StorageError(bytes(response.body).decode())
    what, back = request.path_params["key"], f"/{page_paths.GALLERY.stem}"
    error = NotStored(downloads.NO_FILM) if is_missing else why
    return downloads.error_page(error, f"file {what!r}", ("To the Gallery", back))


async def _find_stored_file(request: Request) -> Response:
    """A film's file by its key, from the outbox if it waits there for its upload."""
    key, download = request.path_params["key"], request.query_params.get("download", "")
    waiting = await _response_from_folder(OUTBOX, open_outbox(settings()).films.root, key, download)
    if waiting is not None:
        return waiting
    return await _OUTAGE.respond(partial(_find_in_storage, key, download))


async def _find_in_storage(key: str, download: str) -> Response:
    storage = await STORE.run(history.storage)
    if isinstance(storage, LocalStorage):
        return await _response_from_folder(STORE, storage.root, key, download) or _not_found()
    return await BUCKET.run(_response_from_bucket, storage, key, download)


async def serve_frame(request: Request) -> Response:
    """Answer with a finished frame of the cache by its key of 64 hex digits."""
    key = request.path_params["key"]
    if not _FRAME_KEY.fullmatch(key):
        return _not_found()
    file = f"{key[:2]}/{key}.png"
    return await _response_from_folder(FRAMES, settings().frame_cache, file) or _not_found()


async def serve_example(request: Request) -> Response:
    """Answer with a file of the example film."""
    name = request.path_params["name"]
    return await _response_from_folder(PROGRAM, EXAMPLE, name) or _not_found()


async def _response_from_folder(
    threads: Threads, root: Path, key: str, download: str = ""
) -> Response | None:
    """The file of that key below `root`; None if there is none. Raises TooSlow."""
    opened = await threads.run(_open_file, root, key, discard=_close_file)
    if opened is None:
        return None
    file, state = opened
    name = PurePosixPath(key)
    # Changes with the file, so that no download goes on in the middle of another version.
    headers = {
        **_headers(name.name, download),
        "ETag": f'"{state.st_mtime_ns:x}-{state.st_size:x}"',
    }
    return OpenFileResponse(threads, file, state.st_size, headers, CONTENT_TYPES[name.suffix])


def _open_file(root: Path, key: str) -> tuple[IO[bytes], os.stat_result] | None:
    """Open a servable file below `root`, with its state; None if there is none."""
    path = _servable_path(root, key)
    if path is None:
        return None
    try:
        file = path.open("rb")
    except FileNotFoundError:  # deleted meanwhile
        return None
    return file, os.fstat(file.fileno())


def _close_file(opened: tuple[IO[bytes], os.stat_result] | None) -> None:
    if opened is not None:
        opened[0].close()


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
        return PlainTextResponse(AWAY, status_code=503)
    return Response(data, media_type=media_type, headers=_headers(key, download))


def _headers(name: str, download: str) -> dict[str, str]:
    """Cache headers, and a download header if there is a file name to save under."""
    headers = {"Cache-Control": cache_control(name), "X-Content-Type-Options": "nosniff"}
    if not download:
        return headers
    # A link may ask for any name, and what curators typed is in the files: it stays what it is.
    suffix = PurePosixPath(name).suffix
    return headers | downloads.attachment_header(download.removesuffix(suffix) + suffix)


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
    Route("/pictures/frames/{key}.png", permit(Action.VIEW, answer_in_time(serve_frame))),
    Route("/pictures/example/{name}", answer_in_time(serve_example)),
    downloads.ROUTE,
    tables.ROUTE,
    import_film.ROUTE,
    *museums.ROUTES,
    *stop_pictures.ROUTES,
]
