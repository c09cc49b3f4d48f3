"""Uploads of films: slow, many and abandoned ones keep no other visitor waiting."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.datastructures import Address
from starlette.requests import ClientDisconnect

from momalisa.film import embedded_spec
from momalisa.film.embedded_spec import read_spec
from momalisa.spec import WalkSpec
from momalisa.ui.gallery import import_film
from momalisa.ui.http import uploads
from tests.support.pages import spec

GONE = b"the browser closed the connection"


class Upload:
    """A request whose body comes in these parts; `None` is a pause without end, GONE the end."""

    def __init__(self, *parts: bytes | None, host: str = "192.0.2.1") -> None:
        self.client, self.parts = Address(host, 1), parts
        self.query_params = {"name": "a.json"}

    async def stream(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            if part is None:
                await asyncio.sleep(600)
            elif part == GONE:
                raise ClientDisconnect
            else:
                yield part


RECORD = spec().model_dump_json().encode()


async def send(*parts: bytes | None, host: str = "192.0.2.1") -> tuple[int, str]:
    request: Any = Upload(*parts, host=host)
    response = await import_film.handle_upload(request)
    return response.status_code, bytes(response.body).decode()


async def wait_for_bytes(uploads_begun: int) -> None:
    """Wait until so many uploads are under way, each with its first bytes."""
    async with asyncio.timeout(60):
        while sum(upload.size > 0 for upload in uploads._UNDER_WAY) < uploads_begun:
            await asyncio.sleep(0.01)


def test_slow_uploads_keep_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two uploads of a byte each held both slots for 45 s, and every other upload waited."""
    monkeypatch.setattr(uploads, "IDLE_SECONDS", 60.0)

    async def scene() -> tuple[int, str]:
        slow = [asyncio.create_task(send(b"{", None)) for _ in range(uploads.UPLOADS_EACH)]
        await wait_for_bytes(len(slow))
        try:
            answer = await asyncio.wait_for(send(RECORD, host="192.0.2.2"), 60)
            assert not any(task.done() for task in slow)
            return answer
        finally:
            for task in slow:
                task.cancel()
            await asyncio.gather(*slow, return_exceptions=True)

    status, body = asyncio.run(scene())
    assert (status, read_spec(body.encode(), "")) == (200, spec())


def test_an_upload_without_a_byte_for_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "IDLE_SECONDS", 0.2)
    ended = asyncio.run(asyncio.wait_for(send(b"{", None), 60))
    assert ended == (408, "The file came too slowly. Please try again.")


def test_an_upload_that_the_browser_ends_is_no_error() -> None:
    """Each left a traceback in the log."""
    assert asyncio.run(send(b"{", GONE)) == (400, "The file came only in part. Please try again.")


class Drip(Upload):
    """An upload of one byte after the other, without an end."""

    async def stream(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.05)
            yield b"{"


def test_one_byte_after_the_other_is_ended_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "UPLOAD_SECONDS", 0.5)
    monkeypatch.setattr(uploads, "RATE_SECONDS", 600.0)

    async def scene() -> int:
        request: Any = Drip()
        return (await asyncio.wait_for(import_film.handle_upload(request), 60)).status_code

    assert asyncio.run(scene()) == 408


def test_an_upload_below_the_least_rate_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte every four seconds held its place for two minutes."""
    monkeypatch.setattr(uploads, "RATE_SECONDS", 0.2)

    request: Any = Drip()
    response = asyncio.run(asyncio.wait_for(import_film.handle_upload(request), 60))
    assert response.status_code == 408


@pytest.mark.parametrize("hosts", [1, 4])
def test_slow_uploads_make_room_for_newcomers(hosts: int) -> None:
    """Four slow uploads from each of four addresses kept everybody from dropping a film."""

    async def scene() -> tuple[int, list[int]]:
        slow = [
            asyncio.create_task(send(b"{", None, host=f"192.0.2.{number % hosts}"))
            for number in range(hosts * uploads.UPLOADS_EACH)
        ]
        await wait_for_bytes(len(slow))
        accepted, _ = await asyncio.wait_for(send(RECORD, host="192.0.2.0"), 60)
        await asyncio.wait(slow, timeout=60, return_when=asyncio.FIRST_COMPLETED)
        ended = [task.result()[0] for task in slow if task.done()]
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return accepted, ended

    assert asyncio.run(scene()) == (200, [429])
    assert uploads._UNDER_WAY == []


def test_the_slowest_upload_makes_room() -> None:
    async def scene() -> list[bool]:
        fast = asyncio.create_task(send(b"{" * 90_000, None))
        await wait_for_bytes(1)
        slow = [asyncio.create_task(send(b"{", None)) for _ in range(3)]
        await wait_for_bytes(4)
        await send(RECORD)
        await asyncio.wait((fast, *slow), timeout=60, return_when=asyncio.FIRST_COMPLETED)
        done = [task.done() for task in (fast, *slow)]
        for task in (fast, *slow):
            task.cancel()
        await asyncio.gather(fast, *slow, return_exceptions=True)
        return done

    assert asyncio.run(scene()) == [False, True, False, False]


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Files are being read for as long as the event is not set."""
    done = threading.Event()

    def read(_path: Path, _name: str) -> WalkSpec:
        done.wait(60)
        return spec()

    monkeypatch.setattr(embedded_spec, "read_spec_from_file", read)
    yield done
    done.set()


async def send_many(hosts: list[str], done: threading.Event) -> list[int]:
    """The statuses of uploads that come one after the other, the last while all others wait."""
    earlier = []
    for host in hosts[:-1]:
        earlier.append(asyncio.create_task(send(RECORD, host=host)))
        while uploads._READ.total() < len(earlier):
            await asyncio.sleep(0.01)
    last = (await asyncio.wait_for(send(RECORD, host=hosts[-1]), 60))[0]
    done.set()
    return [*(answer[0] for answer in await asyncio.gather(*earlier)), last]


def test_only_so_many_files_of_one_address_wait_to_be_read(reading: threading.Event) -> None:
    hosts = ["192.0.2.1"] * (uploads.UPLOADS_EACH + 1)
    assert asyncio.run(send_many(hosts, reading)) == [200] * uploads.UPLOADS_EACH + [429]


def test_only_so_many_files_wait_to_be_read(reading: threading.Event) -> None:
    hosts = [f"192.0.2.{number}" for number in range(uploads.UPLOADS + 1)]
    assert asyncio.run(send_many(hosts, reading)) == [200] * uploads.UPLOADS + [429]
