"""HTTP routes for pictures as stops: takes in uploads and museums' works, and shows them.

What is taken in is answered as JSON: the fields of a `stop.StopImage`, a prompt that describes the
picture, if its record is known, and its width and height.
"""

import tempfile
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from momalisa import stop_pictures
from momalisa.settings import settings
from momalisa.stop import Credit, StopImage
from momalisa.ui import history
from momalisa.ui.http import museums, uploads
from momalisa.ui.http.permission import permit
from momalisa.ui.http.threads import Threads, answer_in_time
from momalisa.ui.policy import Action
from momalisa.works.collection import write_picture
from momalisa.works.credit import credit_work, suggest_prompt
from momalisa.works.museum import Museum
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
    return await uploads.receive(request, stop_pictures.MOST_BYTES, _keep)


async def take_in_work(request: Request) -> Response:
    """Take in the picture of the work with that `museum` and `id`."""
    return await museums.ask_museum(request, _keep_work)


def _keep_work(museum: Museum, request: Request) -> Response:
    work = find_work(museum, request.query_params.get("id", ""))
    with tempfile.TemporaryDirectory(prefix="momalisa-") as folder:
        path = Path(folder) / "work.png"
        write_picture(museum, work, path, stop_pictures.LONGEST_SIDE)
        return _keep(path, credit_work(work, museum.name), suggest_prompt(work))


def _keep(path: Path, credit: Credit | None = None, prompt: str = "") -> Response:
    """Take in the picture in a file. Raises BadInput."""
    picture = stop_pictures.take_in(path)
    stop_pictures.keep(picture, settings().database)
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
    return stop_pictures.find_file(digest, settings().database, history.storage)


ROUTES = [
    Route(UPLOAD_PATH, permit(Action.MAKE, take_in_upload), methods=["POST"]),
    Route(WORK_PATH, permit(Action.MAKE, take_in_work), methods=["POST"]),
    Route(UPLOAD_PATH + "/{digest}.webp", permit(Action.VIEW, answer_in_time(serve_picture))),
]
