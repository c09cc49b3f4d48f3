"""HTTP route for pictures that are painted as a visitor drags or types, by asking the worker.

The history is left out, so that a picture takes hardly longer than its painting; only where no
worker of this machine answers it tells why. Then no picture is sent, and browsers ask
`ui.http.stills` instead.
That is no error, so that consoles of browsers, and logs of proxies, do not fill with it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlencode

from anyio import fail_after
from pydantic import ValidationError
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from momalisa.errors import MomaLisaError
from momalisa.models.registry import find_for_visitor
from momalisa.settings import settings
from momalisa.spec import Place, Stop, WalkSpec, explain
from momalisa.ui.http.addresses import Waiting, address_of
from momalisa.ui.http.permission import permit
from momalisa.ui.http.stills import FROM_ELSEWHERE, NO_PLACE, WAITING_EACH, maker_of
from momalisa.ui.http.threads import Threads, TooSlow, answer_in_time
from momalisa.ui.http.worker_state import is_any_alive, name_absence
from momalisa.ui.policy import Action
from momalisa.walk_cost import WalkTooLarge, check_still_cost
from momalisa.worker.live_socket import (
    ANSWER_SECONDS,
    LOADING,
    MOST_PLACES,
    AnswerHead,
    Question,
    is_on_walk,
    short_name,
    socket_folder,
)

PATH = "/pictures/live"
SECONDS = ANSWER_SECONDS + 1.0
"""The deadline for an answer; a worker that runs says by itself that it has none."""
OTHER_STOPS = Stop(prompt="a red square"), Stop(prompt="a stormy sea")
"""The end of a walk of which the first stop alone is painted."""
WAITING_AHEAD = WAITING_EACH // 2
"""Requests that wait for a picture at which an address gets none ahead of a drag."""
LIVE = Threads("live", 4, seconds=SECONDS)
"""For what has to be read of the disk."""
ELSEWHERE = "No worker on this machine paints pictures at once."
NOT_KEPT = {"Cache-Control": "no-store"}
_WAITING = Waiting()
"""Requests that wait for a picture, by address."""


class NoPicture(MomaLisaError):
    """No worker of this machine paints at once; the message says why."""


class NoWorker(NoPicture):
    """No picture can be had until a worker is there: it wakes, hangs or does not run."""


class NoPrompt(MomaLisaError):
    """A prompt is not one yet, or too long; the message says so."""


def live_url(spec: WalkSpec, visitor_id: str) -> str:
    """The URL of a walk's pictures, to be completed with `&at=` or `&prompt=` and `&seed=`."""
    params = {"looker": visitor_id, "spec": spec.model_dump_json(exclude_defaults=True)}
    return f"{PATH}?{urlencode(params)}"


async def serve_live(request: Request) -> Response:
    """Answer with the pictures at places of the walk `spec`, one below the other, as a WebP.

    `at` lists the places, as in `0:0.25,1:0.5`; with `rough=1` they may be decoded roughly, and
    come as a JPEG. With `ahead=1` they are painted once there is nothing else to do, so that a drag
    along the leg finds them; with `explores=1` so that it finds the leg explored. With `prompt` and
    `seed` instead it is the picture of that stop. 204 if no worker paints it at once: `X-Reason`
    says why, with a header `X-Worker` if none will before it is there, and with `X-Prompt` if the
    prompt is none (it is still typed) or too long. 403 for requests from other sites, 404 for
    invalid places, 422 for a picture that is too much work.
    """
    if request.headers.get("sec-fetch-site") == "cross-site":
        return PlainTextResponse(FROM_ELSEWHERE, status_code=403)
    address = address_of(request)
    is_ahead = request.query_params.get("ahead") == "1"
    if _WAITING[address] >= (WAITING_AHEAD if is_ahead else WAITING_EACH):
        return _no_picture("Many pictures are being asked for just now.")
    try:
        with _WAITING.one_more(address):
            question, sockets = await LIVE.run(_read_question, request)
            pictures = await _ask(question.encode(), sockets)
            return Response(pictures, 200, NOT_KEPT, question.media_type)
    except TooSlow:
        raise
    except WalkTooLarge as problem:
        return PlainTextResponse(str(problem), status_code=422)
    except NoWorker as problem:
        return _no_picture(str(problem), {"X-Worker": "away"})
    except NoPicture as problem:
        return _no_picture(str(problem))
    except NoPrompt as problem:
        return _no_picture(str(problem), {"X-Prompt": "invalid"})
    except (KeyError, ValueError, MomaLisaError):
        return PlainTextResponse(NO_PLACE, status_code=404)


