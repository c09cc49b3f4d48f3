"""A disk, a bucket or a history that hangs stops only the routes that need it, and these answer."""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from streamlit.web.server.starlette.starlette_static_routes import (
    create_streamlit_static_assets_routes,
)

from momalisa.errors import StorageError
from momalisa.health.deadline import Recent
from momalisa.health.metrics import Metrics
from momalisa.settings import settings
from momalisa.storage import GCSStorage, app_url, film_key
from momalisa.ui import history
from momalisa.ui.http import downloads, health, media, not_found, prerender, stills
from momalisa.ui.http.threads import OpenFileResponse, Threads, TooSlow
from tests.support.asgi import request
from tests.support.pages import MakeWalk, picture_bytes, spec

APP = Starlette(
    routes=[
        *health.ROUTES,
        *media.ROUTES,
        *stills.ROUTES,
        *create_streamlit_static_assets_routes(""),
    ],
    middleware=[
        Middleware(not_found.redirect_unknown_pages),
        Middleware(prerender.prerender_posters),
    ],
)
KEY = "ab" + "0" * 62
SECONDS = 2.0
"""The deadline in these tests."""
MANY = 60
"""More requests than the server has threads of any kind."""


@pytest.fixture
def back() -> Iterator[threading.Event]:
    """Set when what hung comes back, at the latest after the test."""
    event = threading.Event()
    yield event
    event.set()


def status(path: str, query: str = "") -> Any:
    """The status of a GET request, to be awaited."""

    async def _status() -> int:
        return (await request(path, query, app=APP))[0]

    return _status()


async def statuses(hung: Callable[[], Any], sound: list[Any]) -> tuple[list[int], list[int]]:
    """Send MANY requests that hang, then sound ones while they do; the statuses of both."""
    waiting = [asyncio.create_task(hung()) for _ in range(MANY)]
    await asyncio.sleep(SECONDS / 4)
    async with asyncio.timeout(20):
        answers = [await one for one in sound]
    return await asyncio.gather(*waiting), answers


def count_threads(name: str) -> int:
    return sum(thread.name.startswith(f"{name} ") for thread in threading.enumerate())


@pytest.mark.parametrize(
    ("module", "name", "path"),
    [
        (media, "_servable_path", f"/pictures/store/{'0' * 32}/film.gif"),
        (media, "_servable_path", f"/pictures/frames/{KEY}.png"),
        (stills, "_enqueue_still", stills.PATH),
        (downloads, "_find_film", "/pictures/walks/any.mp4"),
        (prerender, "_prerender", "/gallery"),
        (health, "find_faults", "/readyz"),
        (Metrics, "text", "/metrics"),
    ],
)
def test_the_server_goes_on_while_a_route_reads(
    module: Any, name: str, path: str, monkeypatch: pytest.MonkeyPatch, back: threading.Event
) -> None:
    """A read in the loop of events stopped every page."""
    reads, is_over = threading.Event(), threading.Event()

    def hang(*_given: Any) -> Any:
        reads.set()
        back.wait(3)
        is_over.set()
        raise OSError("gone")

    monkeypatch.setattr(module, name, hang)
    monkeypatch.setattr(health, "_readiness", Recent(lambda: health.find_faults(), -1))

    async def visit() -> None:
        asked = asyncio.create_task(request(path, app=APP, headers={"host": "localhost"}))
        async with asyncio.timeout(60):
            while not reads.is_set():
                await asyncio.sleep(0.01)
        assert not is_over.is_set()
        back.set()
        with suppress(OSError):
            await asked

    asyncio.run(visit())


def test_a_hung_store_stops_no_other_route(
    add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch, back: threading.Event
) -> None:
    film = history.file_url(add_film(), "gif")
    frame = settings().frame_cache / "ab" / f"{KEY}.png"
    frame.parent.mkdir(parents=True)
    frame.write_bytes(picture_bytes("png"))
    find = media._servable_path

    def hang_in_store(root: Path, key: str) -> Path | None:
        if root == Path(settings().store_root):
            back.wait(60)
        return find(root, key)

    monkeypatch.setattr(media, "_servable_path", hang_in_store)
    monkeypatch.setattr(media, "STORE", Threads("hung store", 4, SECONDS))
    pages = ["/", "/gallery", "/create", "/favicon.png"]
    others = [media.frame_url(KEY), "/pictures/example/film.gif", "/pictures/walks/no.mp4", *pages]
    hung, sound = asyncio.run(
        statuses(lambda: status(film), [*map(status, others), status("/pictures/still")])
    )
    assert set(hung) == {503}
    assert sound == [200, 200, 404, 200, 200, 200, 200, 404]
    assert count_threads("hung store") == 4
    back.set()
    assert asyncio.run(status(film)) == 200


