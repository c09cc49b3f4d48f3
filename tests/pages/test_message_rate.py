"""How fast messages of open pages are taken."""

import asyncio
import math
import time
from collections import Counter, deque
from contextlib import suppress
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.proto.BackMsg_pb2 import BackMsg
from uvicorn.protocols.utils import ClientDisconnected

from momalisa.ui.http import message_rate
from momalisa.ui.http.message_rate import OF_PAGE, Pace, Rate


def test_few_messages_do_not_wait_and_many_come_at_a_steady_rate() -> None:
    now = [100.0]
    pace = Pace(Rate(messages=60, seconds=6.0), clock=lambda: now[0])
    waits = [pace.take() for _ in range(70)]
    assert not any(waits[:60])
    assert [round(wait, 6) for wait in waits[60:]] == [round(n * 0.1, 6) for n in range(1, 11)]
    now[0] += 12.0
    assert [pace.take() for _ in range(60)] == [0.0] * 60


def _rerun(query: str = "", number: float = 1.0) -> bytes:
    """A page's message: it is to run with this query and this number in a field."""
    message = BackMsg()
    message.rerun_script.query_string = query
    state = message.rerun_script.widget_states.widgets.add()
    state.id, state.double_value = "a field", number
    return bytes(message.SerializeToString())


def _messages_seen(*sent: Message) -> list[Message]:
    """What an app behind the middleware receives until it is disconnected."""
    seen: list[Message] = []
    waiting = deque(sent)

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        while not seen or seen[-1]["type"] != "websocket.disconnect":
            seen.append(await receive())

    async def receive() -> Message:
        return waiting.popleft()

    async def send(_message: Message) -> None:
        pass

    scope: Any = {"type": "websocket", "client": ("192.0.2.1", 1)}
    asyncio.run(message_rate.pace_messages(app)(scope, receive, send))  # type: ignore[arg-type]
    return seen


END: Message = {"type": "websocket.disconnect", "code": 1000}


def test_messages_keep_their_order() -> None:
    sent = [{"type": "websocket.receive", "bytes": _rerun(f"a={number}")} for number in range(9)]
    assert _messages_seen({"type": "websocket.connect"}, *sent, END)[1:] == [*sent, END]


def test_text_which_no_page_sends_ends_the_connection() -> None:
    seen = _messages_seen({"type": "websocket.receive", "text": "hello", "bytes": None})
    assert seen == [{"type": "websocket.disconnect", "code": message_rate.UNSUPPORTED_DATA}]


@pytest.mark.parametrize(
    "data",
    [b"", b"noise", _rerun(number=math.nan), _rerun(number=math.inf), _rerun(number=-math.inf)],
)
def test_what_no_page_sends_ends_the_connection(data: bytes) -> None:
    seen = _messages_seen({"type": "websocket.receive", "bytes": data})
    assert seen == [{"type": "websocket.disconnect", "code": message_rate.UNSUPPORTED_DATA}]


def test_a_page_that_sends_on_and_on_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pace, "take", lambda _pace, _cost=1: 0.001)
    flood: list[Message] = [{"type": "websocket.receive", "bytes": _rerun()}] * 1000
    seen = _messages_seen(*flood)
    assert len(seen) == message_rate.MOST_LATE + 1
    assert seen[-1] == {"type": "websocket.disconnect", "code": message_rate.POLICY_VIOLATION}


