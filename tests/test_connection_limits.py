"""What one connection may send before a request or message is whole."""

import asyncio
import gc
import socket
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from threading import Thread
from urllib.request import Request, urlopen

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import ConnectionClosed
from websockets.server import ServerProtocol
from websockets.sync.client import connect

from momalisa import connection_limits
from momalisa.connection_limits import (
    FRAMES,
    HEAD_BYTES,
    HEADERS,
    MESSAGE_BYTES,
    PART,
    limit_connections,
)
from tests.support.network import kept_port, wait_for_url
from tests.support.waiting import wait_until

SHORT = 1.5
"""Seconds that a head or a message may take in the tests of their deadlines."""
CLOCKS_DIFFER = 0.01
"""Seconds by which the clock of the server's event loop may be ahead: it counts milliseconds."""


async def _echo(request: HttpRequest) -> PlainTextResponse:
    return PlainTextResponse(f"{len(await request.body())} {request.headers.get('x', '')}")


async def _early(_request: HttpRequest) -> PlainTextResponse:
    return PlainTextResponse("early")


async def _slow(_request: HttpRequest) -> PlainTextResponse:
    await asyncio.sleep(2 * SHORT)
    return PlainTextResponse("slow")


async def _answer_messages(websocket: WebSocket) -> None:
    await websocket.accept()
    async for data in websocket.iter_bytes():
        await websocket.send_text(str(len(data)))


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """The port of a server of uvicorn with the limits."""
    limit_connections()
    limit_connections()  # a second time changes nothing
    routes = [
        Route("/", _echo, methods=["GET", "POST"]),
        Route("/early", _early, methods=["POST"]),
        Route("/slow", _slow),
        WebSocketRoute("/socket", _answer_messages),
    ]
    with kept_port() as port:
        config = uvicorn.Config(
            Starlette(routes=routes),
            port=port,
            log_level="error",
            ws="websockets-sansio",
            lifespan="off",
        )
        server = uvicorn.Server(config)
        thread = Thread(target=server.run)
        thread.start()
        wait_for_url(f"http://127.0.0.1:{port}/", thread.is_alive)
        yield port
        server.should_exit = True
        thread.join(30)


