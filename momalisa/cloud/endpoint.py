"""Walks painted elsewhere: the client of a Vertex AI endpoint, or of the container itself.

`Endpoint.render` stands where a worker has a model and a renderer: the pictures come over the
network, the film is made and stored here, so that it does not matter where a walk was painted.
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
from typing import Any

from momalisa.backoff import Backoff
from momalisa.cloud.background import run_in_thread
from momalisa.cloud.frame_transfer import FRAMES, from_figures, from_png
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.errors import BadInput, Cancelled, MomaLisaError, StorageError
from momalisa.render import Progress, RenderedFrames, StoredFilm, make_film
from momalisa.spec import WalkSpec
from momalisa.storage import Storage, open_storage
from momalisa.storage.outbox import Outbox

VERTEX = re.compile(r"projects/[\w-]+/locations/[\w-]+/endpoints/[\w-]+")
URL = re.compile(r"https?://[^/\s]+/\S*")
TO_CONNECT, TO_ANSWER = 10.0, 900.0
"""Seconds for one request. One that is asked again goes on from the frames that are painted."""
OUTAGE, QUEUE = 30.0, 900.0
"""Seconds to wait in all for an endpoint that is away, and for one that asks to come back later."""
PAUSES = (1.0, 30.0)
"""Seconds between two tries: the first pause, and the longest."""
LOOK = 0.2
LATER = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}

NOT_STORED = "not_stored"
"""The container's own code for a store that it cannot write: that is not over in a moment."""

Post = Callable[[bytes], Any]
"""Sends a request's body; gives a `requests.Response`, or raises what requests raises."""


class EndpointError(MomaLisaError):
    """The endpoint could not be reached, or would not or could not paint."""


class _Later(Exception):
    """No picture yet, but perhaps after a pause: `pause` seconds, if the endpoint said so."""

    def __init__(self, why: str, patience: float, pause: float | None = None) -> None:
        super().__init__(why)
        self.patience, self.pause = patience, pause


class Endpoint:
    """Where walks are painted: "projects/P/locations/L/endpoints/E", or a container's URL."""

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
    ) -> StoredFilm:
        """As `render.render`, but painted at the endpoint: the stops first, to be seen meanwhile.

        Raises EndpointError, BadInput, Cancelled or StorageError.
        """
        total = len(spec.places())
        on_progress(Progress("frames", (), total))
        stops = self.paint(spec.model_copy(update={"frames": 2}), f"{walk_id}-stops", cancelled)
        ready = _into(cache, spec, stops, spec.frames - 1)
        on_progress(Progress("frames", ready, total))
        painted = _summed(stops, self.paint(spec, walk_id, cancelled))
        ready = _into(cache, spec, painted)
        film = make_film(
            spec,
            painted,
            walk_id=walk_id,
            storage=storage,
            outbox=outbox,
            entry=entry,
            on_stage=lambda stage: on_progress(Progress(stage, ready, total)),
        )
        cache.trim()
        return film

    def paint(self, spec: WalkSpec, walk_id: str, cancelled: Callable[[], bool]) -> RenderedFrames:
        """A walk's frames and figures, from the endpoint.

        Raises EndpointError, BadInput, Cancelled, or StorageError when the frames are in a store
        that cannot be read from here.
        """
        _check(self.address)
        walk = spec.model_dump(mode="json") | {"walk_id": walk_id, "film": False}
        body = json.dumps({"instances": [walk]}).encode()
        given_up = threading.Event()
        asking = run_in_thread(lambda: self._ask(body, given_up))
        while not wait([asking], timeout=LOOK).done:
            if cancelled():
                given_up.set()
                raise Cancelled("The walk was cancelled.")
        return self._read(asking.result(), spec, walk_id)

    def _ask(self, body: bytes, given_up: threading.Event) -> bytes:
        """The answer's body, after as many tries as it takes."""
        waited, backoff = 0.0, Backoff(*PAUSES)
        while True:
            try:
                return self._once(body)
            except _Later as later:
                pause = backoff.next_pause() if later.pause is None else later.pause
                if waited >= later.patience or given_up.wait(pause):
                    raise EndpointError(f"{later} Please try again later.") from later
            waited += pause

    def _once(self, body: bytes) -> bytes:
        """The answer's body, from one request."""
        from google.api_core.exceptions import GoogleAPICallError
        from google.auth.exceptions import GoogleAuthError, TransportError
        from requests.exceptions import ChunkedEncodingError, RequestException, Timeout
        from requests.exceptions import ConnectionError as NoConnection

        try:
            if self._post is None:
                self._post = _post_to(self.address)
            response = self._post(body)
        except Timeout as error:
            raise _Later(
                f"The endpoint did not answer in time ({self.address}).", OUTAGE
            ) from error
        except (NoConnection, ChunkedEncodingError, TransportError) as error:
            raise _Later(f"The endpoint cannot be reached ({self.address}).", OUTAGE) from error
        except GoogleAuthError as error:
            raise EndpointError(
                "Google Cloud asks who is there before it lets a walk be painted. "
                "Please run: gcloud auth application-default login"
            ) from error
        except (GoogleAPICallError, RequestException) as error:
            why = getattr(error, "message", "") or type(error).__name__
            raise EndpointError(
                f"The endpoint {self.address} could not be asked: {why}. "
                "Please check MOMALISA_ENDPOINT and your rights on it."
            ) from error
        return _answer(response)

    def _read(self, answer: bytes, spec: WalkSpec, walk_id: str) -> RenderedFrames:
        """The painted walk of an answer."""
        try:
            (prediction,) = json.loads(answer)["predictions"]
            if prediction["digest"] != spec.digest():
                raise ValueError("another walk")
            frames = _frames(prediction, walk_id)
            if len(frames) != len(spec.places()):
                raise ValueError("another number of frames")
            return from_figures(prediction["made"], frames)
        except (ValueError, KeyError, TypeError) as error:
            raise EndpointError(
                f"The endpoint's answer cannot be used ({error}). "
                "Perhaps it runs another version of MOMA Lisa."
            ) from error


