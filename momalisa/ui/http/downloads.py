"""Downloads of films in other formats: encoded on request, two at a time."""

import logging
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from db.models import State, Walk
from momalisa.engine.frame_cache import FrameCache
from momalisa.errors import BadInput, NotStored
from momalisa.film import embedded_text, exports
from momalisa.film.exports import ExportFormat
from momalisa.settings import settings
from momalisa.storage.outbox import open_outbox
from momalisa.ui import error_display, history, navigation
from momalisa.ui.http.permission import permit
from momalisa.ui.http.threads import Threads
from momalisa.ui.policy import Action
from momalisa.ui.submit import has_spec, spec_of

FORMAT_NAMES: dict[ExportFormat, str] = {"mp4": "MP4", "webp": "WebP", "zip": "Frames (ZIP)"}
EXPORTS = Threads("exports", 2, seconds=300.0)
"""Concurrent exports: each holds all frames in a process, and its encoder uses every core."""
STATUS_CODES: dict[type[Exception], int] = {NotStored: 404, BadInput: 422, OSError: 503}
"""The status codes of errors; others are 500."""
ERROR_PAGE = """<!doctype html>
<html lang="en" style="color-scheme: light dark; font: 1rem/1.5 sans-serif; padding: 2rem">
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>MOMA Lisa</title>
<main><h1>No download</h1><p>{}</p><p><a href="{}">Back to the film</a></p></main>
"""

log = logging.getLogger(__name__)


def download_urls(walk: Walk) -> dict[str, str]:
    """The formats in which a film can be downloaded besides GIF, as URLs by name."""
    kinds = FORMAT_NAMES if has_spec(walk) else exports.FILM_ENCODERS
    urls = {
        FORMAT_NAMES[kind]: f"/pictures/walks/{quote(walk.id, safe='')}.{kind}" for kind in kinds
    }
    record = history.file_url(walk, "json", download=f"{walk.accession}.json")
    return {**urls, "Settings (JSON)": record} if record else urls


async def serve_download(request: Request) -> Response:
    """Answer with the film in the format of the URL's suffix, or with an HTML error page."""
    walk_id, kind = request.path_params["walk_id"], request.path_params["kind"]
    try:
        return await EXPORTS.run(_download, walk_id, kind)
    except Exception as error:
        codes = (code for error_type, code in STATUS_CODES.items() if isinstance(error, error_type))
        status = next(codes, 500)
        log.warning("no %s of walk %r: %s", kind, walk_id, error, exc_info=status == 500)
        page = ERROR_PAGE.format(
            escape(error_display.error_message(error)), escape(navigation.film_address(walk_id))
        )
        return HTMLResponse(page, status)


def attachment_header(name: str) -> dict[str, str]:
    """The header that makes a browser save the response under this file name."""
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}


def _download(walk_id: str, kind: str) -> Response:
    """Encode a finished film; raises NotStored for unknown walks and formats."""
    walk = history.find_walk(walk_id)
    if walk is None or walk.state is not State.DONE or kind not in exports.CONTENT_TYPES:
        raise NotStored("There is no such film under this link. It may have been deleted.")
    folder = TemporaryDirectory(prefix="momalisa-")
    try:
        return FileResponse(
            _export(walk, kind, Path(folder.name)),
            media_type=exports.CONTENT_TYPES[kind],
            headers=attachment_header(f"{walk.accession}.{kind}"),
            background=BackgroundTask(folder.cleanup),
        )
    except Exception:
        folder.cleanup()
        raise


def _export(walk: Walk, kind: ExportFormat, folder: Path) -> Path:
    """Encode from the cached frames, else from the stored GIF; returns the file, in `folder`."""
    spec = spec_of(walk) if has_spec(walk) else None
    target, gif, cache = folder / "film", None, FrameCache(settings().frame_cache)
    if exports.needs_gif(spec, walk.progress, cache):
        gif = folder / "film.gif"
        gif.write_bytes(_stored_gif(walk))
    exports.export_film(
        kind, target, spec=spec, progress=walk.progress, cache=cache.folder, gif=gif
    )
    return target


def _stored_gif(walk: Walk) -> bytes:
    """Read the film's GIF, from the outbox while it waits for its upload."""
    if walk.bytes > embedded_text.FILE_LIMIT:
        raise BadInput("This film is too large to be made into another format.")
    storage = open_outbox(settings()).films if walk.waiting else history.storage()
    try:
        return storage.get(walk.files["gif"])
    except NotStored:  # its message contains a path of this machine
        raise NotStored("The film's file is not where it should be.") from None


ROUTE = Route("/pictures/walks/{walk_id}.{kind}", permit(Action.VIEW, serve_download))
