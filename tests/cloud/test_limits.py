"""Limits of the container: slow clients, its token, and answers that would be too large."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request

import numpy as np
import pytest

from momalisa.engine.frame_cache import Frame
from tests.support.container import (
    Container,
    Response,
    answer_of,
    running_container,
    small_walk,
)

SLOW = (
    b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{",  # a body without an end
    b"POST /predict HTTP/1.1\r\nHost: x\r\nX-Slow: ",  # a header without an end
    b"",
)


@contextmanager
def slow_clients(container: Container, count: int) -> Iterator[None]:
    """Connections that have sent the beginning of a request, and now wait."""
    address = urlsplit(container.url)
    with ExitStack() as connections:
        for number in range(count):
            client = socket.create_connection((address.hostname, address.port or 80), timeout=60)
            connections.enter_context(client).sendall(SLOW[number % len(SLOW)])
        yield


def test_slow_clients_do_not_silence_the_health_check(container: Container) -> None:
    """16 of them silenced it for 31 s."""
    with slow_clients(container, 60):
        time.sleep(1)  # for their bytes to arrive
        start = time.monotonic()
        assert container.get("/health").status == 200
        assert time.monotonic() - start < 15


def test_an_endless_request_is_closed(container: Container) -> None:
    """Headers without an end took 1 GB, and silenced the health check for 10 s, without a token."""
    address = urlsplit(container.url)
    where = (address.hostname, address.port or 80)
    with socket.create_connection(where, timeout=60) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"X: a\r\n" * 5_000)
        assert connection.recv(100).startswith(b"HTTP/1.1 431 ")


def test_a_prediction_is_made_beside_slow_clients(container: Container, model_folder: Path) -> None:
    with slow_clients(container, 60):
        request = {"instances": [small_walk(model_folder).model_dump(mode="json")]}
        assert container.predict(request).status == 200


def test_a_body_that_does_not_arrive_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    from starlette.exceptions import HTTPException

    from momalisa.cloud import serving

    class Slow:
        async def stream(self) -> Any:
            while True:
                yield b"{"
                await asyncio.sleep(0.05)

    monkeypatch.setattr(serving, "READ_SECONDS", 0.3)
    readers, request = serving._Readers(), Slow()
    with pytest.raises(HTTPException) as refused:
        asyncio.run(asyncio.wait_for(readers.read(request), 30))  # type: ignore[arg-type]
    assert refused.value.status_code == 408


def test_a_body_that_the_client_breaks_off_is_a_bad_request() -> None:
    import asyncio

    from starlette.exceptions import HTTPException
    from starlette.requests import ClientDisconnect

    from momalisa.cloud import serving

    class Gone:
        async def stream(self) -> Any:
            yield b"{"
            raise ClientDisconnect

    with pytest.raises(HTTPException) as refused:
        asyncio.run(serving._Readers().read(Gone()))  # type: ignore[arg-type]
    assert refused.value.status_code == 400


def test_predictions_ask_for_the_token_and_the_health_check_does_not(tmp_path: Path) -> None:
    with running_container(
        tmp_path, "no-such-model", MOMALISA_ENDPOINT_TOKEN="sesame"
    ) as container:
        for header in ({}, {"Authorization": "Bearer no"}, {"Authorization": "sesame"}):
            assert status(container, header) == (401, "unauthorized")
        assert status(container, {"Authorization": "Bearer sesame"}) == (503, "loading")
        assert container.get("/health").error_code == "loading"
        assert container.get("/openapi.json").status == 401


def status(container: Container, headers: dict[str, str]) -> tuple[int, str]:
    answer = answer_of(Request(f"{container.url}/predict", b"{}", headers))
    return answer.status, answer.error_code


def test_frames_that_do_not_fit_are_refused_before_or_soon_after_they_are_begun(
    model_folder: Path, tmp_path: Path
) -> None:
    """The whole walk was painted first: only the best ratio that DEFLATE has was reckoned with."""

    def predict(**fields: Any) -> Response:
        walk = small_walk(model_folder, **fields)
        return container.predict({"instances": [walk.model_dump(mode="json")]})

    def painted() -> int:
        return len(list((tmp_path / "frames").rglob("*.png")))

    with running_container(tmp_path, model_folder, MOMALISA_ANSWER_MB="0.1") as container:
        container.wait_until_ready()
        start = time.monotonic()
        none_fits = predict(frames=240, size=512, steps=100)
        assert time.monotonic() - start < 15
        assert painted() == 0
        some_fit = predict(frames=240)
        assert 0 < painted() < 120
        for response in (none_fits, some_fit):
            assert (response.status, response.error_code) == (413, "too_large")
            assert "MOMALISA_STORE" in response.text
        assert predict().status == 200


def test_bodies_that_do_not_arrive_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """64 of them shut out every prediction."""
    import asyncio

    from momalisa.cloud import serving

    class Arriving:
        def __init__(self, *parts: bytes | None) -> None:
            self.parts = parts

        async def stream(self) -> Any:
            for part in self.parts:
                if part is None:
                    await asyncio.sleep(600)
                else:
                    yield part

    readers = serving._Readers()

    def read(*parts: bytes | None) -> Any:
        return readers.read(Arriving(*parts))  # type: ignore[arg-type]

    async def scene() -> tuple[bytes, list[Any]]:
        slow = [asyncio.create_task(read(b"{", None)) for _ in range(serving.READERS)]
        await asyncio.sleep(0.1)
        body = await asyncio.wait_for(read(b"{}"), 30)
        await asyncio.sleep(0.1)
        ended = [task.exception() for task in slow if task.done()]
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return body, ended

    body, (error,) = asyncio.run(scene())
    assert (body, type(error).__name__) == (b"{}", "Unavailable")


def test_encoding_stops_where_the_answer_is_full() -> None:
    from momalisa.cloud import serving

    class Frames(list[Frame]):
        read = 0

        def __getitem__(self, index: Any) -> Any:
            self.read += 1
            return super().__getitem__(index)

        def __iter__(self) -> Iterator[Frame]:
            return (self[number] for number in range(len(self)))

    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    frames = Frames([noise] * 100)
    assert serving._encode_within(frames, 50_000) is None
    assert frames.read < 5
