"""Films to take away in other formats, over HTTP: made when asked for, two at a time."""

import logging
from functools import partial
from html import escape
from urllib.parse import quote

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from db.models import State, Walk
from momalisa.engine.frame_cache import FrameCache
from momalisa.errors import BadInput, NotStored
from momalisa.film import exports
from momalisa.film.exports import ExportFormat
from momalisa.settings import settings
from momalisa.storage.outbox import open_outbox
from momalisa.ui import error_display, history
from momalisa.ui.submit import repeatable, spec_of

NAMES: dict[ExportFormat, str] = {"mp4": "MP4", "webp": "WebP", "zip": "Frames (ZIP)"}
AT_ONCE = CapacityLimiter(2)
"""Films made at a time: all frames of each are in memory, and its encoder takes every core."""
STATUS: dict[type[Exception], int] = {NotStored: 404, BadInput: 422, OSError: 503}
SORRY = """<!doctype html>
<html lang="en" style="color-scheme: light dark; font: 1rem/1.5 sans-serif; padding: 2rem">
<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>MOMA Lisa</title>
<main><h1>No download</h1><p>{}</p><p><a href="/gallery?walk={}">Back to the film</a></p></main>
"""

log = logging.getLogger(__name__)


def offers(walk: Walk) -> dict[str, str]:
    """What a film can be had as beside its GIF: names and addresses."""
    kinds = NAMES if repeatable(walk) else exports.FILM_ENCODERS
    found = {NAMES[kind]: f"/pictures/walks/{quote(walk.id, safe='')}.{kind}" for kind in kinds}
    record = history.address(walk, "json", download=f"{walk.accession}.json")
    return {**found, "Settings (JSON)": record} if record else found


async def made(request: Request) -> Response:
    """A film in the format that the address ends with; or a page that says why not."""
    walk_id, kind = request.path_params["walk_id"], request.path_params["kind"]
    try:
        return await to_thread.run_sync(_made, walk_id, kind, limiter=AT_ONCE)
    except Exception as error:
        status = next((code for cause, code in STATUS.items() if isinstance(error, cause)), 500)
        log.warning("no %s of walk %r: %s", kind, walk_id, error, exc_info=status == 500)
        page = SORRY.format(escape(error_display.sentence(error)), quote(walk_id))
        return HTMLResponse(page, status)


def attachment(name: str) -> dict[str, str]:
    """The header that gives a file its name on the visitor's disk."""
    return {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}


def _made(walk_id: str, kind: str) -> Response:
    walk = history.find(walk_id)
    if walk is None or walk.state is not State.DONE or kind not in exports.CONTENT_TYPES:
        raise NotStored("There is no such film under this link. It may have been deleted.")
    return Response(
        _exported(walk, kind),
        media_type=exports.CONTENT_TYPES[kind],
        headers=attachment(f"{walk.accession}.{kind}"),
    )


def _exported(walk: Walk, kind: ExportFormat) -> bytes:
    gif = partial(_stored_gif, walk)
    if not repeatable(walk):
        return exports.convert_gif(kind, gif())
    spec, cache = spec_of(walk), FrameCache(settings().frame_cache)
    return exports.export_walk(kind, spec, exports.load_frames(spec, walk.progress, cache, gif))


def _stored_gif(walk: Walk) -> bytes:
    shelf = open_outbox(settings()).films if walk.waiting else history.storage()
    try:
        return shelf.get(walk.files["gif"])
    except NotStored:  # which says where on this machine
        raise NotStored("The film's file is not where it should be.") from None


ROUTE = Route("/pictures/walks/{walk_id}.{kind}", made)