def test_while_a_bucket_is_away_one_picture_at_a_time_tries_it(
    monkeypatch: pytest.MonkeyPatch, back: threading.Event
) -> None:
    """Posters held all connections of a browser, whose page stayed blank for most of a minute."""
    bucket, film = GCSStorage("films"), app_url(film_key("abc", "film.gif"))
    tries: list[str] = []
    both_asked = threading.Event()

    def get(key: str) -> bytes:
        tries.append(key)
        if len(tries) == 1:
            both_asked.wait(60)
            raise StorageError("It is away.")
        both_asked.set()
        back.wait(60)
        return picture_bytes("gif")

    monkeypatch.setattr(bucket, "get", get)
    monkeypatch.setattr(history, "storage", lambda: bucket)

    async def visits() -> list[int]:
        trying = [asyncio.create_task(status(film)) for _ in range(2)]
        async with asyncio.timeout(60):
            done, (hung,) = await asyncio.wait(trying, return_when=asyncio.FIRST_COMPLETED)
            answers = [one.result() for one in done]
            answers += [await status(film) for _ in range(3)]
        back.set()
        return [*answers, await hung, *await asyncio.gather(status(film), status(film))]

    assert asyncio.run(visits()) == [503] * 4 + [200] * 3
    assert len(tries) == 4


def test_a_hung_history_stops_neither_pictures_nor_pages(
    add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch, back: threading.Event
) -> None:
    film = history.file_url(add_film(), "gif")

    @contextmanager
    def hang() -> Iterator[Any]:
        back.wait(60)
        yield None

    monkeypatch.setattr(history, "reading", hang)
    monkeypatch.setattr(history, "writing", hang)
    monkeypatch.setattr(stills, "HISTORY", Threads("hung history", 4, SECONDS))
    monkeypatch.setattr(stills, "WAITING_EACH", MANY)
    still = stills.still_url(spec(), "me").partition("?")[2] + "&leg=0&t=0.5"
    hung, sound = asyncio.run(
        statuses(lambda: status(stills.PATH, still), [status(film), status("/gallery")])
    )
    assert set(hung) == {503}
    assert sound == [200, 200]
    assert count_threads("hung history") == 4


def test_a_file_that_hangs_while_it_is_sent_ends_the_answer(tmp_path: Path) -> None:
    """A pipe gives the first bytes of a film, and no more."""
    read, write = os.pipe()
    os.write(write, b"GIF89a")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        reader = Threads("pipe", 1, SECONDS)
        answer = OpenFileResponse(reader, os.fdopen(read, "rb", 0), 999, {}, "image/gif")
        with pytest.raises(TooSlow):
            await answer(scope, receive, send)

    assert asyncio.run(request("/", app=app))[::2] == (200, b"GIF89a")
    os.close(write)


def test_a_call_that_ends_at_its_very_deadline_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was an error of the server, and nobody discarded what it had made."""
    threads, ended = Threads("late", 1), Future[str]()
    ended.set_result("film")
    monkeypatch.setattr(threads, "submit", lambda *_call: ended)
    assert asyncio.run(threads.run(str, seconds=0.0)) == "film"


def test_waiting_calls_are_forgotten_and_the_others_errors_are_passed_on() -> None:
    few, back = Threads("few", 1, 0.5), threading.Event()
    ran: list[str] = []

    def fail() -> None:
        raise TimeoutError("of the call")

    async def visit() -> None:
        hung = asyncio.create_task(few.run(back.wait, 20))
        await asyncio.sleep(0.1)  # it begins first
        with pytest.raises(TooSlow):
            await few.run(ran.append, "too late")
        with suppress(TooSlow):
            await hung
        back.set()
        with pytest.raises(TimeoutError, match="of the call"):
            await few.run(fail, seconds=30)

    asyncio.run(visit())
    assert ran == []
