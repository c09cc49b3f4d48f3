"""Limits of what a connection may send to the server before a request or message is whole.

uvicorn keeps a request's head, however long it gets, and reads frames of a WebSocket, however many
come at once, on the event loop, before any code of an app: one connection took 1 GB and kept all
others waiting for 15 s. It also waits for ever for a head or a message that comes byte by byte, or
not at all. So these limits are added to its protocols.
"""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

HEAD_SECONDS = 30.0
"""Seconds from a connection's begin, or a request's first byte, until the request's head is whole.
A connection that waits for its next request is closed by uvicorn's own, shorter time."""
HEAD_BYTES = 64 * 1024
"""Most bytes of a request without any of its body: address, headers, and what follows a body. Nginx
takes half of it by default; the cookies of a sign-in are the longest."""
HEADERS = 200
"""Most headers of a request."""
PART = 4096
"""Bytes that are read before the limits are asked again."""
FRAMES, FRAMES_SECONDS = 1_000, 10.0
"""So many frames of a WebSocket are taken at once, and as many again in the seconds after. A page
sends two a second."""
MESSAGE_BYTES = 128 * 1024
"""Most bytes of a message, and of what its client has sent of it. The longest that pages send has a
film's notes: 20,000 characters of up to three bytes (browsers count those of four twice). Prompts
of twelve stops are a third of it, an address is at most HEAD_BYTES, and files come by HTTP."""
MESSAGE_SECONDS = 30.0
"""Seconds from a message's first bytes until it is whole; 4 kB a second are enough for any."""
TOO_LONG = "The request's head is too long."
TOO_LATE = "The request's head took too long to arrive."
FIELDS = (
    "content-type: text/plain; charset=utf-8\r\ncontent-length: {}\r\nconnection: close\r\n"
    "x-content-type-options: nosniff\r\n"
    "content-security-policy: default-src 'none'; frame-ancestors 'none'\r\n\r\n{}"
)
"""The headers and the body of an answer that no app gives."""

log = logging.getLogger(__name__)
Method = Callable[..., None]


def limit_connections() -> None:
    """Add the limits to uvicorn's protocols in this process; once is enough."""
    if getattr(HttpToolsProtocol, "_is_limited", False):
        return
    HttpToolsProtocol._is_limited = True  # type: ignore[attr-defined]
    _wrap(HttpToolsProtocol, _open, "connection_made")
    _wrap(HttpToolsProtocol, _receive_head, "data_received")
    _wrap(HttpToolsProtocol, _stop_clock, "on_headers_complete", "connection_lost")
    _wrap(HttpToolsProtocol, _take_header, "on_header")
    _wrap(HttpToolsProtocol, _end_of_head, "on_headers_complete", "on_body", "on_message_complete")
    _wrap(HttpToolsProtocol, _refuse_invalid, "send_400_response")
    _wrap(WebSocketsSansIOProtocol, _open_socket, "connection_made")
    _wrap(WebSocketsSansIOProtocol, _receive_parts, "data_received")
    _wrap(WebSocketsSansIOProtocol, _end_message, "send_receive_event_to_app")
    _wrap(WebSocketsSansIOProtocol, _drop_message, "connection_lost")
    frames = ("handle_text", "handle_bytes", "handle_cont", "handle_ping", "handle_pong")
    _wrap(WebSocketsSansIOProtocol, _take_frame, *frames)


def _wrap(protocol: type, limited: Callable[..., None], *names: str) -> None:
    """Have a function called in place of these methods, with each of them as its first argument."""
    for name in names:
        setattr(protocol, name, _wrapped(getattr(protocol, name), limited))


def _wrapped(method: Method, limited: Callable[..., None]) -> Method:
    @wraps(method)
    def call(connection: Any, *args: Any) -> None:
        limited(method, connection, *args)

    return call


def _parts(data: bytes) -> list[bytes]:
    return [data[start : start + PART] for start in range(0, len(data), PART)]


def _open(method: Method, connection: Any, transport: Any) -> None:
    method(connection, transport)
    connection.head_bytes, connection.head_clock = 0, None
    _start_clock(connection)


def _start_clock(connection: Any) -> None:
    """Close the connection in HEAD_SECONDS, unless a head is whole by then."""
    if connection.head_clock is None:
        connection.head_clock = connection.loop.call_later(HEAD_SECONDS, _end_late, connection)


