"""Long calls that visitors wait for: equal ones share one, and unwanted ones stop.

At most so many requests wait at a time, in all and of one address.
"""

import time
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Event
from typing import Generic, TypeVar

import anyio

from momalisa.errors import Cancelled, MomaLisaError
from momalisa.ui.http.addresses import Waiting
from momalisa.ui.http.threads import Threads, TooSlow

Result = TypeVar("Result")
Taken = TypeVar("Taken")
POLL_SECONDS = 0.1


class TooMany(MomaLisaError):
    """More requests wait than may."""


@dataclass
class _Call(Generic[Result]):
    future: Future[Result]
    stop: Event
    waiting: int = 0


class SharedCalls(Generic[Result]):
    """Runs calls in these threads for requests of one event loop; `discard` takes each result.

    At most `total` requests wait, `each` of one address, half of all where no address is known.
    """

    def __init__(
        self, threads: Threads, *, total: int, each: int, discard: Callable[[Result], object]
    ) -> None:
        self._threads, self._discard = threads, discard
        self._disk = Threads(f"{threads.name}, taken", 4)
        """For results that are taken or discarded, which touches the disk."""
        self._total, self._each = total, each
        self._calls: dict[Hashable, _Call[Result]] = {}
        self._waiting = Waiting()

    async def run(
        self,
        key: Hashable,
        call: Callable[[Callable[[], bool]], Result],
        take: Callable[[Result], Taken],
        *,
        address: str,
        is_gone: Callable[[], Awaitable[bool]],
    ) -> Taken:
        """Run a call, or wait for an equal one, and return what `take` makes of its result.

        The call is given a function that says whether it should stop. The result is discarded when
        all who waited have taken it. Raises TooMany; TooSlow after the threads' deadline; Cancelled
        if the client is gone; what the call raises.
        """
        most = self._each if address else self._total // 2
        if self._waiting.total() >= self._total or self._waiting[address] >= most:
            raise TooMany("Many downloads are being made just now. Please try again in a minute.")
        if key not in self._calls:
            stop = Event()
            self._calls[key] = _Call(self._threads.submit(call, stop.is_set), stop)
        shared = self._calls[key]
        shared.waiting += 1
        try:
            with self._waiting.one_more(address):
                await _wait(shared.future, is_gone, self._threads.seconds)
                return await self._disk.run(take, shared.future.result())
        finally:
            shared.waiting -= 1
            if not shared.waiting:
                self._end(key, shared)

    def _end(self, key: Hashable, shared: _Call[Result]) -> None:
        """Stop a call if it runs, and discard its result now or later."""
        del self._calls[key]
        shared.stop.set()
        shared.future.cancel()

        def discard(future: Future[Result]) -> None:
            if not future.cancelled() and future.exception() is None:
                self._disk.submit(self._discard, future.result())

        shared.future.add_done_callback(discard)


async def _wait(
    future: Future[Result], is_gone: Callable[[], Awaitable[bool]], seconds: float
) -> None:
    """Wait for a call. Raises TooSlow, or Cancelled if the client is gone."""
    end = time.monotonic() + seconds
    while not future.done():
        if await is_gone():
            raise Cancelled("Nobody waits for this any more.")
        if time.monotonic() > end:
            raise TooSlow("This takes too long just now. Please try again in a while.")
        await anyio.sleep(POLL_SECONDS)
