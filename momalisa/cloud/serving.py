"""The prediction container of Vertex AI: Flask behind gunicorn, one model, one walk at a time.

What Vertex AI sets is kept: AIP_HTTP_PORT (in gunicorn.conf.py), AIP_HEALTH_ROUTE,
AIP_PREDICT_ROUTE and AIP_STORAGE_URI. Settings of its own: those of the app, of which
MOMALISA_STORE says where films go that do not fit into an answer, and MOMALISA_ANSWER_MB.
"""

import base64
import json
import logging
import os
from collections.abc import Iterator
from http import HTTPStatus

from flask import Flask, request
from werkzeug.exceptions import HTTPException

from momalisa.cloud import request_format
from momalisa.cloud.frame_transfer import keep_frames, lasting_id, refuse_another
from momalisa.cloud.model_server import NotNow, Studio
from momalisa.cloud.request_format import Json, WalkRequest
from momalisa.errors import BadInput, MomaLisaError, OutOfMemory, StorageError
from momalisa.film.encode import encode_png
from momalisa.render import RenderedFrames, make_film
from momalisa.settings import settings
from momalisa.storage import Storage, open_storage

ANSWER_MB = 1.5
"""What a shared endpoint of Vertex AI lets through; a dedicated one: 10."""
REQUEST_BYTES = 1_500_000
DEPLOYED = "/v1/endpoints/<endpoint>/deployedModels/<model>"
"""The route that Vertex AI uses where none was named; a prediction's may end in ":predict"."""

log = logging.getLogger(__name__)


class TooLarge(MomaLisaError):
    """The pictures do not fit into an answer, and there is no store for them."""


_CODES: tuple[tuple[type[Exception], HTTPStatus, str], ...] = (
    (BadInput, HTTPStatus.BAD_REQUEST, "bad_input"),
    (OutOfMemory, HTTPStatus.BAD_REQUEST, "no_memory"),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large"),
    (StorageError, HTTPStatus.BAD_GATEWAY, "not_stored"),
)


def create_app() -> Flask:
    """The container's app. It answers at once; its model is loaded in the background."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("momalisa").setLevel(logging.INFO)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = REQUEST_BYTES
    studio = Studio(settings(), os.environ.get("AIP_STORAGE_URI", ""))
    app.extensions["studio"] = studio
    _add_routes(app, studio)
    app.register_error_handler(Exception, _told)
    studio.open()
    return app


def _add_routes(app: Flask, studio: Studio) -> None:
    health_route = os.environ.get("AIP_HEALTH_ROUTE") or "/health"
    predict_route = os.environ.get("AIP_PREDICT_ROUTE") or "/predict"
    limit = int(float(os.environ.get("MOMALISA_ANSWER_MB") or ANSWER_MB) * 1e6)

    def health(**_ids: str) -> Json:
        card, runner = studio.served()
        digest, device = runner.model.digest, str(runner.device)
        return {"status": "ready", "model": card.name, "digest": digest, "device": device}

    def predict(**_ids: str) -> Json:
        card, _ = studio.served()
        walks = request_format.parse_request(request.get_data(), card)
        return {"predictions": list(_predictions(walks, studio, limit))}

    def openapi() -> Json:
        card, _ = studio.served()
        return request_format.describe_openapi(card, health_route, predict_route)

    for number, (route, view, method) in enumerate(
        (
            (health_route, health, "GET"),
            (predict_route, predict, "POST"),
            (DEPLOYED, health, "GET"),
            (DEPLOYED, predict, "POST"),
            ("/openapi.json", openapi, "GET"),
        )
    ):
        app.add_url_rule(route, f"{view.__name__}-{number}", view, methods=[method])


def _predictions(walks: list[WalkRequest], studio: Studio, limit: int) -> Iterator[Json]:
    """A prediction for each walk: pictures while there is room in the answer, else their places."""
    room = limit - len(json.dumps({"predictions": []}))
    for walk in walks:
        painted = studio.paint(walk.spec)
        about = {
            "spec": walk.spec.model_dump(mode="json"),
            "digest": walk.spec.digest(),
            "made": painted.stats.model_dump(),
        }
        frames = [encode_png(frame) for frame in painted.frames]
        prediction = about | {"pictures": [base64.b64encode(frame).decode() for frame in frames]}
        if _size(prediction) > room:
            prediction = about | _stored(walk, painted, frames)
        room -= _size(prediction)
        yield prediction


def _size(prediction: Json) -> int:
    """Bytes that a prediction takes in the answer, the comma after it among them."""
    return len(json.dumps(prediction)) + 2


def _stored(walk: WalkRequest, painted: RenderedFrames, frames: list[bytes]) -> Json:
    """Store the frames, and the film unless it is not wanted; where they lie."""
    root = settings().store
    if not root:
        megabytes = sum(map(len, frames)) * 4 / 3e6
        raise TooLarge(
            f"These {len(frames)} pictures take {megabytes:.1f} MB, more than an answer may. "
            "Please ask for fewer or smaller ones, or give the container a MOMALISA_STORE."
        )
    storage = open_storage(root)
    film = lasting_id(walk.spec, painted.stats.model_digest)
    walk_id = walk.walk_id or film
    if walk.film:
        refuse_another(walk.spec, walk_id, storage)
    keys = keep_frames(frames, walk_id, film, storage)
    places = {"walk_id": walk_id, "store": root, "frames": [_place(key, storage) for key in keys]}
    if not walk.film:
        return places
    kept = make_film(walk.spec, painted, walk_id=walk_id, storage=storage)
    return places | {"film": _place(kept.result.files["gif"], storage)}


def _place(key: str, storage: Storage) -> Json:
    return {"key": key, "url": storage.url(key)}


def _told(error: Exception) -> tuple[Json, int, dict[str, str]]:
    """Any error as its status, code and sentence; never more than that."""
    if isinstance(error, NotNow):
        busy = error.code == "busy"
        status = HTTPStatus.TOO_MANY_REQUESTS if busy else HTTPStatus.SERVICE_UNAVAILABLE
        return (
            request_format.error_body(error.code, str(error)),
            status,
            {"Retry-After": str(error.after)},
        )
    for kind, status, code in _CODES:
        if isinstance(error, kind):
            return request_format.error_body(code, str(error)), status, {}
    if isinstance(error, HTTPException):
        return _http(error)
    log.exception("A request failed")
    sentence = f"Something unforeseen happened ({type(error).__name__}). The log says more."
    return request_format.error_body("unforeseen", sentence), HTTPStatus.INTERNAL_SERVER_ERROR, {}


def _http(error: HTTPException) -> tuple[Json, int, dict[str, str]]:
    """What Flask itself refuses: an unknown route, a wrong method, too large a body."""
    code = error.name.lower().replace(" ", "_")
    kept = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    return request_format.error_body(code, f"{error.description}"), error.code or 500, kept
