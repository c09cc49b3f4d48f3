"""A film that somebody drops on the page: its settings go to Create.

The browser sends the file to `read`, which answers with the settings in it or says why there are
none; a file is in memory no longer than that.
"""

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from momalisa.errors import BadInput
from momalisa.film import exports
from momalisa.ui import draft, film_detail
from momalisa.ui.components.drop import file_drop

ADDRESS = "/pictures/settings"
AT_ONCE = CapacityLimiter(2)
"""Files in memory at a time."""


def take_in() -> None:
    """A place to choose a file, on a page that takes films dropped anywhere on it."""
    settings = file_drop(ADDRESS, key="drop")
    if settings is not None:
        spec = exports.read_spec(settings.encode(), exports.RECORD)
        draft.load_spec(spec.model_dump(mode="json"))
        film_detail.open_create_form()


async def read(request: Request) -> Response:
    """The settings in a file that is sent here, as JSON; or a sentence."""
    async with AT_ONCE:
        data = await _body(request)
        name = request.query_params.get("name", "")
        try:
            spec = await to_thread.run_sync(exports.read_spec, data, name)
        except BadInput as problem:
            return PlainTextResponse(str(problem), 422)
    return Response(spec.model_dump_json(), media_type="application/json")


async def _body(request: Request) -> bytes:
    """The file, as far as it is read at all: one byte more than that is seen to be too large."""
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > exports.FILE_LIMIT:
            break
    return bytes(data)


ROUTE = Route(ADDRESS, read, methods=["POST"])
