"""Import of a film's settings: a file dropped on the Gallery loads them into Create's form.

The browser sends the file to `handle_upload`, which responds with the settings in it or an error
message. A file is kept on disk while it is read, by a process with limits of its own.

A slow upload keeps no other out: where too many uploads are under way, the slowest makes
room, and one of the few slots for reading is taken by a file that has arrived.
"""

import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from anyio import (
    CancelScope,
    CapacityLimiter,
    TemporaryDirectory,
    fail_after,
    open_file,
    to_thread,
)
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from momalisa.errors import BadInput
from momalisa.film import embedded_spec, embedded_text
from momalisa.ui import draft, film_detail, sign_in
from momalisa.ui.components.drop import file_drop
from momalisa.ui.http.addresses import address_of
from momalisa.ui.http.permission import permit
from momalisa.ui.policy import Action

PATH = "/pictures/settings"
LIMITER = CapacityLimiter(2)
"""The received files that are read at a time, each in a process."""
UPLOADS, UPLOADS_EACH = 16, 4
"""Uploads that may be under way, and as many that may be read or wait for it: in all, and from one
address."""
UPLOAD_SECONDS, IDLE_SECONDS = 120.0, 10.0
"""How long an upload may take, and how long no byte of it may come."""
LEAST_RATE, RATE_SECONDS = 16_000.0, 5.0
"""Bytes a second that an upload must have brought on average, after so many seconds."""
MANY = "Many films are being read just now. Please try again in a minute."


@dataclass(eq=False)
class _Upload:
    """An upload under way."""

    address: str
    scope: CancelScope = field(default_factory=CancelScope)
    began: float = field(default_factory=time.monotonic)
    size: int = 0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began

    @property
    def rate(self) -> float:
        """Bytes a second; the first second counts whole."""
        return self.size / max(self.seconds, 1.0)


_UNDER_WAY: list[_Upload] = []
_READ: Counter[str] = Counter()
"""Files that are read or wait for it, by address."""


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
    upload = _Upload(address_of(request))
    try:
        async with TemporaryDirectory(prefix="momalisa-") as folder:
            path = Path(folder) / "film"
            await _receive_in_time(request, path, upload)
            if upload.scope.cancel_called:
                return PlainTextResponse(MANY, 429)
            return await _read(path, request.query_params.get("name", ""), upload.address)
    except ClientDisconnect:
        return PlainTextResponse("The file came only in part. Please try again.", 400)
    except TimeoutError:
        return PlainTextResponse("The file came too slowly. Please try again.", 408)


async def _receive_in_time(request: Request, path: Path, upload: _Upload) -> None:
    """Receive the file under a deadline; end early if it must make room for another upload."""
    _make_room(upload.address)
    _UNDER_WAY.append(upload)
    try:
        with upload.scope, fail_after(UPLOAD_SECONDS):
            await _receive(request, path, upload)
    finally:
        _UNDER_WAY.remove(upload)


def _make_room(address: str) -> None:
    """End the slowest upload, the oldest of equals, where another of this address is too many."""
    under_way = [upload for upload in _UNDER_WAY if not upload.scope.cancel_called]
    of_address = [upload for upload in under_way if upload.address == address]
    if len(of_address) >= UPLOADS_EACH:
        under_way = of_address
    elif len(under_way) < UPLOADS:
        return
    min(under_way, key=lambda upload: (upload.rate, upload.began)).scope.cancel()


async def _receive(request: Request, path: Path, upload: _Upload) -> None:
    """Write the body to a file; stop once it is larger than the limit, which the reader reports.

    Raises TimeoutError after IDLE_SECONDS without a byte, and below LEAST_RATE.
    """
    parts = aiter(request.stream())
    async with await open_file(path, "wb") as file:
        while upload.size <= embedded_text.FILE_LIMIT:
            with fail_after(IDLE_SECONDS):
                part = await anext(parts, None)
            if part is None:
                return
            upload.size += len(part)
            if upload.seconds > RATE_SECONDS and upload.rate < LEAST_RATE:
                raise TimeoutError
            await file.write(part)


async def _read(path: Path, name: str, address: str) -> Response:
    """Wait for one of the few slots and read a received file."""
    if _READ.total() >= UPLOADS or _READ[address] >= UPLOADS_EACH:
        return PlainTextResponse(MANY, 429)
    _READ[address] += 1
    try:
        spec = await to_thread.run_sync(
            embedded_spec.read_spec_from_file, path, name, limiter=LIMITER
        )
    except BadInput as problem:
        return PlainTextResponse(str(problem), 422)
    finally:
        _READ[address] -= 1
    return Response(spec.model_dump_json(), media_type="application/json")


ROUTE = Route(PATH, permit(Action.MAKE, handle_upload), methods=["POST"])
