"""The client of a Vertex AI endpoint, or of the prediction container itself.

`Endpoint.render` has the same interface as `render.render`: the endpoint renders the frames, this
machine encodes and stores the film.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import wait
from contextlib import suppress
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from momalisa.backoff import Backoff
from momalisa.cloud.background import run_in_thread
from momalisa.cloud.frame_transfer import FRAMES_FOLDER, decode_png, from_stats
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.picture_crop import crop_picture
from momalisa.errors import BadInput, Cancelled, NotHere, ServiceError, StorageError
from momalisa.film.encode import encode_png
from momalisa.render import Progress, RenderedFrames, StoredFilm, make_film
from momalisa.settings import settings
from momalisa.spec import WalkSpec
from momalisa.stop import StopImage
from momalisa.storage import Storage, open_storage
from momalisa.storage.outbox import Outbox

VERTEX = re.compile(r"projects/[\w-]+/locations/[\w-]+/endpoints/[\w-]+")
URL = re.compile(r"https?://[^/\s]+/\S*")
CONNECT_TIMEOUT, RESPONSE_TIMEOUT = 10.0, 900.0
"""Seconds for one request. The endpoint caches frames, so a retry resumes the walk."""
OUTAGE_LIMIT, BUSY_LIMIT = 30.0, 900.0
"""Seconds of retries in all, while the endpoint is unreachable and while it is busy."""
RETRY_PAUSES = (1.0, 30.0)
"""Seconds between two tries: the first pause, and the longest."""
POLL_SECONDS = 0.2
RETRY_STATUSES = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}

NOT_STORED = "not_stored"
"""The container's error code for a store that it cannot write, which a retry does not fix."""

Post = Callable[[bytes], Any]
"""Sends a request's body and returns a `requests.Response`; raises the errors of requests."""


class EndpointError(ServiceError):
    """The endpoint is unreachable, refused the request or failed."""


class _RetryLater(Exception):
    """A temporary failure: retry for `limit` seconds, the next time after `pause` if it is set."""

    def __init__(self, message: str, limit: float, pause: float | None = None) -> None:
        super().__init__(message)
        self.limit, self.pause = limit, pause