def _is_closed(port: int, begin: bytes, endless: bytes) -> bool:
    """Whether the server closes the connection of a request that does not end."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as connection:
        try:
            connection.sendall(begin + endless * (8 * HEAD_BYTES // len(endless)))
            while connection.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:  # closed while it was sent more
            pass
        return True


def _receive(connection: socket.socket, end: bytes) -> bytes:
    """What comes until it has this end: a head and its body may come one after the other."""
    answer = b""
    while not answer.endswith(end):
        part = connection.recv(65536)
        assert part, f"closed after {answer!r}"
        answer += part
    return answer


GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
EARLY = CHUNKED.replace(b"POST /", b"POST /early")


@pytest.mark.parametrize(
    ("begin", "endless"),
    [
        (b"GET /", b"a" * 10_000),
        (GET + b"X: ", b"a" * 10_000),
        (GET, b"X: a\r\n" * 2_000),
        (CHUNKED + b"1", b";a" * 5_000),
        (CHUNKED + b"0\r\nX: ", b"a" * 10_000),
        (CHUNKED + b"0\r\n", b"X: a\r\n" * 2_000),
        (EARLY + b"1\r\na\r\n0\r\nX: ", b"a" * 10_000),
    ],
    ids=["address", "header", "headers", "chunk", "trailer", "trailers", "after an early answer"],
)
def test_an_endless_head_is_closed(port: int, begin: bytes, endless: bytes) -> None:
    """One connection took 1 GB in 15 s, and all others waited meanwhile."""
    assert _is_closed(port, begin, endless)
    assert urlopen(f"http://127.0.0.1:{port}/", timeout=30).read() == b"0 "


@pytest.mark.parametrize("head", [b"X: " + b"a" * (HEAD_BYTES + PART), b"X: a\r\n" * HEADERS])
def test_a_head_that_is_too_long_is_told_so(port: int, head: bytes) -> None:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as connection:
        connection.sendall(GET + head + b"\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("request_", [b"nonsense\r\n\r\n", GET + b"X: a\r\n" * HEADERS + b"\r\n"])
def test_an_answer_before_the_app_is_asked_is_never_taken_for_a_page(
    port: int, request_: bytes
) -> None:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as connection:
        connection.sendall(request_)
        answer = connection.recv(1_000).lower()
    assert answer.startswith((b"http/1.1 400 ", b"http/1.1 431 "))
    assert b"\r\nx-content-type-options: nosniff\r\n" in answer
    assert b"\r\ncontent-security-policy: default-src 'none'" in answer


def test_long_cookies_large_bodies_and_kept_connections_are_served(port: int) -> None:
    long = "a" * 40_000
    body = b"b" * 3_000_000
    request = Request(f"http://127.0.0.1:{port}/", body, {"x": long})
    assert urlopen(request, timeout=30).read().decode() == f"3000000 {long}"
    with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as connection:
        for _ in range(20):
            connection.sendall(GET + b"X: " + b"a" * 20_000 + b"\r\n\r\n")
            _receive(connection, b"a" * 20_000)
    chunks = b"1\r\na\r\n" * 50_000
    with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as connection:
        connection.sendall(CHUNKED + chunks + b"0\r\n\r\n")
        _receive(connection, b"50000 ")


def test_a_body_may_go_on_after_an_early_answer(port: int) -> None:
    with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as connection:
        connection.sendall(
            b"POST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
        )
        _receive(connection, b"early")
        connection.sendall(b"b" * 1_000_000 + GET + b"X: kept\r\n\r\n")
        _receive(connection, b"0 kept")


@pytest.fixture
def _short_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limits, "HEAD_SECONDS", SHORT)
    monkeypatch.setattr(connection_limits, "MESSAGE_SECONDS", SHORT)


@pytest.mark.usefixtures("_short_deadline")
@pytest.mark.parametrize(
    ("begin", "answer"),
    [
        (b"", b""),
        (GET + b"X: ", b"HTTP/1.1 408 "),
        (GET + b"\r\n" + GET + b"X: ", b"HTTP/1.1 200 "),
        (
            b"POST /early HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n\r\n",
            b"HTTP/1.1 200 ",
        ),
    ],
    ids=["nothing", "a head", "the head of a second request", "a body that nobody reads"],
)
def test_what_comes_byte_by_byte_is_closed_at_the_deadline(
    port: int, begin: bytes, answer: bytes
) -> None:
    """A client that sent a byte a second, or nothing at all, kept its connection for ever."""
    began, told = time.monotonic(), b""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=0.2)) as connection:
        connection.sendall(begin)
        with suppress(ConnectionError):  # closed while it was sent more
            while time.monotonic() < began + 30:
                with suppress(TimeoutError):
                    part = connection.recv(65536)
                    told += part
                    if not part:
                        break
                if begin:
                    connection.sendall(b"a")
    assert SHORT - CLOCKS_DIFFER <= time.monotonic() - began < 30
    assert told.startswith(answer)
    assert told or not answer


@pytest.mark.usefixtures("_short_deadline")
def test_the_deadline_is_for_heads_alone(port: int) -> None:
    """Answers, bodies that are read, sockets and kept connections may take longer."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=30)) as connection:
        connection.sendall(GET.replace(b"/", b"/slow", 1) + b"\r\n")
        _receive(connection, b"slow")
        connection.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\na")
        time.sleep(2 * SHORT)
        connection.sendall(b"b")
        _receive(connection, b"2 ")
    with connect(f"ws://127.0.0.1:{port}/socket") as websocket:
        time.sleep(2 * SHORT)
        websocket.send(b"a")
        assert websocket.recv(timeout=30) == "1"


def _frame(kind: int, data: bytes = b"", *, final: bool = True) -> bytes:
    """A masked frame; the mask is zero."""
    return bytes([final << 7 | kind, 0x80 | len(data)]) + b"\0\0\0\0" + data


