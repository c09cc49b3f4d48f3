"""Import of a film's settings: a file dropped on the Gallery loads them into Create's form.

The browser sends the file to `handle_upload`, which responds with the settings in it or an error
message. Files are not stored.
"""

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from momalisa.errors import BadInput
from momalisa.film import exports
from momalisa.ui import draft, film_detail
from momalisa.ui.components.drop import file_drop

PATH = "/pictures/settings"
LIMITER = CapacityLimiter(2)
"""The uploads that are read at a time, since each is held in memory."""


def show_import() -> None:
    """Show the field that takes a film's file, and open Create once one was read."""
    settings = file_drop(PATH, key="drop")
    if settings is not None:
        spec = exports.read_spec(settings.encode(), exports.RECORD)
        draft.load_spec(spec.model_dump(mode="json"))
        film_detail.open_create_form()


async def handle_upload(request: Request) -> Response:
    """Respond with the settings in the uploaded file as JSON, or with status 422 and a message."""
    async with LIMITER:
        data = await _read_body(request)
        name = request.query_params.get("name", "")
        try:
            spec = await to_thread.run_sync(exports.read_spec, data, name)
        except BadInput as problem:
            return PlainTextResponse(str(problem), 422)
    return Response(spec.model_dump_json(), media_type="application/json")


async def _read_body(request: Request) -> bytes:
    """Read the body; stop once it is larger than the limit, which the caller reports."""
    data = bytearray()
    async for part in request.stream():
        data += part
        if len(data) > exports.FILE_LIMIT:
            break
    return bytes(data)


ROUTE = Route(PATH, handle_upload, methods=["POST"])