class Endpoint:
    """An endpoint, "projects/P/locations/L/endpoints/E", or the URL of a container."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._post: Post | None = None

    def render(
        self,
        spec: WalkSpec,
        *,
        walk_id: str,
        cache: FrameCache,
        storage: Storage,
        outbox: Outbox | None = None,
        entry: Mapping[str, Any] | None = None,
        on_progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
        still_mine: Callable[[], bool] = lambda: True,
    ) -> StoredFilm:
        """Render a walk at the endpoint, and encode and store its film here, as `render.render`.

        The stops are rendered first, so that progress can show them. Raises EndpointError,
        BadInput, Cancelled or StorageError.
        """
        total = len(spec.places())
        on_progress(Progress("frames", (), total))
        stops_only = spec.model_copy(update={"frames": 2})
        crops = _crop_pictures(spec, cache)
        stops = self.render_frames(stops_only, f"{walk_id}-stops", cancelled, crops)
        ready = _cache_frames(cache, spec, stops, spec.frames - 1)
        on_progress(Progress("frames", ready, total))
        rendered = _add_work(self.render_frames(spec, walk_id, cancelled, crops), stops)
        ready = _cache_frames(cache, spec, rendered)
        film = make_film(
            spec,
            rendered,
            walk_id=walk_id,
            storage=storage,
            outbox=outbox,
            entry=entry,
            on_stage=lambda stage: on_progress(Progress(stage, ready, total)),
            still_mine=still_mine,
            pictures={digest: cache.get_file(digest) or b"" for digest in spec.pictures},
        )
        cache.trim()
        return film

    def check_reach(self) -> None:
        """Raise EndpointError if a container does not answer; nothing is asked of Vertex AI."""
        if VERTEX.fullmatch(self.address):
            return
        import requests

        try:
            requests.head(self.address, timeout=CONNECT_TIMEOUT)
        except requests.RequestException as error:
            raise EndpointError(f"The endpoint {self.address} is out of reach.") from error

    def render_frames(
        self,
        spec: WalkSpec,
        walk_id: str,
        cancelled: Callable[[], bool],
        crops: Mapping[int, bytes] = MappingProxyType({}),
    ) -> RenderedFrames:
        """Request a walk's frames and statistics from the endpoint.

        `crops` are its pictures by the index of their stop, as the film shows them, as PNG.

        Raises EndpointError, BadInput, Cancelled, or StorageError if the frames are in a store
        that this machine cannot read.
        """
        _check_address(self.address)
        walk = spec.model_dump(mode="json") | {"walk_id": walk_id, "film": False}
        for number, crop in crops.items():
            walk["stops"][number]["image"] = {"data": base64.b64encode(crop).decode()}
        body = json.dumps({"instances": [walk]}).encode()
        stop_retrying = threading.Event()
        response = run_in_thread(lambda: self._request(body, stop_retrying))
        while not wait([response], timeout=POLL_SECONDS).done:
            if cancelled():
                stop_retrying.set()
                raise Cancelled("The walk was cancelled.")
        return self._parse_response(response.result(), spec, walk_id)

    def _request(self, body: bytes, stop_retrying: threading.Event) -> bytes:
        """Send a request with retries; returns the response's body."""
        waited, backoff = 0.0, Backoff(*RETRY_PAUSES)
        while True:
            try:
                return self._send(body)
            except _RetryLater as failure:
                pause = backoff.next_pause() if failure.pause is None else failure.pause
                if waited >= failure.limit or stop_retrying.wait(pause):
                    raise EndpointError(f"{failure} Please try again later.") from failure
            waited += pause

    def _send(self, body: bytes) -> bytes:
        """Send one request; returns the response's body."""
        from google.api_core.exceptions import GoogleAPICallError
        from google.auth.exceptions import GoogleAuthError, TransportError
        from requests.exceptions import ChunkedEncodingError, RequestException, Timeout
        from requests.exceptions import ConnectionError as NoConnection

        try:
            if self._post is None:
                self._post = _make_sender(self.address)
            response = self._post(body)
        except Timeout as error:
            raise _RetryLater(
                f"The endpoint did not answer in time ({self.address}).", OUTAGE_LIMIT
            ) from error
        except (NoConnection, ChunkedEncodingError, TransportError) as error:
            raise _RetryLater(
                f"The endpoint cannot be reached ({self.address}).", OUTAGE_LIMIT
            ) from error
        except GoogleAuthError as error:
            raise EndpointError(
                "Google Cloud asks who is there before it lets a walk be painted. "
                "Please run: gcloud auth application-default login"
            ) from error
        except (GoogleAPICallError, RequestException) as error:
            reason = getattr(error, "message", "") or type(error).__name__
            raise EndpointError(
                f"The endpoint {self.address} could not be asked: {reason}. "
                "Please check MOMALISA_ENDPOINT and your rights on it."
            ) from error
        return _check_response(response)

    def _parse_response(self, body: bytes, spec: WalkSpec, walk_id: str) -> RenderedFrames:
        """Parse the frames and statistics in a response's body."""
        try:
            (prediction,) = json.loads(body)["predictions"]
            if prediction["digest"] != _as_answered(spec, prediction).digest():
                raise ValueError("another walk")
            frames = _load_frames(prediction, walk_id)
            if len(frames) != len(spec.places()):
                raise ValueError("another number of frames")
            return from_stats(prediction["made"], frames)
        except (ValueError, KeyError, TypeError) as error:
            raise EndpointError(
                f"The endpoint's answer cannot be used ({error}). "
                "Perhaps it runs another version of MOMA Lisa."
            ) from error


def _crop_pictures(spec: WalkSpec, cache: FrameCache) -> dict[int, bytes]:
    """The pictures of a walk's stops by index, as the film shows them, as PNG: no more is sent."""
    return {
        number: encode_png(
            crop_picture(cache.get_file(stop.image.digest), stop.image, (spec.width, spec.height))
        )
        for number, stop in enumerate(spec.stops)
        if stop.image is not None
    }


def _as_answered(spec: WalkSpec, prediction: Mapping[str, Any]) -> WalkSpec:
    """The walk with the digests that the endpoint gave to the crops that it was sent."""
    if not spec.pictures:
        return spec
    answered = prediction["spec"]
    stops = [
        stop.model_copy(update={"image": StopImage(digest=told["image"]["digest"])})
        if stop.image
        else stop
        for stop, told in zip(spec.stops, answered["stops"], strict=True)
    ]
    return spec.model_copy(update={"stops": tuple(stops)})


