"""The picture at any place of a walk, over HTTP: asked for here, painted by a worker.

The answer leads to the frame in the cache, or is a sentence. Who asks anew, or goes, is no longer
waited for.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from db import stills
from db.models import State
from momalisa.errors import MomaLisaError
from momalisa.models.registry import find
from momalisa.spec import WalkSpec
from momalisa.ui import history
from momalisa.ui.http import media

PATIENCE, PAUSE = 30.0, 0.1
"""Seconds to wait for a picture, and between two looks whether it is there."""
PATH = "/pictures/still"
LOOKER = 64
"""The most characters of a visitor's name."""


def address(spec: WalkSpec, looker: str) -> str:
    """Where a visitor asks for a walk's pictures: `&leg=` and `&t=` follow."""
    question = {"looker": looker, "spec": spec.model_dump_json(exclude_defaults=True)}
    return f"{PATH}?{urlencode(question)}"


async def still(request: Request) -> Response:
    """The picture of a walk at leg and `t`, once it is painted."""
    # Whoever lures a curator to another site must not keep our worker busy from there.
    if request.headers.get("sec-fetch-site") == "cross-site":
        return PlainTextResponse("Pictures are painted for this app alone.", status_code=403)
    still_id = await run_in_threadpool(_ask, request.query_params)
    if still_id is None:
        return PlainTextResponse("There is no such place.", status_code=404)
    for _ in range(round(PATIENCE / PAUSE)):
        answer = await run_in_threadpool(_answer, still_id)
        if answer is not None:
            return answer
        if await request.is_disconnected():
            break
        await anyio.sleep(PAUSE)
    return _sorry("The worker has much to do just now. Please try again in a while.")


def _ask(question: Mapping[str, str]) -> str | None:
    """The id of the still that answers this; None for a place that is on no walk."""
    try:
        spec = WalkSpec.model_validate_json(question["spec"])
        find(spec.model)
        leg, t = int(question["leg"]), float(question["t"])
    except (KeyError, ValueError, MomaLisaError):
        return None
    if not 0 <= leg < len(spec.legs) or not 0.0 <= t <= 1.0:
        return None
    whole, looker = spec.model_dump(mode="json"), question.get("looker", "")[:LOOKER]
    with history.writing() as session:
        return stills.ask(session=session, spec=whole, leg=leg, t=round(t, 2), maker=looker)


def _answer(still_id: str) -> Response | None:
    """Where the picture is, or why there is none; None while nobody knows."""
    with history.reading() as session:
        found = stills.get(session=session, still_id=still_id)
    if found is None:
        return _sorry("Another place was asked for since.")
    if found.state is State.FAILED:
        return _sorry(found.error)
    if found.state is not State.DONE:
        return None
    return RedirectResponse(media.frame_url(found.key), headers={"Cache-Control": "no-store"})


def _sorry(sentence: str) -> Response:
    return PlainTextResponse(sentence, status_code=503)


ROUTES = [Route(PATH, still)]
