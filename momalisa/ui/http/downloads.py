"""Downloads of films in other formats: encoded on request, two at a time.

Equal requests share one export, and one whose clients are all gone is stopped.
"""

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import quote

from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import Route

from db.models import State, Walk
from momalisa.engine.frame_cache import FrameCache
from momalisa.errors import BadInput, Cancelled, NotStored, StorageError
from momalisa.film import embedded_text, exports
from momalisa.film.exports import ExportFormat
from momalisa.settings import settings
from momalisa.storage import Storage
from momalisa.storage.outbox import open_outbox
from momalisa.storage.webp_files import START, is_cut_short
from momalisa.ui import error_display, history, navigation
from momalisa.ui.http.addresses import address_of
from momalisa.ui.http.permission import permit
from momalisa.ui.http.shared_calls import SharedCalls, TooMany
from momalisa.ui.http.threads import HISTORY, Threads, TooSlow
from momalisa.ui.policy import Action
from momalisa.ui.submit import has_spec, spec_of

FORMAT_NAMES: dict[ExportFormat, str] = {"mp4": "MP4", "webp": "WebP", "zip": "Frames (ZIP)"}
WAITING, WAITING_EACH = 16, 4
"""Requests that may wait for an export at a time: in all, and of one address."""
CLIENT_GONE = 499
"""The status, as in nginx, of an answer to a client that is gone."""
STATUS_CODES: dict[type[Exception], int] = {
    NotStored: 404,
    BadInput: 422,
    TooMany: 429,
    TooSlow: 503,
    OSError: 503,
    Cancelled: CLIENT_GONE,
}
"""The status codes of errors; others are 500."""
NO_FILM = "There is no such film under this link. It may have been deleted."
ERROR_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>MOMA Lisa</title>
<style>
  html {{ color-scheme: light dark; font: 1rem/1.5 sans-serif; padding: 2rem;
    background: light-dark(#fcfbf9, #0d0d0e); color: light-dark(#1c1a17, #e9e5dd); }}
  h1 {{ font: 400 2.4rem Georgia, serif; }} a {{ color: inherit; }}
</style>
<main><h1>No download</h1><p>{}</p><p><a href="{}">{}</a></p></main>
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


class Exported(NamedTuple):
    """A film in another format, or a table, in a folder of its own."""

    folder: "TemporaryDirectory[str]"
    path: Path


EXPORTS = SharedCalls[Exported](
    Threads("exports", 2, seconds=300.0),
    total=WAITING,
    each=WAITING_EACH,
    discard=lambda exported: exported.folder.cleanup(),
)
"""Concurrent exports: each holds all frames in a process, and its encoder uses every core."""


async def serve_download(request: Request) -> Response:
    """Answer with the film in the format of the URL's suffix, or with an HTML error page."""
    walk_id, kind = request.path_params["walk_id"], request.path_params["kind"]
    try:
        walk = await HISTORY.run(_find_film, walk_id, kind)
        return await _send_export(request, walk, kind)
    except Exception as error:
        back = ("Back to the film", navigation.film_address(walk_id))
        return error_page(error, f"{kind!r} of walk {walk_id!r}", back)


async def _send_export(request: Request, walk: Walk, kind: ExportFormat) -> Response:
    """Answer with a film in another format; of one that was deleted meanwhile, raise NotStored."""
    try:
        return await EXPORTS.run(
            (walk.id, kind, walk.sha256),
            partial(_export, walk, kind),
            partial(_response, walk, kind),
            address=address_of(request),
            is_gone=request.is_disconnected,
        )
    except (BadInput, NotStored):  # which say what was found missing, not why
        await HISTORY.run(_find_film, walk.id, kind)
        raise


def error_page(error: Exception, what: str, back: tuple[str, str]) -> HTMLResponse:
    """The page that says why there is no such download; `back` is a link's text and address."""
    codes = (code for error_type, code in STATUS_CODES.items() if isinstance(error, error_type))
    status = next(codes, 500)
    log.warning("no %s: %s", what, error, exc_info=status == 500)
    label, address = back
    sentence = error_display.error_message(error)
    return HTMLResponse(ERROR_PAGE.format(*map(escape, (sentence, address, label))), status)


def attachment_header(name: str) -> dict[str, str]:
    """The header that makes a browser save the response under this file name."""
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}


def _find_film(walk_id: str, kind: str) -> Walk:
    """A finished film's walk; raises NotStored for unknown walks and formats."""
    walk = history.find_walk(walk_id)
    if walk is None or walk.state is not State.DONE or kind not in exports.CONTENT_TYPES:
        raise NotStored(NO_FILM)
    return walk


def _export(walk: Walk, kind: ExportFormat, stopped: Callable[[], bool]) -> Exported:
    """Encode from the cached frames, else from the stored film."""
    folder = TemporaryDirectory(prefix="momalisa-")
    target = Path(folder.name) / "film"
    spec = spec_of(walk) if has_spec(walk) else None
    cache = FrameCache(settings().frame_cache)
    export = partial(
        exports.export_film,
        kind,
        target,
        spec=spec,
        progress=walk.progress,
        cache=cache.folder,
        stopped=stopped,
    )
    try:
        if exports.needs_film(spec, walk.progress, cache):
            _export_stored(walk, target.with_suffix(".stored"), export)
        else:
            export(film=None)
    except BaseException:
        folder.cleanup()
        raise
    return Exported(folder, target)


def _export_stored(walk: Walk, path: Path, export: Callable[..., None]) -> None:
    """Export from a copy of the stored WebP, which has no dither; where that fails, of the GIF."""
    if webp := _stored_webp(walk):
        path.write_bytes(webp)
        with suppress(BadInput):
            export(film=path)
            return
    path.write_bytes(_stored_gif(walk))
    export(film=path)


def _response(walk: Walk, kind: ExportFormat, exported: Exported) -> Response:
    return file_response(exported, exports.CONTENT_TYPES[kind], f"{walk.accession}.{kind}")


def file_response(exported: Exported, kind: str, name: str) -> Response:
    """Send a file, to be saved as `name`, by a link of its own: others may be sent it too."""
    folder = TemporaryDirectory(prefix="momalisa-")
    path = Path(folder.name) / "film"
    os.link(exported.path, path)
    return FileResponse(
        path,
        media_type=kind,
        headers=attachment_header(name),
        background=BackgroundTask(folder.cleanup),
    )


def _stored_webp(walk: Walk) -> bytes:
    """Read the WebP that the app made of a walk; empty if there is none, or it is cut short."""
    if "webp" not in walk.files or not has_spec(walk):
        return b""
    try:
        data = _storage_of(walk).get_start(walk.files["webp"], embedded_text.FILE_LIMIT)
    except StorageError:  # of all that is out of reach the GIF says so
        return b""
    return b"" if is_cut_short(data[:START], len(data)) else data


def _stored_gif(walk: Walk) -> bytes:
    """Read the film's GIF."""
    if walk.bytes > embedded_text.FILE_LIMIT:
        raise BadInput("This film is too large to be made into another format.")
    try:
        return _storage_of(walk).get(walk.files["gif"])
    except NotStored:  # its message contains a path of this machine
        raise NotStored("The film's file is not where it should be.") from None


def _storage_of(walk: Walk) -> Storage:
    """Where the film's files are: in the outbox while they wait for their upload."""
    return open_outbox(settings()).films if walk.waiting else history.storage()


ROUTE = Route("/pictures/walks/{walk_id}.{kind}", permit(Action.VIEW, serve_download))
