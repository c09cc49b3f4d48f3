"""Pictures over HTTP: our own files, and nothing else."""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette

from momalisa.outbox import outbox_of
from momalisa.settings import settings
from momalisa.storage import GCSStorage, app_url, film_key
from momalisa.ui import history, media
from tests.faults import Proxy, emulator, proxy_before

from .conftest import Hang, Keep, found, picture

# The client library leaves the socket of an answer that it tries again to the collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)

KEY = "ab" + "0" * 62


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """The way to an emulated Cloud Storage."""
    with emulator() as place, proxy_before(place) as proxy:
        yield proxy
    gc.collect()


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
    status, headers, body = get(history.address(walk, "gif"))
    assert status == 200
    assert headers["content-type"] == "image/gif"
    assert "immutable" in headers["cache-control"]
    assert headers["x-content-type-options"] == "nosniff"
    assert body == picture("gif")


def test_a_download_bears_the_name_it_was_asked_for(hang: Hang) -> None:
    url, _, query = history.address(hang(), "gif", download="é 1.gif").partition("?")
    _, headers, _ = get(url, query)
    assert headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%A9%201.gif"


def test_a_waiting_film_comes_from_the_outbox(hang: Hang, keep: Keep) -> None:
    walk = hang()
    keep(walk, waiting=True, files={"gif": film_key(walk.id, "late.gif")})
    url = history.address(found(walk.id), "gif")
    assert get(url)[0] == 404
    outbox_of(settings()).shelf.put(film_key(walk.id, "late.gif"), picture("gif"), "image/gif")
    status, headers, body = get(url)
    assert (status, headers["content-type"], body) == (200, "image/gif", picture("gif"))


def test_a_waiting_film_is_not_sought_in_the_bucket(
    hang: Hang, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://bucket.test")
    walk = hang()
    monkeypatch.setattr(history, "storage", lambda: GCSStorage("films"))
    assert history.address(walk, "gif").startswith("http://bucket.test/")
    keep(walk, waiting=True)
    assert history.address(found(walk.id), "gif") == app_url(walk.files["gif"])


def test_a_bucket_is_handed_on_by_the_app(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where credentials cannot sign an address, browsers ask the app."""
    from google.cloud.storage import Client  # type: ignore[import-untyped]

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.address)
    key = film_key("abc", "film.gif")
    with closing(Client(project="test")) as client:
        client.create_bucket("films")
        films = GCSStorage("films", "", client, patience=1.0)
        films.put(key, picture("gif"), "image/gif")
        monkeypatch.setattr(history, "storage", lambda: films)
        status, headers, body = get(app_url(key), "download=a.gif")
        assert (status, headers["content-type"], body) == (200, "image/gif", picture("gif"))
        assert "immutable" in headers["cache-control"]
        assert headers["content-disposition"] == "attachment; filename*=UTF-8''a.gif"
        for nothing in ("nosuch.gif", "film.txt", "..%2F..%2Fsecret.gif", ".hidden.gif"):
            assert get(f"/pictures/store/saved_predictions/abc/{nothing}")[0] == 404
        proxy.gone = True
        status, headers, _ = get(app_url(key))
        assert status == 503
        assert "cache-control" not in headers


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
