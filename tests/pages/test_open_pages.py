"""How many pages are open at a time: from one address, and in all."""

import asyncio
from typing import Any

import pytest
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from momalisa.settings import Settings, settings
from momalisa.ui.http import open_pages
from tests.support import asgi

PAGE = b"<html>a page</html>"


async def _until_disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "websocket.disconnect":
        pass


class Gallery:
    """An app with pages and a WebSocket that is open until `ended` is set, and its browsers."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.app = open_pages.limit_open_pages(self._answer)
        self.open: list[asyncio.Task[Any]] = []

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            gone = asyncio.create_task(_until_disconnected(receive))
            ended = asyncio.create_task(self.ended.wait())
            await asyncio.wait((gone, ended), return_when=asyncio.FIRST_COMPLETED)
            gone.cancel()
            ended.cancel()
            return
        scope["endpoint"] = StaticFiles(directory=".")
        headers = [(b"content-type", b"text/html")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": PAGE})

    async def connect(self, client: str) -> Any:
        """Open a WebSocket; returns the first message that is sent to it."""
        first: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

        async def send(message: Any) -> None:
            if not first.done():
                first.set_result(message)

        async def receive() -> Any:
            await asyncio.Event().wait()

        scope: Any = {"type": "websocket", "path": "/_stcore/stream", "headers": []}
        scope |= {"client": (client, 1)}
        self.open.append(asyncio.create_task(self.app(scope, receive, send)))  # type: ignore[arg-type]
        return await first

    async def close(self) -> None:
        """Close all WebSockets."""
        self.ended.set()
        await asyncio.gather(*self.open)
        self.ended.clear()


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOMALISA_PAGES_ADDRESS", "2")
    monkeypatch.setenv("MOMALISA_PAGES_TOTAL", "3")
    settings.cache_clear()


def test_one_address_has_only_so_many_pages_and_all_have() -> None:
    async def scene() -> list[str]:
        gallery = Gallery()
        clients = ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2")
        answers = [await gallery.connect(client) for client in clients]
        await gallery.close()
        answers.append(await gallery.connect("192.0.2.1"))
        await gallery.close()
        assert answers[2]["code"] == answers[4]["code"] == open_pages.TRY_AGAIN_LATER
        return [answer["type"].removeprefix("websocket.") for answer in answers]

    expected = ["accept", "accept", "close", "accept", "close", "accept"]
    assert asyncio.run(scene()) == expected


def test_who_has_many_pages_makes_room_for_who_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four addresses held all pages of the gallery, and let no other visitor in."""
    monkeypatch.setenv("MOMALISA_PAGES_ADDRESS", "9")
    monkeypatch.setenv("MOMALISA_PAGES_TOTAL", "5")
    settings.cache_clear()

    async def scene() -> tuple[list[str], list[bool]]:
        gallery = Gallery()
        first = ("192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2", "192.0.2.2")
        for client in first:
            await gallery.connect(client)
        page = await asgi.request("/gallery", app=gallery.app, client="192.0.2.3")
        answers = [(await gallery.connect(client))["type"] for client in ("192.0.2.3", "192.0.2.3")]
        refused = await gallery.connect("192.0.2.2")
        await asyncio.sleep(0.1)
        over = [task.done() for task in gallery.open[:6]]
        await gallery.close()
        assert page[0] == 200
        return [*answers, refused["type"]], over

    answers, over = asyncio.run(scene())
    assert answers == ["websocket.accept", "websocket.close", "websocket.close"]
    # The newest page of the address that had three: the pages opened before it are at work.
    assert over == [False, False, True, False, False, False]


def test_where_too_many_are_open_a_page_is_a_sentence() -> None:
    async def scene() -> list[asgi.Response]:
        gallery = Gallery()
        answers = [await asgi.request("/gallery", app=gallery.app)]
        for _ in range(2):
            await gallery.connect("127.0.0.1")
        answers.append(await asgi.request("/gallery", app=gallery.app))
        await gallery.close()
        answers.append(await asgi.request("/gallery", app=gallery.app))
        return answers

    before, full, after = asyncio.run(scene())
    assert before == after
    assert (before[0], before[2]) == (200, PAGE)
    assert full[0] == 503
    assert open_pages.MANY_HERE in full[2].decode()
    assert full[1]["refresh"] == full[1]["retry-after"] == "10"


def test_a_curator_has_room_for_many_tabs() -> None:
    assert Settings.model_fields["pages_address"].default >= 50
