"""Uploads: a file that a browser sends is kept on disk while it is read.

A slow upload keeps no other out: where too many uploads are under way, the slowest makes
room, and one of the few slots for reading is taken by a file that has arrived.
"""

import time
from collections.abc import Callable
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

from momalisa.errors import BadInput
from momalisa.ui.http.addresses import Waiting, address_of

LIMITER = CapacityLimiter(2)
"""The received files that are read at a time, each in a process."""
UPLOADS, UPLOADS_EACH = 16, 4
"""Uploads that may be under way, and as many that may be read or wait for it: in all, and from one
address."""
UPLOAD_SECONDS, IDLE_SECONDS = 120.0, 10.0
"""How long an upload may take, and how long no byte of it may come."""
LEAST_RATE, RATE_SECONDS = 16_000.0, 5.0
"""Bytes a second that an upload must have brought on average, after so many seconds."""
MANY = "Many files are being read just now. Please try again in a minute."


@dataclass(eq=False)
class _Upload:
    """An upload under way."""

    address: str
    most_bytes: int
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
_READ = Waiting()
"""Files that are read or wait for it, by address."""


async def receive(request: Request, most_bytes: int, read: Callable[[Path], Response]) -> Response:
    """Receive a file and respond with what `read` makes of it, in a thread, or with a message.

    `read` raises BadInput with the message, and does so for a file of more than `most_bytes`, of
    which only the beginning is there. Status 408 for an upload that is too slow, 422 for a file
    that is not read, and 429 while too many uploads are under way.
    """
    upload = _Upload(address_of(request), most_bytes)
    try:
        async with TemporaryDirectory(prefix="momalisa-") as folder:
            path = Path(folder) / "file"
            await _receive_in_time(request, path, upload)
            if upload.scope.cancel_called:
                return PlainTextResponse(MANY, 429)
            return await _read(path, read, upload.address)
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
        while upload.size <= upload.most_bytes:
            with fail_after(IDLE_SECONDS):
                part = await anext(parts, None)
            if part is None:
                return
            upload.size += len(part)
            if upload.seconds > RATE_SECONDS and upload.rate < LEAST_RATE:
                raise TimeoutError
            await file.write(part)


async def _read(path: Path, read: Callable[[Path], Response], address: str) -> Response:
    """Wait for one of the few slots and read a received file."""
    if _READ.total() >= UPLOADS or _READ[address] >= UPLOADS_EACH:
        return PlainTextResponse(MANY, 429)
    try:
        with _READ.one_more(address):
            return await to_thread.run_sync(read, path, limiter=LIMITER)
    except BadInput as problem:
        return PlainTextResponse(str(problem), 422)
