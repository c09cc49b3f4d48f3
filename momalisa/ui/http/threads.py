"""Threads for calls that may hang: reads of disks, of the bucket and of the history.

A hung mount never gives a thread back, and cannot be interrupted. So each kind of call has a few
threads of its own: where they hang, only what needs the same disk waits, and it is answered after
a deadline.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import IO, Any, TypeVar

from anyio import fail_after
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from momalisa.errors import StorageError
from momalisa.ui.http.ranges import choose_part

log = logging.getLogger(__name__)
Endpoint = Callable[[Request], Awaitable[Response]]
Result = TypeVar("Result")

DISK_SECONDS = 10.0
"""The deadline for a read of a disk or of the history."""
CHUNK = 1 << 18
"""Bytes of a file that are read at a time."""


AWAY = "The storage is out of reach just now."
MOST_WAITING = 256
"""Calls that may wait for a thread of one kind; more are refused at once."""


class TooSlow(StorageError):
    """A call did not end before its deadline, or too many wait already."""


class Threads:
    """Runs blocking calls in at most `size` threads, each call with a deadline.

    The threads are daemons, so that the server can end while they hang. They start when they are
    needed.
    """

    def __init__(self, name: str, size: int, seconds: float = DISK_SECONDS) -> None:
        self.name, self.size, self.seconds = name, size, seconds
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        self._started = 0
        self._lock = Lock()

    async def run(
        self,
        call: Callable[..., Result],
        *args: Any,
        seconds: float | None = None,
        discard: Callable[[Result], object] | None = None,
    ) -> Result:
        """Run a call and return its result.

        Raises TooSlow after the deadline, waiting included, and where MOST_WAITING calls wait.
        A call that still waits for a thread is then forgotten; one that runs goes on, and
        `discard` takes its result.
        """
        future = self.submit(call, *args)
        try:
            with fail_after(self.seconds if seconds is None else seconds):
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            if future.done() and not future.cancelled():
                return future.result()  # it has just ended, or this error is its own
            if discard is not None:
                future.add_done_callback(partial(_pass_result, discard))
            raise TooSlow("This takes too long just now. Please try again in a while.") from error

    def submit(self, call: Callable[..., Result], *args: Any) -> Future[Result]:
        """Run a call without waiting for it. Raises TooSlow where MOST_WAITING calls wait."""
        if self._calls.qsize() >= MOST_WAITING:
            raise TooSlow("Much is being asked for just now. Please try again in a while.")
        future: Future[Result] = Future()
        self._calls.put((future, partial(call, *args)))
        with self._lock:
            if self._started < self.size:
                self._started += 1
                Thread(target=self._work, name=f"{self.name} {self._started}", daemon=True).start()
        return future

    def _work(self) -> None:
        while True:
            future, call = self._calls.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)


def _pass_result(take: Callable[[Result], object], future: Future[Result]) -> None:
    if not future.cancelled() and future.exception() is None:
        take(future.result())


def answer_in_time(endpoint: Endpoint) -> Endpoint:
    """Wrap an endpoint: answer 503 where a disk or the history hangs."""

    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except TooSlow as slow:
            log.info("%s: no answer in time", request.url.path)
            return PlainTextResponse(str(slow), 503, {"Cache-Control": "no-store"})

    return answered


class Outage:
    """Whether a storage is away: then one request at a time tries it, others are refused at once.

    Each would be answered too late, and those of a page's posters hold all the connections that a
    browser opens: it would wait for its scripts meanwhile.
    """

    def __init__(self) -> None:
        self._is_away, self._tries = False, 0

    async def respond(self, answer: Callable[[], Awaitable[Response]]) -> Response:
        """Respond with `answer`, which has status 503 or raises TooSlow where it fails."""
        if self._is_away and self._tries:
            return PlainTextResponse(AWAY, 503)
        self._tries += 1
        try:
            response = await answer()
            self._is_away = response.status_code == 503
            return response
        except TooSlow:
            self._is_away = True
            raise
        finally:
            self._tries -= 1


class OpenFileResponse(Response):
    """Sends an open file or one range of its bytes; these threads read and close it.

    Starlette's FileResponse reads in threads that Streamlit's own files share.
    """

    def __init__(
        self, threads: Threads, file: IO[bytes], size: int, headers: Mapping[str, str], kind: str
    ) -> None:
        super().__init__(headers={**headers, "Content-Length": str(size)}, media_type=kind)
        self._threads, self._file, self._size = threads, file, size

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the headers, then chunk by chunk. Raises TooSlow, which closes the connection."""
        request, etag = Headers(scope=scope), self.headers.get("etag", "")
        status, part, headers = choose_part(request, self._size, etag)
        self.headers.update({**headers, "Content-Length": str(len(part))})
        start = {"type": "http.response.start", "status": status, "headers": self.raw_headers}
        try:
            await send(start)
            if scope["method"] != "HEAD":
                await self._send_part(part, send)
            await send({"type": "http.response.body", "body": b""})
        finally:
            self._close()

    def _close(self) -> None:
        try:
            self._threads.submit(self._file.close)
        except TooSlow:  # a file left open would be worse than a short wait
            self._file.close()

    async def _send_part(self, part: range, send: Send) -> None:
        if part and part.start:
            await self._threads.run(self._file.seek, part.start)
        left = len(part)
        while left and (data := await self._threads.run(self._file.read, min(CHUNK, left))):
            left -= len(data)
            await send({"type": "http.response.body", "body": data, "more_body": True})


HISTORY = Threads("history", 8)
"""For the questions of routes to the history."""
