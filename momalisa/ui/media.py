"""Pictures over HTTP: stored films, finished frames, and the example that ships here.

Streamlit keeps `/media/` for itself, so ours hang under `/pictures/`. Whatever is not one of
our own files answers 404, and nothing outside the three folders can be reached.
"""

import re
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from momalisa.errors import BadInput
from momalisa.settings import settings
from momalisa.storage import checked

TYPES = {
    ".gif": "image/gif",
    ".json": "application/json",
    ".mp4": "video/mp4",
    ".png": "image/png",
    ".webp": "image/webp",
}
FOREVER = {
    # A key is never used twice for another picture, so a browser need not ask again.
    "Cache-Control": "public, max-age=31536000, immutable",
    "X-Content-Type-Options": "nosniff",
}
EXAMPLE = Path(__file__).parent / "example"

_FRAME = re.compile(r"[0-9a-f]{64}")


def frame_url(key: str) -> str:
    """Where the browser finds a finished frame."""
    return f"/pictures/frames/{key}.png"


def example_url(name: str) -> str:
    """Where the browser finds a file of the example film."""
    return f"/pictures/example/{quote(name)}"


async def stored(request: Request) -> Response:
    """A file of the local store, by its key."""
    root = settings().store_root
    if root.startswith("gs://"):
        return _nothing()
    return _picture(Path(root), request.path_params["key"], request.query_params.get("download"))


async def frame(request: Request) -> Response:
    """A finished frame of the cache, by its 64 hex digits."""
    key = request.path_params["key"]
    if not _FRAME.fullmatch(key):
        return _nothing()
    return _picture(settings().frame_cache, f"{key[:2]}/{key}.png")


async def example(request: Request) -> Response:
    """A file of the example film."""
    return _picture(EXAMPLE, request.path_params["name"])


def _picture(root: Path, key: str, download: str | None = None) -> Response:
    path = _inside(root, key)
    if path is None:
        return _nothing()
    return FileResponse(
        path,
        media_type=TYPES[path.suffix],
        headers=FOREVER,
        filename=download or None,
        content_disposition_type="attachment",
    )


def _inside(root: Path, key: str) -> Path | None:
    """The file of that key if it is one of ours: no hidden name, no way out of the root."""
    try:
        path = root / checked(key)
    except BadInput:
        return None
    if path.suffix not in TYPES or not path.is_file():
        return None
    # A link inside the store could still lead outside it.
    return path if path.resolve().is_relative_to(root.resolve()) else None


def _nothing() -> Response:
    return PlainTextResponse("There is no such picture.", status_code=404)


ROUTES = [
    Route("/pictures/store/{key:path}", stored),
    Route("/pictures/frames/{key}.png", frame),
    Route("/pictures/example/{name}", example),
]
