"""The picture at any place of a walk, over HTTP: asked for here, painted by a worker.

The answer leads to the frame in the cache, or is a sentence. Who asks anew, or goes, is no longer
waited for.
"""

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from db import stills, walks
from db.models import State
from momalisa.ui import history, media
from momalisa.ui.orders import repeatable, spec_of

PATIENCE, PAUSE = 30.0, 0.1
"""Seconds to wait for a picture, and between two looks whether it is there."""


def address(walk_id: str, looker: str) -> str:
    """Where a visitor asks for a walk's pictures: leg and `t` follow."""
    return f"/pictures/still/{walk_id}/{looker}/"


async def still(request: Request) -> Response:
    """The picture of a walk at leg and `t`, once it is painted."""
    still_id = await run_in_threadpool(_ask, **request.path_params)
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


def _ask(walk_id: str, looker: str, leg: int, t: float) -> str | None:
    """The id of the still that answers this; None for a place that is on no walk."""
    with history.writing() as session:
        walk = walks.get(session=session, walk_id=walk_id)
        if walk is None or not repeatable(walk):
            return None
        spec = spec_of(walk)
        if leg >= len(spec.legs) or t > 1.0:
            return None
        question = spec.model_dump(mode="json")
        return stills.ask(session=session, spec=question, leg=leg, t=round(t, 2), maker=looker)


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


ROUTES = [Route("/pictures/still/{walk_id}/{looker}/{leg:int}/{t:float}", still)]
