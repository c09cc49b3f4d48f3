"""Middleware that takes messages from open pages only as fast as people make them.

Streamlit answers a message on the event loop before it looks at anything else, and most of them
run a page: thousands that come at once would stop the server for all others. Messages that are too
many wait, in order, in the client's connection. One that sends on and on is closed, for what it
has sent would come for hours after it has gone.
"""

import asyncio
import time
from asyncio import selector_events
from collections.abc import Callable
from typing import NamedTuple
from weakref import WeakValueDictionary

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from momalisa.ui.http.addresses import network_of
from momalisa.ui.http.page_messages import Verdict, judge


class Rate(NamedTuple):
    """So many messages are taken at once, and as many again in the seconds after."""

    messages: int
    seconds: float


OF_PAGE, OF_ADDRESS = Rate(60, 12.0), Rate(160, 4.0)
"""The rates of one open page and of all from one network address. A page asks by itself for one of
its parts, twice a second at most."""
RUN = 4
"""For how many messages of an address a run of a whole page counts: forty begin at once, then ten a
second, as two cores can run. Each is a thread, and the server stands still until it has begun."""
COUNTED_BYTES = 8 * 1024
"""A message counts once more for each of these bytes; what people do is rarely longer. So all pages
of an address send at most 1.3 MB at once, then 330 kB a second."""
MOST_LATE = 100
"""Messages of a page in a row that may have to wait, before its connection is closed."""
READ_BYTES = 4096
"""Bytes that are read from a connection at a time. All messages in them are parsed before any other
connection has its turn: in the 256 kB of asyncio are 24,000 small ones."""
UNSUPPORTED_DATA, ABNORMAL_CLOSURE, POLICY_VIOLATION = 1003, 1006, 1008
"""The close codes for a message that no page sends, a client that went without a word, and for far
too many messages."""


class Pace:
    """Says how long each message waits: a token bucket."""

    def __init__(self, rate: Rate, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._paid_until = clock() - rate.seconds
        """Until when all messages so far would have taken at the steady rate."""

    def take(self, cost: int = 1) -> float:
        """The seconds that this message has to wait; 0 while few have come lately."""
        now, (messages, seconds) = self._clock(), self._rate
        self._paid_until = max(self._paid_until, now - seconds) + cost * seconds / messages
        return max(0.0, self._paid_until - now)


def pace_messages(app: ASGIApp) -> ASGIApp:
    """Wrap an app: WebSockets' messages arrive at most at the rates above, if a page sends such."""
    addresses: WeakValueDictionary[str, Pace] = WeakValueDictionary()
    # The server offers no setting for it, and reads before any middleware is asked.
    selector_events._SelectorTransport.max_size = READ_BYTES  # type: ignore[attr-defined]

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await app(scope, receive, send)
            return
        address = addresses.setdefault(network_of(scope), Pace(OF_ADDRESS))
        gone = asyncio.Event()
        paced = _pacing(receive, gone, Pace(OF_PAGE), address)
        await app(scope, paced, _noting_the_end(send, gone))

    return middleware


def _noting_the_end(send: Send, gone: asyncio.Event) -> Send:
    """Wrap `send`: that a client is gone is noted, and no error. `receive` tells the app."""

    async def send_if_there(message: Message) -> None:
        try:
            await send(message)
        except OSError:
            gone.set()

    return send_if_there


def _pacing(receive: Receive, gone: asyncio.Event, page: Pace, address: Pace) -> Receive:
    """Wrap `receive`: wait before a message that comes too early for the page or its address.

    What a client sent that is `gone` meanwhile is dropped.
    """
    late = 0

    async def receive_in_time() -> Message:
        nonlocal late
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            data = message.get("bytes")
            verdict = judge(data)
            if verdict is Verdict.REFUSED:  # Streamlit takes it for a fault of its own
                return _disconnect(UNSUPPORTED_DATA)
            wait = page.take()
            late = late + 1 if wait else 0
            if late > MOST_LATE:
                return _disconnect(POLICY_VIOLATION)
            # If only for an instant, in which others have their turn. A page that waits for itself
            # takes nothing of its address's rate meanwhile.
            await asyncio.sleep(wait)
            cost = RUN if verdict is Verdict.RUN else 1
            await asyncio.sleep(address.take(cost + len(data or b"") // COUNTED_BYTES))
            if gone.is_set():
                return _disconnect(ABNORMAL_CLOSURE)
            if verdict is not Verdict.IGNORED:
                return message

    return receive_in_time


def _disconnect(code: int) -> Message:
    return {"type": "websocket.disconnect", "code": code}