def _frames(prediction: Mapping[str, Any], walk_id: str) -> list[Frame]:
    """The frames of a prediction; those in a store are removed from there, having arrived."""
    if "pictures" in prediction:
        return [from_png(base64.b64decode(picture)) for picture in prediction["pictures"]]
    store = open_storage(prediction["store"])
    keys = [place["key"] for place in prediction["frames"]]
    if not all(str(key).startswith(f"{FRAMES}/{walk_id}/") for key in keys):
        raise ValueError("frames of another walk")
    frames = [from_png(store.get(key)) for key in keys]
    with suppress(StorageError):  # a machine that may only read leaves them to the bucket's rules
        for key in keys:
            store.delete(key)
    return frames


def _check(address: str) -> None:
    """Raise BadInput when the address is none; with each walk, as for a missing model."""
    if not VERTEX.fullmatch(address) and not URL.fullmatch(address):
        raise BadInput(
            f"“{address}” is no endpoint. As MOMALISA_ENDPOINT please write "
            "projects/PROJECT/locations/REGION/endpoints/ID, or a container's address such as "
            "http://host:8080/predict."
        )


def _into(
    cache: FrameCache, spec: WalkSpec, painted: RenderedFrames, stride: int = 1
) -> tuple[tuple[int, str], ...]:
    """Put frames into the cache, for the filmstrip: (number of the place, key) of each.

    They are every `stride`th of the walk's. The keys are of this walk alone: by which shortcuts a
    frame was made, only the endpoint knows.
    """
    made, ready = f"{spec.digest()} {painted.stats.model_digest}", []
    for number, frame in enumerate(painted.frames):
        place = number * stride
        key = hashlib.sha256(f"{made} {place}".encode()).hexdigest()
        cache.put(key, frame)
        ready.append((place, key))
    return tuple(ready)


def _summed(stops: RenderedFrames, painted: RenderedFrames) -> RenderedFrames:
    """A walk with the work that its stops took, which the endpoint had kept by then."""
    before, after = stops.stats, painted.stats
    work = {
        "seconds": before.seconds + after.seconds,
        "frames_computed": before.frames_computed + after.frames_computed,
        "unet_samples": before.unet_samples + after.unet_samples,
    }
    return RenderedFrames(painted.frames, after.model_copy(update=work))


def _post_to(address: str) -> Post:
    """What sends a request's body to an address. Raises what Google's clients raise."""
    headers = {"Content-Type": "application/json"}
    if not VERTEX.fullmatch(address):
        import requests

        session = requests.Session()
        return lambda body: session.post(
            address, data=body, headers=headers, timeout=(TO_CONNECT, TO_ANSWER)
        )
    try:
        from google.cloud import aiplatform  # type: ignore[import-untyped]
    except ImportError as error:
        raise EndpointError(
            "A Vertex AI endpoint needs Google's client. "
            "Please run: pip install -r momalisa/cloud/requirements.txt"
        ) from error
    endpoint = aiplatform.Endpoint(address)
    return lambda body: endpoint.raw_predict(body, headers, timeout=TO_ANSWER)


def _answer(response: Any) -> bytes:
    """The body of a good answer. Raises _Later or EndpointError with the endpoint's own words."""
    status = response.status_code
    if status == HTTPStatus.OK:
        return bytes(response.content)
    said = _said(response)
    if status in LATER and _said(response, "code") != NOT_STORED:
        raise _Later(f"The endpoint is busy: {said}", QUEUE, _seconds(response))
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE):
        raise BadInput(f"The endpoint cannot paint this: {said}")
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise EndpointError(f"The endpoint does not let this machine in: {said}")
    raise EndpointError(f"The endpoint could not paint this (status {status}): {said}")


def _said(response: Any, part: str = "message") -> str:
    """An error's sentence, as the container or Vertex AI gives it; or another part of it."""
    try:
        return str(response.json()["error"][part])[:500]
    except (ValueError, KeyError, TypeError):
        return "it does not say why."


def _seconds(response: Any) -> float | None:
    """How long the endpoint asks to wait, if it does; never more than a minute at once."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), 60.0) if text.isdecimal() else None
