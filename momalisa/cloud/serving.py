"""The prediction container of Vertex AI: a Starlette app that serves one model.

It reads Vertex AI's variables AIP_HTTP_PORT (in server.py), AIP_HEALTH_ROUTE, AIP_PREDICT_ROUTE and
AIP_STORAGE_URI; the app's settings, of which MOMALISA_STORE is the storage of walks that do not fit
into a response; and MOMALISA_ANSWER_MB, the size limit of a response.

Requests are received on the event loop and under deadlines, so that slow clients occupy no thread.
"""

import base64
import json
import logging
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from threading import BoundedSemaphore

from anyio import CancelScope, CapacityLimiter, fail_after, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from momalisa.cloud import access, description, request_format
from momalisa.cloud.frame_transfer import check_walk_id, content_id, store_frames
from momalisa.cloud.model_server import ModelServer, Unavailable
from momalisa.cloud.request_format import Json, WalkRequest
from momalisa.engine.frame_cache import Frame
from momalisa.errors import BadInput, MomaLisaError, OutOfMemory, ServiceError, StorageError
from momalisa.film.encode import encode_png
from momalisa.render import RenderedFrames, make_film
from momalisa.settings import settings
from momalisa.spec import WalkSpec
from momalisa.storage import Storage, open_storage

RESPONSE_MB = 1.5
"""Size limit of a shared endpoint of Vertex AI; that of a dedicated one is 10."""
REQUEST_BYTES = 1_500_000
"""Size limit of a request, unless that of a response is larger: both are an endpoint's."""
READ_SECONDS = 30.0
"""How long a request's body may take to arrive."""
READERS = 64
"""Bodies that are received at a time; the slowest makes room for another."""
PICTURE_REQUESTS = 4
"""Requests whose pictures are looked at, or fetched from museums, at a time."""
PREDICTIONS = 32
"""Threads for predictions: more than `model_server`'s queue, which refuses what is too much."""
DEFAULT_ROUTE = "/v1/endpoints/{endpoint}/deployedModels/{model}"
"""Vertex AI's route for models uploaded without routes; predictions may append ":predict"."""
DEFLATE_RATIO = 1032
"""No PNG is smaller than its pixels' bytes by more than this."""
TOLERANCE = 1.25
"""How many times larger than the limit an answer is estimated that is given up half made."""

View = Callable[[Request], Awaitable[Json]]

log = logging.getLogger(__name__)


class TooLarge(MomaLisaError):
    """The frames do not fit into a response, and there is no store for them."""


