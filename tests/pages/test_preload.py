"""The preload headers of the pages' HTML."""

from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from streamlit.file_util import get_static_dir
from streamlit.web.server.starlette.starlette_static_routes import (
    create_streamlit_static_assets_routes,
)

from momalisa.ui.http import media, preload
from tests.support.asgi import get

STATIC = Path(get_static_dir())


def link_header(path: str) -> str | None:
    """The `Link` header of a response, with the app's routes and Streamlit's."""
    routes = [*media.ROUTES, *create_streamlit_static_assets_routes("")]
    app = Starlette(routes=routes, middleware=[Middleware(preload.add_preload_links)])
    return get(path, app=app)[1].get("link")


@pytest.mark.parametrize("element", preload.ELEMENTS)
def test_each_element_has_a_script(element: str) -> None:
    assert sum(name.startswith(f"{element}.") for name in preload.preload_scripts()) == 1


def test_scripts_exist_and_are_not_in_the_html() -> None:
    html = (STATIC / "index.html").read_text()
    assert all((STATIC / "static" / "js" / name).is_file() for name in preload.preload_scripts())
    assert not any(name in html for name in preload.preload_scripts())


def test_scripts_include_all_their_imports() -> None:
    known = {*preload.preload_scripts(), *preload.imported_scripts("index.html")}
    assert all(
        known >= set(preload.imported_scripts(f"static/js/{name}"))
        for name in preload.preload_scripts()
    )


@pytest.mark.parametrize("path", ["/", "/gallery"])
def test_every_page_has_the_header(path: str) -> None:
    named = link_header(path) or ""
    assert all(
        f"<./static/js/{name}>; rel=modulepreload" in named for name in preload.preload_scripts()
    )


@pytest.mark.parametrize("path", ["/favicon.png", "/pictures/walks/nosuch.mp4"])
def test_other_responses_do_not_have_the_header(path: str) -> None:
    assert link_header(path) is None
