"""The prediction container of Vertex AI: a Flask app that serves one model.

It reads Vertex AI's variables AIP_HTTP_PORT (in gunicorn.conf.py), AIP_HEALTH_ROUTE,
AIP_PREDICT_ROUTE and AIP_STORAGE_URI; the app's settings, of which MOMALISA_STORE is the storage
of walks that do not fit into a response; and MOMALISA_ANSWER_MB, the size limit of a response.
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
from momalisa.cloud.frame_transfer import check_walk_id, content_id, store_frames
from momalisa.cloud.model_server import ModelServer, Unavailable
from momalisa.cloud.request_format import Json, WalkRequest
from momalisa.errors import BadInput, MomaLisaError, OutOfMemory, StorageError
from momalisa.film.encode import encode_png
from momalisa.render import RenderedFrames, make_film
from momalisa.settings import settings
from momalisa.storage import Storage, open_storage

RESPONSE_MB = 1.5
"""Size limit of a shared endpoint of Vertex AI; that of a dedicated one is 10."""
REQUEST_BYTES = 1_500_000
DEFAULT_ROUTE = "/v1/endpoints/<endpoint>/deployedModels/<model>"
"""Vertex AI's route for models uploaded without routes; predictions may append ":predict"."""

log = logging.getLogger(__name__)


class TooLarge(MomaLisaError):
    """The frames do not fit into a response, and there is no store for them."""


_ERROR_CODES: tuple[tuple[type[Exception], HTTPStatus, str], ...] = (
    (BadInput, HTTPStatus.BAD_REQUEST, "bad_input"),
    (OutOfMemory, HTTPStatus.BAD_REQUEST, "no_memory"),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large"),
    (StorageError, HTTPStatus.BAD_GATEWAY, "not_stored"),
)


def create_app() -> Flask:
    """Create the Flask app and load its model in the background."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("momalisa").setLevel(logging.INFO)
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = REQUEST_BYTES
    server = ModelServer(settings(), os.environ.get("AIP_STORAGE_URI", ""))
    app.extensions["model_server"] = server
    _add_routes(app, server)
    app.register_error_handler(Exception, _error_response)
    server.start_loading()
    return app


def _add_routes(app: Flask, server: ModelServer) -> None:
    health_route = os.environ.get("AIP_HEALTH_ROUTE") or "/health"
    predict_route = os.environ.get("AIP_PREDICT_ROUTE") or "/predict"
    limit = int(float(os.environ.get("MOMALISA_ANSWER_MB") or RESPONSE_MB) * 1e6)

    def health(**_ids: str) -> Json:
        card, runner = server.loaded_model()
        digest, device = runner.model.digest, str(runner.device)
        return {"status": "ready", "model": card.name, "digest": digest, "device": device}

    def predict(**_ids: str) -> Json:
        card, _ = server.loaded_model()
        walks = request_format.parse_request(request.get_data(), card)
        return {"predictions": list(_predict(walks, server, limit))}

    def openapi() -> Json:
        card, _ = server.loaded_model()
        return request_format.describe_openapi(card, health_route, predict_route)

    for number, (route, view, method) in enumerate(
        (
            (health_route, health, "GET"),
            (predict_route, predict, "POST"),
            (DEFAULT_ROUTE, health, "GET"),
            (DEFAULT_ROUTE, predict, "POST"),
            ("/openapi.json", openapi, "GET"),
        )
    ):
        app.add_url_rule(route, f"{view.__name__}-{number}", view, methods=[method])


def _predict(walks: list[WalkRequest], server: ModelServer, limit: int) -> Iterator[Json]:
    """Render walks and yield a prediction for each, in at most `limit` bytes altogether.

    A prediction contains the frames if they fit into the response, otherwise their storage keys.
    """
    bytes_left = limit - len(json.dumps({"predictions": []}))
    for walk in walks:
        rendered = server.render_frames(walk.spec)
        common = {
            "spec": walk.spec.model_dump(mode="json"),
            "digest": walk.spec.digest(),
            "made": rendered.stats.model_dump(),
        }
        pngs = [encode_png(frame) for frame in rendered.frames]
        prediction = common | {"pictures": [base64.b64encode(png).decode() for png in pngs]}
        if _json_size(prediction) > bytes_left:
            prediction = common | _store(walk, rendered, pngs)
        bytes_left -= _json_size(prediction)
        yield prediction


def _json_size(prediction: Json) -> int:
    """The bytes of a prediction in the response, including the comma and space after it."""
    return len(json.dumps(prediction)) + 2


def _store(walk: WalkRequest, rendered: RenderedFrames, pngs: list[bytes]) -> Json:
    """Store the frames, and the film if requested; returns their keys and URLs."""
    root = settings().store
    if not root:
        megabytes = sum(map(len, pngs)) * 4 / 3e6
        raise TooLarge(
            f"These {len(pngs)} pictures take {megabytes:.1f} MB, more than an answer may. "
            "Please ask for fewer or smaller ones, or give the container a MOMALISA_STORE."
        )
    storage = open_storage(root)
    film_id = content_id(walk.spec, rendered.stats.model_digest)
    walk_id = walk.walk_id or film_id
    if walk.film:
        check_walk_id(walk.spec, walk_id, storage)
    keys = store_frames(pngs, walk_id, film_id, storage)
    files = [_describe_file(key, storage) for key in keys]
    fields: Json = {"walk_id": walk_id, "store": root, "frames": files}
    if not walk.film:
        return fields
    film = make_film(walk.spec, rendered, walk_id=walk_id, storage=storage)
    return fields | {"film": _describe_file(film.result.files["gif"], storage)}


def _describe_file(key: str, storage: Storage) -> Json:
    return {"key": key, "url": storage.url(key)}


def _error_response(error: Exception) -> tuple[Json, int, dict[str, str]]:
    """The body, status and headers for an exception; never its traceback."""
    if isinstance(error, Unavailable):
        busy = error.code == "busy"
        status = HTTPStatus.TOO_MANY_REQUESTS if busy else HTTPStatus.SERVICE_UNAVAILABLE
        return (
            request_format.error_body(error.code, str(error)),
            status,
            {"Retry-After": str(error.retry_after)},
        )
    for kind, status, code in _ERROR_CODES:
        if isinstance(error, kind):
            return request_format.error_body(code, str(error)), status, {}
    if isinstance(error, HTTPException):
        return _http_error_response(error)
    log.exception("A request failed")
    sentence = f"Something unforeseen happened ({type(error).__name__}). The log says more."
    return request_format.error_body("unforeseen", sentence), HTTPStatus.INTERNAL_SERVER_ERROR, {}


def _http_error_response(error: HTTPException) -> tuple[Json, int, dict[str, str]]:
    """The response to Flask's errors: an unknown route, a wrong method, too large a body."""
    code = error.name.lower().replace(" ", "_")
    headers = {k: value for k, value in error.get_headers() if k in ("Allow", "Retry-After")}
    return request_format.error_body(code, f"{error.description}"), error.code or 500, headers
