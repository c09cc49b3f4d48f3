"""Security headers on every route, and who may show the app in a frame."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.browser.test_boundary import PATHS, get, port_of
from tests.support.app import App, running_app
from tests.support.browser import PATIENCE, Visitor

pytestmark = pytest.mark.browser


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


@contextmanager
def other_site(framed: str, folder: Path) -> Iterator[str]:
    """Serve a page of another origin with a frame of that address; yields its origin."""
    Path(folder, "index.html").write_text(f"<iframe src={framed} width=900 height=700></iframe>")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_only_invited_sites_show_the_app_in_a_frame(
    visitor: Visitor, port: int, tmp_path: Path
) -> None:
    """Clickjacking: a site that lays the app's *Delete* below a button of its own."""
    page, address = visitor.page, f"http://localhost:{port}"
    with other_site(address, tmp_path) as invited, other_site(address, tmp_path) as stranger:
        environment = {"MOMALISA_WORKER": "external", "MOMALISA_EMBEDDERS": invited}
        with running_app(tmp_path, port=port, environment=environment):
            # What the console says comes only while Playwright waits for something.
            with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
                page.goto(stranger)
            page.goto(invited)
            heading = page.frame_locator("iframe").get_by_role("heading", name="MOMA Lisa")
            heading.wait_for(timeout=2 * PATIENCE)
