"""An HTTP proxy that injects network faults."""

import json
import random
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Fault(StrEnum):
    """What can happen to a request."""

    UNAVAILABLE = "503"
    BUSY = "429"
    CUT = "connection closed before the request arrives"
    LOST = "request carried out, connection closed before the response"
    STALL = "no response for up to a minute"
    TRUNCATE = "half of the response"
    DAMAGE = "one byte of the request body changed"


class Proxy(ThreadingHTTPServer):
    """Forwards HTTP requests to `upstream` ("host:port"), or injects a fault."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.offline = False
        """While True, every connection is closed without a response."""
        self.uploads: Counter[str] = Counter()
        """Uploads minus deletions of each object, by "bucket/name"."""
        self.fault_counts: Counter[Fault] = Counter()
        self.stalls_end = threading.Event()
        self._scripted: deque[Fault | None] = deque()
        self._random: tuple[random.Random, float, Sequence[Fault]] | None = None

    def script_faults(self, *faults: Fault | None) -> None:
        """Inject these faults into the next requests, one each; None forwards a request."""
        self._scripted.extend(faults)

    def set_fault_rate(self, share: float, faults: Sequence[Fault], seed: int = 0) -> None:
        """Inject a random one of the faults into this share (0 to 1) of all further requests."""
        self._random = (random.Random(seed), share, faults) if share else None

    def next_fault(self) -> Fault | None:
        """Choose and count the fault of the next request: a scripted one, or a random one."""
        fault = None
        if self._scripted:
            fault = self._scripted.popleft()
        elif self._random and self._random[0].random() < self._random[1]:
            fault = self._random[0].choice(self._random[2])
        if fault:
            self.fault_counts[fault] += 1
        return fault

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print errors, but ignore clients that disconnect."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def handle_one_request(self) -> None:
        """Close the connection if the proxy is offline."""
        if self.server.offline:
            self.close_connection = True
            return
        super().handle_one_request()

    def _forward_or_fail(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = None if self.server.offline else self.server.next_fault()
        if self.server.offline or fault is Fault.CUT:
            return self._disconnect()
        if fault is Fault.STALL:
            self.server.stalls_end.wait(60)
            return self._disconnect()
        if fault in (Fault.UNAVAILABLE, Fault.BUSY):
            return self._respond(int(fault), {}, b"")
        if fault is Fault.DAMAGE and body:
            body = body[: -len(body) // 2] + b"?" + body[-len(body) // 2 + 1 :]
        status, headers, content = self._forward(body)
        if fault is Fault.LOST or self.server.offline:
            return self._disconnect()
        return self._respond(status, headers, content, half=fault is Fault.TRUNCATE)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _forward_or_fail  # noqa: N815

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection(self.server.upstream, timeout=60)
        try:
            headers = {name: self.headers[name] for name in self.headers if name.lower() != "host"}
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        self._count_uploads(response, content)
        proxy, upstream = self.server.address, f"http://{self.server.upstream}"
        forwarded = {
            name: value.replace(upstream, proxy)
            for name, value in response.getheaders()
            if name.lower() not in _HOP_BY_HOP
        }
        return response.status, forwarded, content

    def _count_uploads(self, response: HTTPResponse, content: bytes) -> None:
        is_upload = self.path.startswith("/upload/") and response.status == 200
        opens_session = self.command == "POST" and "uploadType=resumable" in self.path
        if is_upload and not opens_session and content.startswith(b"{"):
            stored = json.loads(content)
            self.server.uploads[f"{stored['bucket']}/{stored['name']}"] += 1
        if self.command == "DELETE" and response.status < 300:
            bucket, name = self.path.split("?")[0].split("/b/")[1].split("/o/")
            self.server.uploads[f"{bucket}/{unquote(name)}"] -= 1

    def _respond(
        self, status: int, headers: dict[str, str], body: bytes, *, half: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if half else body)
        if half:
            self._disconnect()

    def _disconnect(self) -> None:
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Suppress the access log."""


@contextmanager
def running_proxy(upstream: str) -> Iterator[Proxy]:
    """Serve a proxy in a daemon thread."""
    proxy = Proxy(upstream)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.stalls_end.set()
        proxy.shutdown()
        thread.join()
        proxy.server_close()
