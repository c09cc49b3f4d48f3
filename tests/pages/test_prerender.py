"""The posters that stand in the Gallery's HTML."""

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from streamlit.file_util import get_static_dir
from streamlit.web.server.starlette.starlette_static_routes import (
    create_streamlit_static_assets_routes,
)

from momalisa.settings import settings
from momalisa.ui import history
from momalisa.ui.http import prerender

from .conftest import Hang, Keep
from .test_media import get

HTML = (Path(get_static_dir()) / "index.html").read_bytes()
APP = Starlette(
    routes=create_streamlit_static_assets_routes(""),
    middleware=[Middleware(prerender.seen_at_once)],
)


def page(path: str = "/gallery", query: str = "") -> bytes:
    """The HTML as a browser gets it."""
    return get(path, query, app=APP)[2]


def titles(query: str = "") -> list[str]:
    """What is read under the posters."""
    return re.findall(r"<span>(?!&nbsp;)(.*?)</span>", page(query=query).decode())


def test_posters_stand_in_the_html_and_are_asked_for_first(hang: Hang) -> None:
    walk = hang()
    status, headers, body = get("/gallery", app=APP)
    place = history.address(walk, "poster")
    assert status == 200
    assert int(headers["content-length"]) == len(body)
    assert f'<a href="/gallery?walk={walk.id}"><img src="{place}"'.encode() in body
    assert headers["link"].startswith(f"<{place}>; rel=preload; as=image")
    before, after = HTML.split(b"</body>")
    assert body.startswith(before)
    assert body.endswith(b"</body>" + after)


def test_they_are_those_that_the_url_asks_for(hang: Hang) -> None:
    first, second = hang("a fox", "a hill"), hang("a moon", "a sea")
    assert titles() == [second.title, first.title]
    assert titles("sort=oldest") == [first.title, second.title]
    assert titles("q=fox") == [first.title]
    assert titles(f"before={second.id}") == [first.title]


def test_a_title_is_no_html(hang: Hang, keep: Keep) -> None:
    keep(hang(), title="<b>")
    assert titles() == ["&lt;b&gt;"]


@pytest.mark.parametrize("query", ["walk=nosuch", "q=nosuch", "before=nosuch"])
def test_where_no_wall_is_the_html_is_streamlits(hang: Hang, query: str) -> None:
    hang()
    assert page(query=query) == HTML


@pytest.mark.parametrize("path", ["/", "/create"])
def test_other_pages_have_none(hang: Hang, path: str) -> None:
    hang()
    assert page(path) == HTML


def test_a_history_that_fails_keeps_no_page_away(
    hang: Hang, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    hang()
    monkeypatch.setenv("MOMALISA_DATABASE_URL", f"sqlite:///{tmp_path}")
    settings.cache_clear()
    assert page() == HTML


def test_a_history_that_is_slow_keeps_no_page_waiting(
    hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    hang()
    monkeypatch.setattr(prerender, "PATIENCE", 0.0)
    assert page() == HTML