def _stop_clock(method: Method, connection: Any, *args: Any) -> None:
    if connection.head_clock is not None:
        connection.head_clock.cancel()
        connection.head_clock = None
    method(connection, *args)


def _end_late(connection: Any) -> None:
    """Close a connection whose head is late: with an answer, if any of it came."""
    if connection.head_bytes:
        _refuse_head(connection, 408, TOO_LATE)
    elif not connection.transport.is_closing():
        connection.transport.close()


def _receive_head(method: Method, connection: Any, data: bytes) -> None:
    """Parse a request's bytes; answer 431 and close once its head is too long."""
    for part in _parts(data):
        # Closed, or a WebSocket, which did not ask for what follows its head.
        if connection.transport.is_closing() or connection.parser is None or _is_socket(connection):
            return
        connection.head_bytes += len(part)
        if connection.head_bytes <= HEAD_BYTES:
            method(connection, part)
        if connection.head_bytes > HEAD_BYTES or len(connection.headers or ()) > HEADERS:
            _refuse_head(connection, 431, TOO_LONG)
            return
        if _is_answered(connection) and not _is_socket(connection):
            _start_clock(connection)


def _is_answered(connection: Any) -> bool:
    """Whether no request of the connection waits for its answer."""
    return connection.cycle is None or connection.cycle.response_complete


def _is_socket(connection: Any) -> bool:
    return connection.transport.get_protocol() is not connection


def _refuse_head(connection: Any, status: int, reason: str) -> None:
    if connection.transport.is_closing() or _is_socket(connection):
        return
    log.info("a connection was closed: %s", reason)
    answer = STATUS_LINE[status] + FIELDS.format(len(reason), reason).encode()
    if _is_answered(connection):
        connection.transport.write(answer)
    connection.transport.close()


def _refuse_invalid(_method: Method, connection: Any, reason: str) -> None:
    """Answer what is no request, with the headers of our other answers."""
    _refuse_head(connection, 400, reason)


def _take_header(method: Method, connection: Any, name: bytes, value: bytes) -> None:
    """Keep a header; those beyond the limit only count."""
    if len(connection.headers) <= HEADERS:
        method(connection, name, value)


def _end_of_head(method: Method, connection: Any, *args: bytes) -> None:
    """Begin to count anew: a head is whole, or a part of a body came."""
    if len(connection.headers) <= HEADERS:
        connection.head_bytes = 0
        method(connection, *args)


def _open_socket(method: Method, connection: Any, transport: Any) -> None:
    connection.conn.max_message_size = MESSAGE_BYTES
    connection.message_clock = None
    method(connection, transport)


def _receive_parts(method: Method, connection: Any, data: bytes) -> None:
    """Read a WebSocket's bytes until too many frames were among them."""
    for part in _parts(data):
        if connection.transport.is_closing():
            return
        method(connection, part)
    # While it is not read, because messages wait for the app, none of its bytes can come.
    is_under_way = bool(connection.conn.reader.buffer or connection.frames)
    if is_under_way and not connection.read_paused and connection.message_clock is None:
        late = connection.loop.call_later(MESSAGE_SECONDS, _end_late_message, connection)
        connection.message_clock = late


def _end_message(method: Method, connection: Any) -> None:
    """Pass a whole message on."""
    _stop_message_clock(connection)
    method(connection)


def _stop_message_clock(connection: Any) -> None:
    if connection.message_clock is not None:
        connection.message_clock.cancel()
        connection.message_clock = None


def _end_late_message(connection: Any) -> None:
    if not connection.transport.is_closing():
        log.info("a connection was closed: its message took too long to arrive")
        connection.transport.abort()


def _drop_message(method: Method, connection: Any, *args: Any) -> None:
    """Free what came of a message: the connection's objects refer to each other for long."""
    _stop_message_clock(connection)
    connection.conn.reader.discard()
    connection.frames = []
    method(connection, *args)


def _take_frame(method: Method, connection: Any, *args: Any) -> None:
    """Take a frame; end the connection if there are too many."""
    now = time.monotonic()
    paid_until = max(getattr(connection, "frames_paid_until", 0.0), now - FRAMES_SECONDS)
    connection.frames_paid_until = paid_until + FRAMES_SECONDS / FRAMES
    if connection.frames_paid_until <= now:
        method(connection, *args)
    elif not connection.transport.is_closing():
        log.info("a connection was closed: more than %d frames came at once", FRAMES)
        connection.transport.abort()
