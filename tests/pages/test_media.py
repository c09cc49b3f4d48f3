"""Pictures over HTTP: our own files, and nothing else."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from momalisa.ui import history, media

from .conftest import Hang, picture

KEY = "ab" + "0" * 62


def get(path: str, query: str = "") -> tuple[int, dict[str, str], bytes]:
    """Ask our routes for a path, exactly as it is written."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [],
        "server": ("test", 80),
        "client": ("test", 1),
        "scheme": "http",
        "http_version": "1.1",
    }
    asyncio.run(Starlette(routes=media.ROUTES)(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(part.get("body", b"") for part in sent[1:])


def test_a_film_comes_with_its_type_and_for_good(hang: Hang) -> None:
    walk = hang()
    status, headers, body = get(history.address(walk.files["gif"]))
    assert status == 200
    assert headers["content-type"] == "image/gif"
    assert "immutable" in headers["cache-control"]
    assert headers["x-content-type-options"] == "nosniff"
    assert body == picture("gif")


def test_a_download_bears_the_name_it_was_asked_for(hang: Hang) -> None:
    url, _, query = history.address(hang().files["gif"], download="ML.2026.0001.gif").partition("?")
    _, headers, _ = get(url, query)
    assert headers["content-disposition"] == 'attachment; filename="ML.2026.0001.gif"'


def test_a_frame_comes_from_the_cache(house: Path) -> None:
    frame = house / "frames" / "ab" / f"{KEY}.png"
    frame.parent.mkdir(parents=True)
    frame.write_bytes(picture("png"))
    status, headers, body = get(media.frame_url(KEY))
    assert (status, headers["content-type"], body) == (200, "image/png", picture("png"))


@pytest.mark.parametrize(
    "path",
    [
        "/pictures/store/../momalisa.db",
        "/pictures/store/saved_predictions/../../momalisa.db",
        "/pictures/store//etc/passwd",
        "/pictures/store/.hidden.gif",
        "/pictures/store/saved_predictions",
        "/pictures/store/nosuch.gif",
        "/pictures/store/notes.txt",
        "/pictures/store/link.gif",
        "/pictures/store/..\\momalisa.db",
        "/pictures/store/a\0.gif",
        "/pictures/frames/../momalisa.png",
        f"/pictures/frames/{KEY.upper()}.png",
        f"/pictures/frames/{KEY}.png",
        "/pictures/example/../shell.py",
        "/pictures/example/nosuch.gif",
    ],
)
def test_nothing_else_can_be_had(house: Path, path: str) -> None:
    store = house / "store"
    store.mkdir()
    (store / "notes.txt").write_text("no picture")
    (store / ".hidden.gif").write_bytes(picture("gif"))
    (house / "outside.gif").write_bytes(picture("gif"))
    (store / "link.gif").symlink_to(house / "outside.gif")
    assert get(path)[0] == 404
