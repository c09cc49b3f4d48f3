"""The prediction container as it runs: in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import numpy as np

from momalisa.engine.frame_cache import Frame
from momalisa.settings import CHECKOUT
from momalisa.spec import WalkSpec
from tests.support.network import kept_port
from tests.support.waiting import wait_until
from tests.support.walks import walk_spec


@dataclass(frozen=True)
class Response:
    """An HTTP response of the container."""

    status: int
    headers: Message
    text: str

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.text)

    @property
    def error_code(self) -> str:
        """The code of an error response, whose shape is checked."""
        assert set(self.json) == {"error"}
        assert set(self.json["error"]) == {"code", "message"}
        assert self.json["error"]["message"]
        return str(self.json["error"]["code"])


def answer_of(request: urllib.request.Request) -> Response:
    """Send a request; error statuses are returned, not raised."""
    try:
        with urllib.request.urlopen(request, timeout=120) as reply:
            return Response(reply.status, reply.headers, reply.read().decode())
    except HTTPError as error:
        with error:
            return Response(error.code, error.headers, error.read().decode())


@dataclass(frozen=True)
class Container:
    """A running server, and its home folder, which holds its log."""

    url: str
    home: Path
    process: "subprocess.Popen[bytes]"

    def get(self, path: str) -> Response:
        """Send a GET request."""
        return self.send("GET", path)

    def predict(self, body: object, path: str = "/predict") -> Response:
        """POST a body, encoded as JSON unless it is bytes."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", path, data)

    def send(self, method: str, path: str, data: bytes | None = None) -> Response:
        """Send a request; error statuses are returned, not raised."""
        return answer_of(urllib.request.Request(self.url + path, data, method=method))

    def wait_until_ready(self) -> "Container":
        """Wait up to two minutes until the health check succeeds."""
        wait_until(lambda: self.get("/health").status == 200, 120)
        return self

    def stop(self) -> int:
        """Send SIGTERM; returns the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return (self.home / "server.log").read_text()


@contextmanager
def running_container(
    home: Path, model: Path | str, *options: str, **environment: str
) -> Iterator[Container]:
    """Start the server as the Dockerfile does; yields once it accepts connections."""
    home.mkdir(parents=True, exist_ok=True)
    with kept_port() as port, (home / "server.log").open("ab") as log:
        variables = {
            "MOMALISA_HOME": str(home),
            "MOMALISA_MODEL": str(model),
            "AIP_HTTP_PORT": f"{port}",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "momalisa.cloud.server", *options],
            cwd=CHECKOUT,
            env=os.environ | variables | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        container = Container(f"http://127.0.0.1:{port}", home, process)
        try:
            wait_until(lambda: _accepts_connections(container))
            yield container
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _accepts_connections(container: Container) -> bool:
    assert container.process.poll() is None, container.log
    with suppress(OSError):
        container.get("/no-such-route")
        return True
    return False


def assert_same_frames(frames: Sequence[Frame], others: Sequence[Frame]) -> None:
    """Check equality within one level: a cached frame may come from a batch of another size."""
    np.testing.assert_allclose(frames, others, rtol=0, atol=1)


def small_walk(model: Path | str, *prompts: str, **fields: Any) -> WalkSpec:
    """Build the spec of a walk of three frames of 64 × 64 in two steps."""
    small = {"frames": 3, "steps": 2, "size": 64, "model": str(model)}
    return walk_spec(*prompts, **small | fields)
