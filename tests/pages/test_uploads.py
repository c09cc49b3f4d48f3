"""Uploads of films: slow, many and abandoned ones keep no other visitor waiting."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.datastructures import Address

from momalisa.film.embedded_spec import read_spec
from momalisa.ui.gallery import import_film
from tests.support.pages import spec


class Upload:
    """A request whose body comes in these parts; `None` is a pause without end."""

    def __init__(self, *parts: bytes | None, host: str = "192.0.2.1") -> None:
        self.client, self.parts = Address(host, 1), parts
        self.query_params = {"name": "a.json"}

    async def stream(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            if part is None:
                await asyncio.sleep(600)
            else:
                yield part


RECORD = spec().model_dump_json().encode()


async def send(*parts: bytes | None, host: str = "192.0.2.1") -> tuple[int, str]:
    request: Any = Upload(*parts, host=host)
    response = await import_film.handle_upload(request)
    return response.status_code, bytes(response.body).decode()


def test_slow_uploads_keep_nobody_waiting() -> None:
    """Two uploads of a byte each held both slots for 45 s, and every other upload waited."""

    async def scene() -> tuple[int, str]:
        slow = [asyncio.create_task(send(b"{", None)) for _ in range(import_film.UPLOADS_EACH)]
        await asyncio.sleep(0.1)
        try:
            return await asyncio.wait_for(send(RECORD, host="192.0.2.2"), 60)
        finally:
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)

    status, body = asyncio.run(scene())
    assert (status, read_spec(body.encode(), "")) == (200, spec())


def test_an_upload_without_a_byte_for_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_film, "IDLE_SECONDS", 0.2)
    assert asyncio.run(send(b"{", None)) == (408, "The file came too slowly. Please try again.")


def test_one_byte_after_the_other_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_film, "UPLOAD_SECONDS", 0.5)

    class Drip(Upload):
        async def stream(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0.05)
                yield b"{"

    async def scene() -> int:
        request: Any = Drip()
        return (await asyncio.wait_for(import_film.handle_upload(request), 60)).status_code

    assert asyncio.run(scene()) == 408


def test_one_address_has_only_so_many_uploads_and_gets_them_back() -> None:
    async def scene() -> list[int]:
        slow = [asyncio.create_task(send(None)) for _ in range(import_film.UPLOADS_EACH)]
        await asyncio.sleep(0.1)
        refused, _ = await send(RECORD)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        accepted, _ = await send(RECORD)
        return [refused, accepted]

    assert asyncio.run(scene()) == [429, 200]