def _read_question(request: Request) -> tuple[Question, list[Path]]:
    """What is asked, and the sockets of the workers to ask.

    Raises KeyError, ValueError or MomaLisaError for an invalid spec or place, NoPrompt,
    WalkTooLarge.
    """
    params = request.query_params
    spec = WalkSpec.model_validate_json(params["spec"])
    at = params.get("at", "")
    if "prompt" in params:
        spec, at = _spec_of_stop(spec, params), "0:0"
    places = dict.fromkeys(_read_place(spec, text) for text in at.split(","))
    if len(places) > MOST_PLACES:
        raise ValueError("These are too many places.")
    find_for_visitor(spec.model)
    check_still_cost(spec)
    kinds = [params.get(name) == "1" for name in ("rough", "ahead", "explores")]
    question = Question(spec, tuple(places), maker_of(request), *kinds)
    return question, sorted(socket_folder(settings()).glob("*.sock"))


def _spec_of_stop(spec: WalkSpec, params: QueryParams) -> WalkSpec:
    """A walk with these settings that begins at the stop in the parameters. Raises NoPrompt."""
    loras = tuple(lora.model_copy(update={"weights": lora.weights[:1]}) for lora in spec.loras)
    try:
        stop = Stop.model_validate({"prompt": params["prompt"], "seed": params.get("seed", "")})
        text = stop.prompt.casefold()
        other = next((one for one in OTHER_STOPS if one.prompt not in text), OTHER_STOPS[0])
        changes = {"stops": (stop, other), "loop": "once", "loras": loras}
        return WalkSpec.model_validate(spec.model_dump() | changes)
    except ValidationError as error:
        raise NoPrompt(" ".join(explain(error).values())) from error


def _read_place(spec: WalkSpec, text: str) -> Place:
    """A place such as `0:0.25`. Raises ValueError where it is none of the walk."""
    leg, _, t = text.partition(":")
    place = Place(int(leg), float(t))
    if not is_on_walk(spec, place):
        raise ValueError("There is no such place.")
    return place


async def _ask(line: bytes, sockets: Sequence[Path]) -> bytes:
    """Ask one worker after the other; returns the pictures. Raises NoPicture, TooSlow."""
    problem = ""
    try:
        with fail_after(SECONDS):
            for path in sockets:
                try:
                    head, data = await _ask_worker(line, path)
                except (OSError, ValueError, EOFError):  # it ended, or is another version
                    continue
                if not head.error:
                    return data
                problem = head.error
    except TimeoutError:
        raise NoWorker("The worker does not answer just now.") from None
    if problem and problem != LOADING:
        raise NoPicture(problem)
    if not problem and await LIVE.run(is_any_alive):
        raise NoPicture(ELSEWHERE)
    raise NoWorker(problem or name_absence())


async def _ask_worker(line: bytes, path: Path) -> tuple[AnswerHead, bytes]:
    """Send a question and read its answer. Raises OSError, ValueError or EOFError."""
    with short_name(path) as name:
        reader, writer = await asyncio.open_unix_connection(name)
    try:
        writer.write(line)
        await writer.drain()
        head = AnswerHead.decode(await reader.readline())
        return head, await reader.readexactly(head.size)
    finally:
        writer.close()


def _no_picture(reason: str, headers: Mapping[str, str] = MappingProxyType({})) -> Response:
    return Response(None, 204, {**NOT_KEPT, **headers, "X-Reason": _ascii(reason)})


def _ascii(text: str) -> str:
    """The text as a header may have it: in one line, other letters as question marks."""
    return " ".join(text.encode("ascii", "replace").decode().split())


ROUTES = [Route(PATH, permit(Action.MAKE, answer_in_time(serve_live)))]
