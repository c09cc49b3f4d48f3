"""HTTP routes for pictures as stops: takes in uploads and museums' works, and shows them.

What is taken in is answered as JSON: the fields of a `stop.StopImage`, a prompt that describes the
picture, if its record is known, and its width and height.
"""

from contextlib import suppress
from functools import partial
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from momalisa import stop_pictures
from momalisa.errors import BadInput, StorageError
from momalisa.settings import settings
from momalisa.stop import StopImage, is_digest
from momalisa.ui import history, own_pictures, sign_in
from momalisa.ui.http import museums, uploads
from momalisa.ui.http.addresses import address_of
from momalisa.ui.http.permission import permit
from momalisa.ui.http.threads import Threads, answer_in_time
from momalisa.ui.policy import Action
from momalisa.works.credit import suggest_prompt
from momalisa.works.museum import Museum
from momalisa.works.named_picture import (
    FoundPicture,
    find_at,
    find_in_file,
    find_owner,
    find_work_picture,
)
from momalisa.works.search import find_work

UPLOAD_PATH, WORK_PATH = "/pictures/stops", "/pictures/stops/work"
THREADS = Threads("stop pictures", 4, seconds=30.0)
"""They read the history, and the storage for a picture that only a film has."""
_FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}


def picture_url(digest: str) -> str:
    """Where a picture that was taken in can be seen."""
    return f"{UPLOAD_PATH}/{digest}.webp"


async def take_in_upload(request: Request) -> Response:
    """Take in a picture that a visitor sends; 422 with a sentence if it is none."""
    keep = partial(_keep_file, visitor=_visitor_of(request))
    return await uploads.receive(request, stop_pictures.MOST_BYTES, keep)


async def take_in_work(request: Request) -> Response:
    """Take in the picture of the work with that `museum` and `id`, or at a museum's `address`."""
    if address := request.query_params.get("address", ""):
        try:
            museum = find_owner(address, settings().home)
        except BadInput as problem:
            return PlainTextResponse(str(problem), 422)
        return await museums.ask_museum(request, _keep_at, museum.key)
    return await museums.ask_museum(request, _keep_work)


def _keep_at(museum: Museum, request: Request) -> Response:
    return _keep(find_at(request.query_params["address"], museum), _visitor_of(request))


def _keep_work(museum: Museum, request: Request) -> Response:
    work = find_work(museum, request.query_params.get("id", ""), whole=True)
    found = find_work_picture(museum, work)
    return _keep(found, _visitor_of(request), suggest_prompt(work))


def _keep_file(path: Path, visitor: str) -> Response:
    return _keep(find_in_file(path), visitor)


def _visitor_of(request: Request) -> str:
    return sign_in.visitor_of(request).maker or address_of(request)


def _keep(found: FoundPicture, visitor: str, prompt: str = "") -> Response:
    """Keep a picture that was taken in, and answer with the fields of a stop."""
    picture, credit = found
    own_pictures.keep(picture, visitor)
    image = StopImage(digest=picture.digest, credit=credit)
    answer = {"image": image.model_dump(mode="json"), "prompt": prompt}
    return JSONResponse(answer | {"width": picture.width, "height": picture.height})


async def serve_picture(request: Request) -> Response:
    """Answer with a picture by its digest."""
    data = await THREADS.run(_find, request.path_params["digest"])
    if data is None:
        return PlainTextResponse("This picture is not kept here any more.", 404)
    return Response(data, media_type="image/webp", headers=_FOREVER)


def _find(digest: str) -> bytes | None:
    if not is_digest(digest):  # which PostgreSQL may not take, or which fits any film
        return None
    with suppress(StorageError):
        return stop_pictures.find_file(digest, settings().database, history.storage)
    return None


ROUTES = [
    Route(UPLOAD_PATH, permit(Action.MAKE, take_in_upload), methods=["POST"]),
    Route(WORK_PATH, permit(Action.MAKE, take_in_work), methods=["POST"]),
    Route(UPLOAD_PATH + "/{digest}.webp", permit(Action.VIEW, answer_in_time(serve_picture))),
]
