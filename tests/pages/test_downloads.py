"""Downloads in other formats: whoever asks in vain, or is gone, keeps nobody else waiting."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import imageio.v3 as iio
import numpy as np
import pytest
from starlette.applications import Starlette

from momalisa.deletion import delete_walk
from momalisa.errors import BadInput, Cancelled, NotStored
from momalisa.film import exports
from momalisa.film.encode import encode_gif
from momalisa.film.shown import encode_shown_film
from momalisa.settings import settings
from momalisa.storage import LocalStorage
from momalisa.storage.outbox import Outbox
from momalisa.ui import history
from momalisa.ui.http import downloads
from momalisa.ui.http.shared_calls import SharedCalls, TooMany
from momalisa.ui.http.threads import MOST_WAITING, Threads, TooSlow
from momalisa.ui.submit import spec_of
from tests.support.asgi import get, request
from tests.support.pages import MakeWalk
from tests.support.waiting import wait_until

APP = Starlette(routes=[downloads.ROUTE])


async def never() -> bool:
    return False


async def always() -> bool:
    return True


class Export:
    """A call that runs until it is let go or told to stop."""

    def __init__(self) -> None:
        self.calls, self.stopped, self.ready = 0, 0, threading.Event()

    def __call__(self, should_stop: Callable[[], bool]) -> str:
        self.calls += 1
        while not self.ready.wait(0.02):
            if should_stop():
                self.stopped += 1
                raise Cancelled("stopped")
        return "film"


@pytest.fixture
def export() -> Iterator[Export]:
    call = Export()
    yield call
    call.ready.set()


class Desk:
    """Shared calls in one thread, and the results that were discarded."""

    def __init__(self, total: int = 16, each: int = 4) -> None:
        self.discarded: list[str] = []
        threads = Threads("desk", 1, seconds=30)
        self.calls = SharedCalls[str](
            threads, total=total, each=each, discard=self.discarded.append
        )

    async def ask(
        self, key: str, export: Export, address: str = "192.0.2.1", is_gone: Any = never
    ) -> str:
        return await self.calls.run(key, export, str.upper, address=address, is_gone=is_gone)


def test_equal_requests_share_one_export(export: Export) -> None:
    desk = Desk()

    async def scene() -> list[str]:
        asked = [asyncio.create_task(desk.ask("a.mp4", export)) for _ in range(3)]
        await asyncio.sleep(0.2)
        assert desk.discarded == []
        export.ready.set()
        return await asyncio.gather(*asked)

    assert asyncio.run(scene()) == ["FILM"] * 3
    wait_until(lambda: desk.discarded == ["film"])
    assert export.calls == 1


def test_results_are_taken_and_discarded_off_the_event_loop(export: Export) -> None:
    """Both touch the disk: one that hangs must not stop the server."""
    threads: list[threading.Thread] = []

    def note(_result: str) -> None:
        threads.append(threading.current_thread())

    calls = SharedCalls[str](Threads("desk", 1, seconds=30), total=16, each=4, discard=note)
    export.ready.set()
    asyncio.run(calls.run("a.mp4", export, note, address="192.0.2.1", is_gone=never))
    wait_until(lambda: len(threads) == 2)
    assert threading.main_thread() not in threads


def test_an_export_whose_clients_are_gone_is_stopped_and_the_next_one_begins(
    export: Export,
) -> None:
    """Sixty requests that were closed at once kept the next download waiting for 74 s."""
    desk, next_one = Desk(total=200, each=99), Export()
    next_one.ready.set()

    async def scene() -> str:
        gone = [
            asyncio.create_task(desk.ask(f"{n}.webp", export, is_gone=always)) for n in range(60)
        ]
        await asyncio.gather(*gone, return_exceptions=True)
        return await asyncio.wait_for(desk.ask("a.mp4", next_one), 20)

    assert asyncio.run(scene()) == "FILM"
    assert export.calls == export.stopped <= 1


def test_an_export_goes_on_for_those_who_still_wait(export: Export) -> None:
    desk = Desk()

    async def scene() -> str:
        asked = asyncio.create_task(desk.ask("a.mp4", export))
        await asyncio.sleep(0.1)
        with pytest.raises(Cancelled):
            await desk.ask("a.mp4", export, is_gone=always)
        export.ready.set()
        return await asked

    assert asyncio.run(scene()) == "FILM"
    assert (export.calls, export.stopped) == (1, 0)


@pytest.mark.parametrize(("address", "most"), [("192.0.2.1", 2), ("", 3)])
def test_only_so_many_requests_wait(export: Export, address: str, most: int) -> None:
    desk = Desk(total=6, each=2)

    async def scene() -> None:
        asked = [asyncio.create_task(desk.ask(f"{n}.mp4", export, address)) for n in range(most)]
        await asyncio.sleep(0.1)
        with pytest.raises(TooMany, match="try again"):
            await desk.ask("more.mp4", export, address)
        export.ready.set()
        await asyncio.gather(*asked, desk.ask("other.mp4", export, "192.0.2.9"))

    asyncio.run(scene())


def test_no_more_calls_wait_for_a_thread_than_may() -> None:
    threads, back = Threads("bounded", 1), threading.Event()
    with suppress(TooSlow):
        for _ in range(MOST_WAITING + 1):
            threads.submit(back.wait, 60)
    try:
        with pytest.raises(TooSlow, match="try again"):
            threads.submit(back.wait, 60)
    finally:
        back.set()


def test_two_visitors_are_sent_the_same_export(
    add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Path] = []

    def write(_kind: str, target: Path, **_how: Any) -> None:
        begun.append(target)
        threading.Event().wait(0.5)
        target.write_bytes(b"a film")

    monkeypatch.setattr(exports, "export_film", write)
    monkeypatch.setattr(exports, "needs_film", lambda *_what: False)
    path = f"/pictures/walks/{add_film().id}.mp4"

    async def scene() -> list[Any]:
        return await asyncio.gather(*(request(path, app=APP) for _ in range(2)))

    answers = asyncio.run(scene())
    assert [(status, body) for status, _, body in answers] == [(200, b"a film")] * 2
    (target,) = begun
    assert not target.parent.exists()


@pytest.mark.parametrize("error", [BadInput, NotStored])
def test_of_a_film_deleted_while_its_download_is_made_that_is_told(
    app_home: Path,
    add_film: MakeWalk,
    monkeypatch: pytest.MonkeyPatch,
    error: type[Exception],
) -> None:
    """It was said that its frames are no longer at hand, and to ask for it again."""
    walk = add_film()
    store, outbox = LocalStorage(app_home / "store"), Outbox(app_home / "outbox")

    def delete(*_what: Any, **_how: Any) -> None:
        delete_walk(walk.id, store, outbox, settings().database)
        raise error("The film's frames are no longer at hand.")

    monkeypatch.setattr(exports, "export_film", delete)
    status, _, page = asyncio.run(request(f"/pictures/walks/{walk.id}.mp4", app=APP))
    assert status == 404
    assert "It may have been deleted." in page.decode()
    assert "at hand" not in page.decode()


@pytest.mark.parametrize("kind", ["gif", "poster"])
def test_the_download_of_a_deleted_film_leads_back_to_the_gallery(
    app_home: Path, add_film: MakeWalk, kind: str
) -> None:
    """It was a bare sentence, in a tab of its own."""
    walk = add_film()
    (app_home / "store" / walk.files[kind]).unlink()
    path, _, query = history.file_url(walk, kind, download="a film").partition("?")
    status, headers, page = get(path, query)
    assert (status, headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "It may have been deleted." in page.decode()
    assert 'href="/gallery"' in page.decode()
    status, headers, _ = get(path)  # as a page's picture
    assert (status, headers["content-type"]) == (404, "text/plain; charset=utf-8")


@pytest.mark.parametrize("webp", ["whole", "cut short", "of another size", "lost"])
def test_a_download_is_made_from_the_webp_if_that_is_whole(
    app_home: Path, add_film: MakeWalk, webp: str
) -> None:
    """Without the cached frames; else from the GIF."""
    walk = add_film()
    spec = spec_of(walk)
    gif, film = (app_home / "store" / walk.files[kind] for kind in ("gif", "webp"))
    gif.write_bytes(encode_gif([np.full((64, 64, 3), 50, np.uint8)] * 3, spec.fps))
    size = 32 if webp == "of another size" else 64
    data = encode_shown_film(spec, [np.full((size, size, 3), 200, np.uint8)] * 3)
    film.write_bytes(data[:-9] if webp == "cut short" else data)
    if webp == "lost":
        film.unlink()
    _, _, archive = asyncio.run(request(f"/pictures/walks/{walk.id}.zip", app=APP))
    frame = iio.imread(ZipFile(BytesIO(archive)).read("0001.png"))
    assert frame.shape == (64, 64, 3)
    assert frame.mean() == pytest.approx(200 if webp == "whole" else 50, abs=4)
