"""HTTP route for the picture at any place of a walk: the request is queued for a worker.

The answer redirects to the frame in the cache, or is an error message. The wait ends early if the
visitor requests another place or disconnects.
"""

from urllib.parse import urlencode

import anyio
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from db import stills
from db.models import State
from db.queue_limits import QueueFull
from db.stills import StillLimits
from momalisa.errors import MomaLisaError
from momalisa.models.registry import find_for_visitor
from momalisa.settings import settings
from momalisa.spec import WalkSpec
from momalisa.ui import history, sign_in
from momalisa.ui.http import media
from momalisa.ui.http.addresses import Waiting, address_of
from momalisa.ui.http.permission import permit
from momalisa.ui.http.threads import HISTORY, answer_in_time
from momalisa.ui.http.worker_state import STARTING, explain_silence
from momalisa.ui.policy import Action
from momalisa.walk_cost import WalkTooLarge, check_still_cost
from momalisa.worker.live_socket import wake_workers

TIMEOUT = 30.0
"""Seconds to wait for a picture."""
POLL_SECONDS = 0.1
POLLS_TO_ASK = 20
"""Polls from one `stills.ask_again` to the next: two seconds of the ten until a still expires."""
LOOKS_TO_START = 5
"""So often a worker that is being started is waited for."""
WAITING_EACH = 16
"""Pictures that browsers at one address may wait for at a time."""
QUEUED_EACH = 4
"""Pictures of one account or address that may be queued at a time."""
LOCAL_SHARE = 0.5
"""The share of the queue for all visitors whose address is unknown."""
PATH = "/pictures/still"
FROM_ELSEWHERE = "Pictures are painted for this app alone."
NO_PLACE = "There is no such place."
VISITOR_ID_LENGTH = 64
"""The most characters of a visitor's id; longer ones are cut."""
_WAITING = Waiting()
"""Requests that wait for a picture, by address."""


def still_url(spec: WalkSpec, visitor_id: str) -> str:
    """The URL of a walk's pictures, to be completed with `&leg=` and `&t=`."""
    params = {"looker": visitor_id, "spec": spec.model_dump_json(exclude_defaults=True)}
    return f"{PATH}?{urlencode(params)}"


async def serve_still(request: Request) -> Response:
    """Answer with the picture at `leg` and `t` of the walk `spec`, once a worker has painted it.

    403 for requests from other sites, 404 for invalid places, 422 for a picture that is too much
    work, 503 after TIMEOUT, or once no worker is there that could paint it.
    """
    # Another site, opened by a curator, must not be able to keep the worker busy.
    if request.headers.get("sec-fetch-site") == "cross-site":
        return PlainTextResponse(FROM_ELSEWHERE, status_code=403)
    address = address_of(request)
    if _WAITING[address] >= WAITING_EACH:
        return _unavailable("Many pictures are being asked for just now. Please try again soon.")
    try:
        with _WAITING.one_more(address):
            return await _wait_for_still(request)
    except QueueFull as full:
        return _unavailable(str(full))
    except WalkTooLarge as problem:
        return PlainTextResponse(str(problem), status_code=422)


async def _wait_for_still(request: Request) -> Response:
    """Enqueue the picture and wait for it. Raises QueueFull and WalkTooLarge."""
    still_id = await HISTORY.run(_enqueue_still, request)
    if still_id is None:
        return PlainTextResponse(NO_PLACE, status_code=404)
    for number in range(round(TIMEOUT / POLL_SECONDS)):
        response = await HISTORY.run(_poll, still_id, number % POLLS_TO_ASK == 0)
        looks = number // POLLS_TO_ASK
        if response is None and looks and number % POLLS_TO_ASK == 0:
            response = await HISTORY.run(_explain_silence, looks)
        if response is not None:
            return response
        if await request.is_disconnected():
            break
        await anyio.sleep(POLL_SECONDS)
    return _unavailable("The worker has much to do just now. Please try again in a while.")


def _enqueue_still(request: Request) -> str | None:
    """Enqueue the picture and return its id; None for an invalid spec or place.

    Raises QueueFull if too many are waited for, WalkTooLarge if it is too much work.
    """
    params = request.query_params
    try:
        spec = WalkSpec.model_validate_json(params["spec"])
        find_for_visitor(spec.model)
        leg, t = int(params["leg"]), float(params["t"])
    except (KeyError, ValueError, MomaLisaError):
        return None
    if not 0 <= leg < len(spec.legs) or not 0.0 <= t <= 1.0:
        return None
    check_still_cost(spec)
    total = settings().stills
    with history.writing() as session:
        still_id = stills.request(
            session=session,
            spec=spec.model_dump(mode="json"),
            leg=leg,
            t=round(t, 2),
            maker=maker_of(request),
            limits=StillLimits(QUEUED_EACH, round(total * LOCAL_SHARE), total),
        )
    wake_workers(settings())
    return still_id


def maker_of(request: Request) -> str:
    """Who asks, by account or address: the name in the URL is the browser's own, and may be any."""
    name = request.query_params.get("looker", "")[:VISITOR_ID_LENGTH]
    return stills.maker_key(sign_in.visitor_of(request).maker or address_of(request), name)


def _poll(still_id: str, again: bool) -> Response | None:
    """A redirect to the finished picture, or an error response; None while it is pending.

    With `again`, the picture is kept from expiring.
    """
    if again:
        with history.writing() as session:
            stills.ask_again(session=session, still_id=still_id)
    with history.reading() as session:
        still = stills.get(session=session, still_id=still_id)
    if still is None:
        return _unavailable("Another place was asked for since.")
    if still.state is State.FAILED:
        return _unavailable(still.error)
    if still.state is not State.DONE:
        return None
    return RedirectResponse(media.frame_url(still.key), headers={"Cache-Control": "no-store"})


def _explain_silence(looks: int) -> Response | None:
    """Say why no picture can come; None while it may, as from a worker that is being started."""
    reason = explain_silence()
    may_come = not reason or (reason == STARTING and looks < LOOKS_TO_START)
    return None if may_come else _unavailable(reason)


def _unavailable(message: str) -> Response:
    return PlainTextResponse(message, status_code=503)


ROUTES = [Route(PATH, permit(Action.MAKE, answer_in_time(serve_still)))]