@pytest.mark.parametrize("frame", [_frame(9), _frame(10), _frame(0, final=False), _frame(2, b"a")])
def test_a_flood_of_frames_is_closed(port: int, frame: bytes) -> None:
    """Pings and empty frames of one connection kept all others waiting for 30 s."""
    with connect(f"ws://127.0.0.1:{port}/socket") as connection:
        raw = connection.socket
        raw.settimeout(30)
        began = time.monotonic()
        with suppress(OSError):
            raw.sendall(_frame(2, b"a", final=False) if frame[0] == 0 else b"")
            for _ in range(50):
                raw.sendall(frame * 10_000)
                assert urlopen(f"http://127.0.0.1:{port}/", timeout=30).read() == b"0 "
            raise AssertionError("half a million frames were taken")
        assert time.monotonic() - began < 30


def test_messages_of_a_page_are_taken(port: int) -> None:
    with connect(f"ws://127.0.0.1:{port}/socket") as connection:
        for number in range(FRAMES // 4):
            connection.send(b"a" * number)
            assert connection.recv(timeout=30) == str(number)
        connection.send(b"a" * MESSAGE_BYTES)
        assert connection.recv(timeout=30) == str(MESSAGE_BYTES)
        connection.send(b"a" for _ in range(100))
        assert connection.recv(timeout=30) == "100"
        assert connection.ping().wait(30)


def _begin(size: int, *, kind: int = 2) -> bytes:
    """The head of a masked frame that announces a long message; the mask is zero."""
    return bytes([0x80 | kind, 0xFF]) + size.to_bytes(8, "big") + b"\0\0\0\0"


def test_a_message_is_refused_at_the_size_that_it_announces(port: int) -> None:
    """Fifty-eight connections took 1 GB: each announced 4 MB, and sent all but the end."""
    with connect(f"ws://127.0.0.1:{port}/socket") as connection:
        connection.socket.sendall(_begin(MESSAGE_BYTES + 1))
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


def test_a_message_of_many_frames_is_no_longer_than_one_of_a_single_frame(port: int) -> None:
    with connect(f"ws://127.0.0.1:{port}/socket") as connection:
        with suppress(ConnectionClosed):  # while it was sent more
            connection.send(b"a" * (MESSAGE_BYTES // 2) for _ in range(3))
        with pytest.raises(ConnectionClosed) as closed:
            connection.recv(timeout=30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


@pytest.mark.usefixtures("_short_deadline")
@pytest.mark.parametrize(
    ("begin", "endless"),
    [(_begin(MESSAGE_BYTES), b"a"), (_frame(2, b"a", final=False), _frame(9))],
    ids=["byte by byte", "in frames without an end"],
)
def test_a_message_that_is_late_ends_its_connection(
    port: int, begin: bytes, endless: bytes
) -> None:
    """It was kept for as long as its client liked."""
    with connect(f"ws://127.0.0.1:{port}/socket") as connection:
        raw, began = connection.socket, time.monotonic()
        with suppress(OSError):
            raw.sendall(begin)
            while time.monotonic() < began + 30:
                raw.sendall(endless)
                time.sleep(0.1)
    assert SHORT - CLOCKS_DIFFER <= time.monotonic() - began < 30


def test_many_messages_may_take_longer_than_one(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limits, "MESSAGE_SECONDS", 2 * SHORT)
    message = _frame(2, b"a" * 100)
    with connect(f"ws://127.0.0.1:{port}/socket") as connection:
        connection.socket.sendall(message[:50])
        for _ in range(4):
            time.sleep(SHORT * 0.6)
            connection.socket.sendall(message[50:] + message[:50])
            assert connection.recv(timeout=30) == "100"
        connection.socket.sendall(message[50:])


def test_what_a_closed_connection_had_sent_is_dropped_at_once(port: int) -> None:
    """It waited for the garbage collector, which does not know how much it would free."""
    gc.collect()
    gc.disable()
    try:
        with connect(f"ws://127.0.0.1:{port}/socket") as connection:
            connection.socket.sendall(_begin(MESSAGE_BYTES) + b"a" * (MESSAGE_BYTES - 1))
            wait_until(lambda: _bytes_kept() >= MESSAGE_BYTES - 1)
            connection.socket.close()
        wait_until(lambda: _bytes_kept() == 0)
    finally:
        gc.enable()


def _bytes_kept() -> int:
    """Bytes of messages under way that the server's connections hold, closed ones included."""
    parsers = [one for one in gc.get_objects() if issubclass(type(one), ServerProtocol)]
    return sum(len(one.reader.buffer) for one in parsers)
