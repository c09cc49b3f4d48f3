"""The posters in the Gallery's HTML."""

import asyncio
import re
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from streamlit.file_util import get_static_dir
from streamlit.web.server.starlette.starlette_static_routes import (
    create_streamlit_static_assets_routes,
)

import streamlit_app
from momalisa.settings import settings
from momalisa.ui import history
from momalisa.ui.http import prerender
from tests.support.asgi import get, request
from tests.support.pages import MakeWalk, UpdateWalk
from tests.support.sign_in import cookie_of, write_secrets
from tests.support.waiting import PATIENCE

HTML = (Path(get_static_dir()) / "index.html").read_bytes()
APP = Starlette(
    routes=create_streamlit_static_assets_routes(""),
    middleware=[Middleware(prerender.prerender_posters)],
)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine the database may take longer than visitors are made to wait."""
    monkeypatch.setattr(prerender, "TIMEOUT", 30.0)


def page(path: str = "/gallery", query: str = "") -> bytes:
    """The body of a response."""
    return get(path, query, app=APP)[2]


def titles(query: str = "") -> list[str]:
    """The titles of the posters in the HTML."""
    return re.findall(r"<span>(?!&nbsp;)(.*?)</span>", page(query=query).decode())


def test_posters_are_in_the_html_and_preloaded(add_film: MakeWalk) -> None:
    walk = add_film()
    status, headers, body = get("/gallery", app=APP)
    place = history.file_url(walk, "poster")
    assert status == 200
    assert int(headers["content-length"]) == len(body)
    assert f'<a href="/gallery?walk={walk.id}"><img src="{place}"'.encode() in body
    assert headers["link"].startswith(f"<{place}>; rel=preload; as=image")
    before, after = HTML.split(b"</body>")
    assert body.startswith(before)
    assert body.endswith(b"</body>" + after)


def test_the_posters_are_selected_by_the_url(add_film: MakeWalk) -> None:
    first, second = add_film("a fox", "a hill"), add_film("a moon", "a sea")
    assert titles() == [second.title, first.title]
    assert titles("sort=oldest") == [first.title, second.title]
    assert titles("q=fox") == [first.title]
    assert titles(f"before={second.id}") == [first.title]


def test_titles_are_escaped(add_film: MakeWalk, update_walk: UpdateWalk) -> None:
    update_walk(add_film(), title="<b>")
    assert titles() == ["&lt;b&gt;"]


@pytest.mark.parametrize("query", ["walk=nosuch", "q=nosuch", "before=nosuch"])
def test_without_posters_the_html_is_unchanged(add_film: MakeWalk, query: str) -> None:
    add_film()
    assert page(query=query) == HTML


@pytest.mark.parametrize("path", ["/", "/create"])
def test_other_pages_are_unchanged(add_film: MakeWalk, path: str) -> None:
    add_film()
    assert page(path) == HTML


def test_a_failed_database_does_not_block_the_page(
    add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    add_film()
    monkeypatch.setenv("MOMALISA_DATABASE_URL", f"sqlite:///{tmp_path}")
    settings.cache_clear()
    assert page() == HTML


def test_a_slow_database_does_not_block_the_page(
    add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_film()
    answers = Event()
    monkeypatch.setattr(prerender, "_posters", lambda _query: answers.wait(PATIENCE))
    monkeypatch.setattr(prerender, "TIMEOUT", 0.0)
    assert page() == HTML
    answers.set()


def test_a_gallery_for_members_has_no_posters_for_others(
    add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = add_film()
    write_secrets(monkeypatch)
    monkeypatch.setenv("MOMALISA_VISITORS", "none")
    settings.cache_clear()
    assert page() == HTML
    claims = {"is_logged_in": True, "iss": "https://id.test", "sub": "1"}
    sent = {"cookie": cookie_of(claims)}
    assert walk.title.encode() in asyncio.run(request("/gallery", app=APP, headers=sent))[2]


def test_the_servers_start_passes_every_middleware() -> None:
    """Where one raises, the server starts without migrating the history, and says little."""
    passed: list[str] = []

    async def app(scope: Any, _receive: Any, _send: Any) -> None:
        passed.append(scope["type"])

    async def unused(*_: Any) -> Any:
        raise AssertionError

    async def start() -> None:
        for middleware in streamlit_app.app._user_middleware:
            wrapped = middleware.cls(app, *middleware.args, **middleware.kwargs)
            await wrapped({"type": "lifespan", "asgi": {"version": "3.0"}}, unused, unused)

    asyncio.run(start())
    assert passed == ["lifespan"] * len(streamlit_app.app._user_middleware)