_ERROR_CODES: tuple[tuple[type[Exception], HTTPStatus, str], ...] = (
    (BadInput, HTTPStatus.BAD_REQUEST, "bad_input"),
    (OutOfMemory, HTTPStatus.BAD_REQUEST, "no_memory"),
    (TooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large"),
    (StorageError, HTTPStatus.BAD_GATEWAY, "not_stored"),
    (ServiceError, HTTPStatus.BAD_GATEWAY, "museum"),
)


def create_app() -> Starlette:
    """Create the app and load its model in the background; `state.model_server` is its server."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("momalisa").setLevel(logging.INFO)
    server = ModelServer(settings(), os.environ.get("AIP_STORAGE_URI", ""))
    app = Starlette(
        routes=_make_routes(server),
        exception_handlers={HTTPException: lambda _request, error: _error_response(error)},
    )
    app.state.model_server = server
    server.start_loading()
    return app


def _make_routes(server: ModelServer) -> list[Route]:
    health_route = os.environ.get("AIP_HEALTH_ROUTE") or "/health"
    predict_route = os.environ.get("AIP_PREDICT_ROUTE") or "/predict"
    limit = int(float(os.environ.get("MOMALISA_ANSWER_MB") or RESPONSE_MB) * 1e6)
    readers, threads = _Readers(max(REQUEST_BYTES, limit)), CapacityLimiter(PREDICTIONS)
    picture_requests = BoundedSemaphore(PICTURE_REQUESTS)

    async def health(_request: Request) -> Json:
        card, runner = server.loaded_model()
        digest, device = runner.model.digest, str(runner.device)
        return {"status": "ready", "model": card.name, "digest": digest, "device": device}

    async def predict(request: Request) -> Json:
        _check_sender(request)
        card, _ = server.loaded_model()
        body = await readers.read(request)

        def work() -> Json:
            walks = request_format.parse_request(body, card)
            if any(walk.sources for walk in walks):
                walks = _take_in_pictures(walks, picture_requests)
            return {"predictions": list(_predict(walks, server, limit))}

        return await to_thread.run_sync(work, limiter=threads)

    async def openapi(request: Request) -> Json:
        _check_sender(request)
        card, _ = server.loaded_model()
        return description.describe_openapi(card, health_route, predict_route)

    return [
        Route(health_route, _answering(health), methods=["GET"]),
        Route(predict_route, _answering(predict), methods=["POST"]),
        Route(DEFAULT_ROUTE, _answering(health), methods=["GET"]),
        Route(DEFAULT_ROUTE, _answering(predict), methods=["POST"]),
        Route("/openapi.json", _answering(openapi), methods=["GET"]),
    ]


def _answering(view: View) -> Callable[[Request], Awaitable[Response]]:
    """Make a route of a view: its result as JSON, or the response for its exception."""

    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await view(request))
        except Exception as error:
            return _error_response(error)

    return answer


def _check_sender(request: Request) -> None:
    access.check_sender(request.headers, os.environ, settings().endpoint_token)


class _Body:
    """A body that is being received."""

    def __init__(self) -> None:
        self.scope = CancelScope()
        self.data = bytearray()
        self._began = time.monotonic()

    @property
    def rate(self) -> tuple[float, float]:
        """Bytes a second, the first second counting whole; of equal ones the oldest is slowest."""
        return len(self.data) / max(time.monotonic() - self._began, 1.0), self._began


class _Readers:
    """Receives bodies, a limited number at a time: the slowest makes room for a newcomer."""

    def __init__(self, most_bytes: int = REQUEST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._bodies: list[_Body] = []

    async def read(self, request: Request) -> bytes:
        """Receive a body. Raises Unavailable, or HTTPException if it is too large or too slow."""
        arriving = [body for body in self._bodies if not body.scope.cancel_called]
        if len(arriving) >= READERS:
            min(arriving, key=lambda body: body.rate).scope.cancel()
        body = _Body()
        self._bodies.append(body)
        try:
            with body.scope, fail_after(READ_SECONDS):
                await _receive(request, body.data, self._most_bytes)
        except TimeoutError:
            raise HTTPException(
                HTTPStatus.REQUEST_TIMEOUT, "The request took too long to arrive."
            ) from None
        except ClientDisconnect:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "The request came only in part.") from None
        finally:
            self._bodies.remove(body)
        if body.scope.cancelled_caught:
            raise Unavailable("busy", "Too many requests arrive. Please come back later.", 10)
        return bytes(body.data)


async def _receive(request: Request, body: bytearray, most_bytes: int) -> None:
    """Receive a body into `body`; raises HTTPException if it is too large."""
    async for part in request.stream():
        body += part
        if len(body) > most_bytes:
            raise HTTPException(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"A request has at most {most_bytes:,} bytes.",
            )


def _take_in_pictures(walks: list[WalkRequest], slots: BoundedSemaphore) -> list[WalkRequest]:
    """Take in the pictures of a request. Raises Unavailable where too many others do so."""
    if not slots.acquire(blocking=False):
        sentence = "Many pictures are being looked at just now. Please come back later."
        raise Unavailable("busy", sentence, 10)
    try:
        return request_format.take_in_pictures(walks, settings().home)
    finally:
        slots.release()


def _predict(walks: list[WalkRequest], server: ModelServer, limit: int) -> Iterator[Json]:
    """Render walks and yield a prediction for each, in at most `limit` bytes altogether.

    A prediction contains the frames if they fit into the response, otherwise their storage keys.
    Without a store, raises TooLarge before anything is rendered if frames cannot fit, and after a
    walk's first frames if they are too large for all to fit.
    """
    if not settings().store:
        _check_least_size([walk.spec for walk in walks], limit)
    bytes_left = limit - len(json.dumps({"predictions": []}))
    for walk in walks:
        check = None if settings().store else _SizeEstimate(len(walk.spec.places()), bytes_left)
        rendered = server.render_frames(walk.spec, check, walk.pictures)
        common = {
            "spec": walk.spec.model_dump(mode="json"),
            "digest": walk.spec.digest(),
            "made": rendered.stats.model_dump(),
        }
        room = bytes_left - _json_size(common | {"pictures": []})
        pictures = _encode_within(rendered.frames, room)
        prediction = common | ({"pictures": pictures} if pictures else _store(walk, rendered))
        bytes_left -= _json_size(prediction)
        yield prediction


def _check_least_size(specs: Iterable[WalkSpec], limit: int) -> None:
    """Raise TooLarge if these walks' frames exceed `limit` bytes, however plain they are."""
    pixels = sum(len(spec.places()) * spec.pixels for spec in specs)
    if 3 * pixels / DEFLATE_RATIO * 4 / 3 > limit:
        raise _too_large()


class _SizeEstimate:
    """Estimates a walk's size in the response from its first frames."""

    def __init__(self, frames: int, limit: int) -> None:
        self._frames, self._limit = frames, limit
        self._sizes: list[int] = []

    def __call__(self, frame: Frame) -> None:
        """Count a frame; raises TooLarge if all frames will clearly exceed the limit."""
        self._sizes.append(_json_size(base64.b64encode(encode_png(frame)).decode()))
        estimate = self._frames * sum(self._sizes) / len(self._sizes)
        if len(self._sizes) > 1 and estimate > TOLERANCE * self._limit:
            raise _too_large()


def _encode_within(frames: Sequence[Frame], limit: int) -> list[str] | None:
    """Encode frames as PNGs in base64; None as soon as they exceed `limit` bytes of JSON."""
    pictures: list[str] = []
    for frame in frames:
        picture = base64.b64encode(encode_png(frame)).decode()
        limit -= _json_size(picture)
        if limit < 0:
            return None
        pictures.append(picture)
    return pictures


def _json_size(value: Json | str) -> int:
    """The bytes of a value in the response, including the comma and space after it."""
    return len(json.dumps(value)) + 2


def _too_large() -> TooLarge:
    return TooLarge(
        "These pictures take more bytes than an answer may. Please ask for fewer or smaller ones, "
        "or give the container a MOMALISA_STORE."
    )


def _store(walk: WalkRequest, rendered: RenderedFrames) -> Json:
    """Store the frames, and the film if requested; returns their keys and URLs."""
    root = settings().store
    if not root:
        raise _too_large()
    storage = open_storage(root)
    film_id = content_id(walk.spec, rendered.stats.model_digest)
    walk_id = walk.walk_id or film_id
    if walk.film:
        check_walk_id(walk.spec, walk_id, storage)
    keys = store_frames(rendered.frames, walk_id, film_id, storage)
    files = [_describe_file(key, storage) for key in keys]
    fields: Json = {"walk_id": walk_id, "store": root, "frames": files}
    if not walk.film:
        return fields
    film = make_film(walk.spec, rendered, walk_id=walk_id, storage=storage, pictures=walk.pictures)
    return fields | {"film": _describe_file(film.result.files["gif"], storage)}


def _describe_file(key: str, storage: Storage) -> Json:
    return {"key": key, "url": storage.url(key)}


def _error_response(error: Exception) -> Response:
    """The response for an exception; never its traceback."""
    if isinstance(error, HTTPException):
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        return _error(code, str(error.detail), error.status_code, error.headers)
    if isinstance(error, Unavailable):
        busy = error.code == "busy"
        status = HTTPStatus.TOO_MANY_REQUESTS if busy else HTTPStatus.SERVICE_UNAVAILABLE
        return _error(error.code, str(error), status, {"Retry-After": str(error.retry_after)})
    for kind, status, code in _ERROR_CODES:
        if isinstance(error, kind):
            return _error(code, str(error), status)
    log.error("A request failed", exc_info=error)
    sentence = f"Something unforeseen happened ({type(error).__name__}). The log says more."
    return _error("unforeseen", sentence, HTTPStatus.INTERNAL_SERVER_ERROR)


def _error(
    code: str, message: str, status: int, headers: Mapping[str, str] | None = None
) -> Response:
    # The message may quote a lone surrogate, which has no bytes of its own.
    clean = message.encode(errors="backslashreplace").decode()
    return JSONResponse(request_format.error_body(code, clean), status, headers)