def test_a_long_message_counts_as_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred pages of four addresses filled 1 GB with messages of 0.9 MB in a few seconds."""
    costs: list[int] = []

    def take(_pace: Pace, cost: int = 1) -> float:
        costs.append(cost)
        return 0.0

    monkeypatch.setattr(Pace, "take", take)
    sent = [_rerun(), _rerun("a" * 5 * message_rate.COUNTED_BYTES), _rerun()]
    _messages_seen(*({"type": "websocket.receive", "bytes": one} for one in sent), END)
    assert costs[1::2] == [message_rate.RUN, message_rate.RUN + 5, message_rate.RUN]


def test_a_client_that_goes_is_no_error_and_starts_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Pages that were closed wrote a traceback each into the log, which nobody could act on."""
    monkeypatch.setattr(Pace, "take", lambda _pace, _cost=1: 0.0)
    received: list[bytes] = []

    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        with suppress(WebSocketDisconnect):
            while True:
                received.append(await websocket.receive_bytes())
                with suppress(WebSocketDisconnect):  # Streamlit sends in another task
                    await websocket.send_bytes(b"a run's page")

    waiting: deque[Message] = deque([{"type": "websocket.connect"}])
    waiting.extend([{"type": "websocket.receive", "bytes": _rerun()}] * 9)

    async def receive() -> Message:
        return waiting.popleft()

    async def send(message: Message) -> None:
        if message["type"] == "websocket.send":
            raise ClientDisconnected

    scope: Any = {"type": "websocket", "client": ("192.0.2.1", 1)}
    asyncio.run(message_rate.pace_messages(page)(scope, receive, send))  # type: ignore[arg-type]
    assert len(received) == 1


def test_a_flood_of_messages_leaves_the_event_loop_to_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """10,000 reruns in one connection stopped every page and `/healthz` for 16 s."""
    monkeypatch.setattr(message_rate, "OF_ADDRESS", Rate(10**6, 1.0))
    taken, rerun = 0, _rerun()

    async def app(_scope: Scope, receive: Receive, _send: Send) -> None:
        nonlocal taken
        while True:
            await receive()
            taken += 1

    async def receive() -> Message:
        if taken > 1000:
            raise AssertionError("nobody else had a turn")
        return {"type": "websocket.receive", "bytes": rerun}

    async def send(_message: Message) -> None:
        pass

    async def scene() -> None:
        scope: Any = {"type": "websocket", "client": ("192.0.2.1", 1)}
        paced: Any = message_rate.pace_messages(app)
        flood = asyncio.create_task(paced(scope, receive, send))
        async with asyncio.timeout(60):
            while taken < OF_PAGE.messages:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)
        flood.cancel()

    asyncio.run(scene())
    assert OF_PAGE.messages <= taken < 200


def test_pages_of_one_address_begin_no_more_runs_than_the_server_can_take() -> None:
    """Forty flooding pages of one address began 40 runs a second, and all others waited."""
    taken: Counter[str] = Counter()

    async def app(scope: Scope, receive: Receive, _send: Send) -> None:
        while True:
            await receive()
            taken[scope["client"][0]] += 1

    async def receive() -> Message:
        return {"type": "websocket.receive", "bytes": rerun}

    async def send(_message: Message) -> None:
        pass

    async def scene() -> float:
        paced: Any = message_rate.pace_messages(app)
        began = time.monotonic()
        hosts = ["192.0.2.1"] * 40 + ["192.0.2.2"]
        pages = [
            asyncio.create_task(paced({"type": "websocket", "client": (host, 1)}, receive, send))
            for host in hosts
        ]
        async with asyncio.timeout(60):
            while not taken["192.0.2.2"]:
                await asyncio.sleep(0.1)
        for page in pages:
            page.cancel()
        return time.monotonic() - began

    rerun = _rerun()
    seconds = asyncio.run(scene())
    assert taken["192.0.2.1"] <= 41 + 10 * seconds


def test_parts_of_pages_are_taken_faster_than_whole_ones() -> None:
    """Sixty visitors behind one address each see the walk that is made, twice a second."""
    pace = Pace(message_rate.OF_ADDRESS)
    assert [pace.take() for _ in range(120)] == [0.0] * 120


async def _unused(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError


def test_what_a_browser_sends_is_read_in_small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forty pages of one address stopped the server for 17 s: so many messages were parsed."""
    monkeypatch.setattr("asyncio.selector_events._SelectorTransport.max_size", 2**18)
    message_rate.pace_messages(_unused)
    sizes: list[int] = []

    class Reader(asyncio.Protocol):
        def data_received(self, data: bytes) -> None:
            sizes.append(len(data))

    async def scene() -> None:
        server = await asyncio.get_running_loop().create_server(Reader, "127.0.0.1", 0)
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(bytes(10**6))
        async with asyncio.timeout(60):
            while sum(sizes) < 10**6:
                await asyncio.sleep(0.01)
        writer.close()
        server.close()

    asyncio.run(scene())
    assert max(sizes) <= message_rate.READ_BYTES
