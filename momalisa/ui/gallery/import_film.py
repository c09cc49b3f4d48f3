"""Import of a film's settings: a file dropped on the Gallery loads them into Create's form.

The browser sends the file to `handle_upload`, which responds with the settings in it or an error
message. A file is kept on disk while it is read, by a process with limits of its own.
"""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from anyio import CapacityLimiter, fail_after, open_file, to_thread
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from momalisa.errors import BadInput
from momalisa.film import embedded_spec, embedded_text
from momalisa.ui import draft, film_detail, sign_in
from momalisa.ui.components.drop import file_drop
from momalisa.ui.http.permission import permit
from momalisa.ui.policy import Action

PATH = "/pictures/settings"
LIMITER = CapacityLimiter(2)
"""The received files that are read at a time, each in a process."""
UPLOADS, UPLOADS_EACH = 16, 4
"""Uploads that may be under way at a time: in all, and from one address."""
UPLOAD_SECONDS, IDLE_SECONDS = 120.0, 10.0
"""How long an upload may take, and how long no byte of it may come."""
_UNDER_WAY: Counter[str] = Counter()
"""Uploads under way by address."""


def show_import() -> None:
    """Show the field that takes a film's file, if the visitor may; open Create once it was read."""
    if not sign_in.may(Action.MAKE):
        return
    settings = file_drop(PATH, key="drop")
    if settings is not None:
        spec = embedded_spec.read_spec(settings.encode(), embedded_text.RECORD)
        draft.load_spec(spec.model_dump(mode="json"))
        film_detail.open_create_form()


async def handle_upload(request: Request) -> Response:
    """Respond with the settings in the uploaded file as JSON, or with a message.

    Status 408 for an upload that is too slow, 422 for a file that is not read, and 429 while too
    many uploads are under way.
    """
    address = request.client.host if request.client else ""
    if _UNDER_WAY.total() >= UPLOADS or _UNDER_WAY[address] >= UPLOADS_EACH:
        return PlainTextResponse(
            "Many films are being read just now. Please try again in a minute.", 429
        )
    _UNDER_WAY[address] += 1
    try:
        with TemporaryDirectory(prefix="momalisa-") as folder:
            return await _read_upload(request, Path(folder) / "film")
    except TimeoutError:
        return PlainTextResponse("The file came too slowly. Please try again.", 408)
    finally:
        _UNDER_WAY[address] -= 1


async def _read_upload(request: Request, path: Path) -> Response:
    """Receive the file under a deadline, then wait for one of the few slots to read it."""
    with fail_after(UPLOAD_SECONDS):
        await _receive(request, path)
    name = request.query_params.get("name", "")
    try:
        spec = await to_thread.run_sync(
            embedded_spec.read_spec_from_file, path, name, limiter=LIMITER
        )
    except BadInput as problem:
        return PlainTextResponse(str(problem), 422)
    return Response(spec.model_dump_json(), media_type="application/json")


async def _receive(request: Request, path: Path) -> None:
    """Write the body to a file; stop once it is larger than the limit, which the reader reports.

    Raises TimeoutError after IDLE_SECONDS without a byte.
    """
    parts = aiter(request.stream())
    size = 0
    async with await open_file(path, "wb") as file:
        while size <= embedded_text.FILE_LIMIT:
            with fail_after(IDLE_SECONDS):
                part = await anext(parts, None)
            if part is None:
                return
            size += len(part)
            await file.write(part)


ROUTE = Route(PATH, permit(Action.MAKE, handle_upload), methods=["POST"])
