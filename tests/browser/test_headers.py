"""Security headers on every route, and pages that work under their Content-Security-Policy."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.test_boundary import PATHS, get, port_of
from tests.support.app import App, running_app
from tests.support.browser import (
    FILM_PATIENCE,
    PATIENCE,
    Visitor,
    fill_field,
    press,
    wait_for_script,
)
from tests.support.network import free_port

pytestmark = pytest.mark.browser

ALONE = {"MOMALISA_WORKER": "external"}
LISTENER = """
addEventListener("securitypolicyviolation", event => console.error(
  `violation: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile} ${event.sample}`))
"""


@pytest.mark.parametrize("path", [*PATHS, "/pictures/walks/none.mp4", "/_stcore/health"])
@pytest.mark.parametrize("host", ["localhost", "evil.example"])
def test_every_answer_has_the_headers(app: App, path: str, host: str) -> None:
    _, headers = get(app, path, f"{host}:{port_of(app)}")
    csp = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in csp
    assert "'unsafe-eval'" not in csp
    assert "unsafe-inline" not in csp.partition("script-src")[2].partition(";")[0]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]


def listen(page: Page) -> list[str]:
    """Collect the violations that a tab reports from now on."""
    found: list[str] = []
    page.add_init_script(LISTENER)
    page.on(
        "console",
        lambda message: (
            found.append(message.text)
            if "violation:" in message.text or "Content Security Policy" in message.text
            else None
        ),
    )
    return found


def test_making_taking_along_and_dropping_a_film_violate_nothing(
    app: App, browser: Browser, tmp_path: Path
) -> None:
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    found = listen(page)
    page.set_default_timeout(2 * PATIENCE)
    page.goto(f"{app.url}/create")
    fill_field(page, "From", "a red square on white")
    fill_field(page, "To", "a stormy sea at night")
    fill_field(page, "Frames a leg", "4")
    press(page, "Walk")
    page.get_by_role("button", name="Remix").wait_for(timeout=3 * FILM_PATIENCE)
    with page.expect_download() as taken:
        page.get_by_role("link", name="Download GIF").click()
    film = tmp_path / "film.gif"
    taken.value.save_as(film)
    page.goto(f"{app.url}/gallery")
    with page.expect_download():
        page.get_by_role("link", name="CSV").click()
    page.locator("input[type=file]").set_input_files(film)
    page.wait_for_url("**/create**")
    page.get_by_label("Place on the way").wait_for()
    wait_for_script(page)
    assert found == []
    context.close()


@contextmanager
def other_site(framed: str, folder: Path) -> Iterator[str]:
    """Serve a page of another origin with a frame of that address; yields its origin."""
    Path(folder, "index.html").write_text(f"<iframe src={framed} width=900 height=700></iframe>")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_only_invited_sites_show_the_app_in_a_frame(visitor: Visitor, tmp_path: Path) -> None:
    """Clickjacking: a site that lays the app's *Delete* below a button of its own."""
    page, port = visitor.page, free_port()
    heading = page.frame_locator("iframe").get_by_role("heading", name="MOMA Lisa")
    with other_site(f"http://localhost:{port}", tmp_path) as site:
        with (
            running_app(tmp_path, port=port, environment=ALONE),
            # What the console says comes only while Playwright waits for something.
            page.expect_console_message(lambda said: "frame-ancestors" in said.text),
        ):
            page.goto(site)
        with running_app(tmp_path, port=port, environment=ALONE | {"MOMALISA_EMBEDDERS": site}):
            page.goto(site)
            heading.wait_for(timeout=2 * PATIENCE)