def _load_frames(prediction: Mapping[str, Any], walk_id: str) -> list[Frame]:
    """Decode the frames of a prediction, or read them from the store and delete them there."""
    if "pictures" in prediction:
        return [decode_png(base64.b64decode(picture)) for picture in prediction["pictures"]]
    store = open_storage(prediction["store"])
    keys = [file["key"] for file in prediction["frames"]]
    if not all(str(key).startswith(f"{FRAMES_FOLDER}/{walk_id}/") for key in keys):
        raise ValueError("frames of another walk")
    frames = [decode_png(store.get(key)) for key in keys]
    with suppress(StorageError):  # without permission to delete, a lifecycle rule removes them
        for key in keys:
            store.delete(key)
    return frames


def _check_address(address: str) -> None:
    """Raise NotHere if the address is neither an endpoint's name nor a URL."""
    if not VERTEX.fullmatch(address) and not URL.fullmatch(address):
        raise NotHere(
            f"“{address}” is no endpoint. As MOMALISA_ENDPOINT please write "
            "projects/PROJECT/locations/REGION/endpoints/ID, or a container's address such as "
            "http://host:8080/predict."
        )


def _cache_frames(
    cache: FrameCache, spec: WalkSpec, rendered: RenderedFrames, stride: int = 1
) -> tuple[tuple[int, str], ...]:
    """Cache every `stride`th frame of a walk for the filmstrip; returns (place, key) of each.

    No other walk shares the keys, because only the endpoint knows which shortcuts it used.
    """
    walk, ready = f"{spec.digest()} {rendered.stats.model_digest}", []
    for number, frame in enumerate(rendered.frames):
        place = number * stride
        key = hashlib.sha256(f"{walk} {place}".encode()).hexdigest()
        cache.put(key, frame)
        ready.append((place, key))
    return tuple(ready)


def _add_work(rendered: RenderedFrames, stops: RenderedFrames) -> RenderedFrames:
    """Add the work for the stops to a walk's statistics; the endpoint took them from its cache."""
    before, after = stops.stats, rendered.stats
    work = {
        "seconds": before.seconds + after.seconds,
        "frames_computed": before.frames_computed + after.frames_computed,
        "unet_samples": before.unet_samples + after.unet_samples,
    }
    return RenderedFrames(rendered.frames, after.model_copy(update=work))


def _make_sender(address: str) -> Post:
    """Make a function that sends request bodies to an address. Raises Google's client errors."""
    headers = {"Content-Type": "application/json"}
    if not VERTEX.fullmatch(address):
        import requests

        if token := settings().endpoint_token:
            headers["Authorization"] = f"Bearer {token}"
        session = requests.Session()
        return lambda body: session.post(
            address, data=body, headers=headers, timeout=(CONNECT_TIMEOUT, RESPONSE_TIMEOUT)
        )
    try:
        from google.cloud import aiplatform  # type: ignore[import-untyped]
    except ImportError as error:
        raise EndpointError(
            "A Vertex AI endpoint needs Google's client. "
            "Please run: pip install -r momalisa/cloud/requirements.txt"
        ) from error
    endpoint = aiplatform.Endpoint(address)
    return lambda body: endpoint.raw_predict(body, headers, timeout=RESPONSE_TIMEOUT)


def _check_response(response: Any) -> bytes:
    """Return the body of a successful response; otherwise raise the error that fits its status."""
    status = response.status_code
    if status == HTTPStatus.OK:
        return bytes(response.content)
    message = _error_field(response, "message")
    if status in RETRY_STATUSES and _error_field(response, "code") != NOT_STORED:
        raise _RetryLater(f"The endpoint is busy: {message}", BUSY_LIMIT, _retry_after(response))
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
        raise BadInput(f"The endpoint cannot paint this: {message}")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise EndpointError(f"The endpoint does not let this machine in: {message}")
    raise EndpointError(f"The endpoint could not paint this (status {status}): {message}")


def _error_field(response: Any, name: str) -> str:
    """A field of the error that the container or Vertex AI returned, such as its message."""
    try:
        return str(response.json()["error"][name])[:500]
    except (ValueError, KeyError, TypeError):
        return "it does not say why."


def _retry_after(response: Any) -> float | None:
    """The seconds in the Retry-After header, if it is set, at most 60."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), 60.0) if text.isdecimal() else None
