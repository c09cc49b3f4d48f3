"""HTTP routes for pictures, exports and uploads."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pytest

from db.error_messages import Locked
from db.models import Walk
from momalisa.errors import BadInput, StorageError
from momalisa.film import embedded_text, exports
from momalisa.film.embedded_spec import read_spec
from momalisa.film.encode import encode_gif
from momalisa.settings import settings
from momalisa.storage import GCSStorage, app_url, film_key, open_storage
from momalisa.storage.outbox import open_outbox
from momalisa.ui import history, navigation
from momalisa.ui.gallery import import_film
from momalisa.ui.http import downloads, media
from tests.support.asgi import get, post, request
from tests.support.faults import Proxy
from tests.support.pages import MakeWalk, UpdateWalk, picture_bytes, spec, stored_walk
from tests.support.storage_emulator import proxied_emulator

# The client library leaves the sockets of retried responses to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)

KEY = "ab" + "0" * 62


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    """A proxy in front of an emulated Cloud Storage, which can fail on demand."""
    with proxied_emulator() as proxy:
        yield proxy


def cache_frame() -> None:
    """Put a finished frame into the cache."""
    path = settings().frame_cache / "ab" / f"{KEY}.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(picture_bytes("png"))


def test_a_film_is_served_with_its_type_and_cached_for_good(add_film: MakeWalk) -> None:
    walk = add_film()
    status, headers, body = get(history.file_url(walk, "gif"))
    assert status == 200
    assert headers["content-type"] == "image/gif"
    assert "immutable" in headers["cache-control"]
    assert headers["x-content-type-options"] == "nosniff"
    assert body == picture_bytes("gif")


def test_a_record_is_asked_for_again_since_it_changes(app_home: Path) -> None:
    key = film_key("abc", "walk.json")
    open_storage(settings().store_root).put(key, b"{}", "application/json")
    status, headers, _body = get(app_url(key))
    assert (status, headers["cache-control"]) == (200, "no-cache")


def test_a_download_keeps_its_kind_whatever_name_is_requested(add_film: MakeWalk) -> None:
    """What curators typed is in a film's settings: they must not be saved as a program."""
    url, _, _ = history.file_url(add_film(), "gif").partition("?")
    for asked, saved in (
        ("a.bat", "a.bat.gif"),
        ("a.gif", "a.gif"),
        ("a.gif.exe", "a.gif.exe.gif"),
    ):
        assert get(url, f"download={asked}")[1]["content-disposition"].endswith(f"'{saved}")


def test_a_download_has_the_requested_file_name(add_film: MakeWalk) -> None:
    url, _, query = history.file_url(add_film(), "gif", download="é 1.gif").partition("?")
    _, headers, _ = get(url, query)
    assert headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%A9%201.gif"


def test_a_film_that_waits_for_upload_is_served_from_the_outbox(
    add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    walk = add_film()
    update_walk(walk, waiting=True, files={"gif": film_key(walk.id, "late.gif")})
    url = history.file_url(stored_walk(walk.id), "gif")
    assert get(url)[0] == 404
    open_outbox(settings()).films.put(
        film_key(walk.id, "late.gif"), picture_bytes("gif"), "image/gif"
    )
    status, headers, body = get(url)
    assert (status, headers["content-type"], body) == (200, "image/gif", picture_bytes("gif"))


def test_the_url_of_a_film_that_waits_for_upload_is_the_apps(
    add_film: MakeWalk, update_walk: UpdateWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://bucket.test")
    walk = add_film()
    monkeypatch.setattr(history, "storage", lambda: GCSStorage("films"))
    assert history.file_url(walk, "gif").startswith("http://bucket.test/")
    update_walk(walk, waiting=True)
    assert history.file_url(stored_walk(walk.id), "gif") == app_url(walk.files["gif"])


def test_the_app_proxies_a_bucket_that_cannot_sign_urls(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without credentials that can sign URLs, browsers request the files from the app."""
    from google.cloud.storage import Client  # type: ignore[import-untyped]

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", proxy.address)
    key = film_key("abc", "film.gif")
    with closing(Client(project="test")) as client:
        client.create_bucket("films")
        films = GCSStorage("films", "", client, retry_seconds=1.0)
        films.put(key, picture_bytes("gif"), "image/gif")
        monkeypatch.setattr(history, "storage", lambda: films)
        status, headers, body = get(app_url(key), "download=a.gif")
        assert (status, headers["content-type"], body) == (200, "image/gif", picture_bytes("gif"))
        assert "immutable" in headers["cache-control"]
        assert headers["content-disposition"] == "attachment; filename*=UTF-8''a.gif"
        for nothing in ("nosuch.gif", "film.txt", "..%2F..%2Fsecret.gif", ".hidden.gif"):
            assert get(f"/pictures/store/saved_predictions/abc/{nothing}")[0] == 404
        proxy.offline = True
        status, headers, _ = get(app_url(key))
        assert status == 503
        assert "cache-control" not in headers
        proxy.offline = False
        assert get(app_url(key))[0] == 200


def test_a_stalled_bucket_does_not_block_other_pictures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bucket, back = GCSStorage("films"), threading.Event()
    monkeypatch.setattr(bucket, "get", lambda _key: picture_bytes("gif") if back.wait(30) else b"")
    monkeypatch.setattr(history, "storage", lambda: bucket)
    cache_frame()

    async def visits() -> tuple[int, list[int]]:
        film = app_url(film_key("abc", "film.gif"))
        waiting = [asyncio.create_task(request(film)) for _ in range(60)]  # more than threads
        try:
            async with asyncio.timeout(20):
                ours = await request(media.frame_url(KEY))
        finally:
            back.set()
        return ours[0], [answer[0] for answer in await asyncio.gather(*waiting)]

    assert asyncio.run(visits()) == (200, [200] * 60)


def test_a_frame_is_served_from_the_cache() -> None:
    cache_frame()
    status, headers, body = get(media.frame_url(KEY))
    assert (status, headers["content-type"], body) == (200, "image/png", picture_bytes("png"))


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
def test_other_paths_are_not_served(app_home: Path, path: str) -> None:
    store = app_home / "store"
    store.mkdir()
    (store / "notes.txt").write_text("no picture")
    (store / ".hidden.gif").write_bytes(picture_bytes("gif"))
    (app_home / "outside.gif").write_bytes(picture_bytes("gif"))
    (store / "link.gif").symlink_to(app_home / "outside.gif")
    assert get(path)[0] == 404


GREY = [np.full((64, 64, 3), level, np.uint8) for level in (20, 120, 220)]


@pytest.fixture
def replace_gif(update_walk: UpdateWalk) -> Callable[[Walk, bytes], None]:
    """Replace the GIF of a walk."""

    def _replace_gif(walk: Walk, gif: bytes) -> None:
        key = film_key(walk.id, "other.gif")
        open_storage(settings().store_root).put(key, gif, "image/gif")
        update_walk(walk, files=walk.files | {"gif": key})

    return _replace_gif


def real_gif() -> bytes:
    return encode_gif(GREY, 10)


@pytest.mark.parametrize("kind", exports.CONTENT_TYPES)
def test_an_export_contains_the_spec(
    add_film: MakeWalk, replace_gif: Callable[..., None], kind: exports.ExportFormat
) -> None:
    walk = add_film("a moon", "a sea")
    replace_gif(walk, real_gif())
    url = downloads.download_urls(walk)[downloads.FORMAT_NAMES[kind]]
    status, headers, body = get(url)
    assert (status, headers["content-type"]) == (200, exports.CONTENT_TYPES[kind])
    name = f"{walk.accession}.{kind}"
    assert headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"
    assert read_spec(body, name) == spec("a moon", "a sea")


def test_a_foreign_film_is_converted_but_has_no_frames(
    add_foreign_film: MakeWalk, replace_gif: Callable[..., None]
) -> None:
    walk = add_foreign_film("a b.c")
    replace_gif(walk, real_gif())
    offers = downloads.download_urls(walk)
    assert list(offers) == ["MP4", "WebP"]
    assert get(offers["WebP"].replace("%20", " "))[2].startswith(b"RIFF")
    status, _, page = get("/pictures/walks/a b.c.zip")
    assert status == 422
    assert b"Another program made this film" in page


def test_a_film_that_waits_for_upload_can_be_exported(
    add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    walk = add_film()
    key = film_key(walk.id, "late.gif")
    open_outbox(settings()).films.put(key, real_gif(), "image/gif")
    update_walk(walk, waiting=True, files={"gif": key})
    assert get(f"/pictures/walks/{walk.id}.mp4")[0] == 200


def test_links_bear_any_id(add_foreign_film: MakeWalk, replace_gif: Callable[..., None]) -> None:
    """Links to a film of another program led to “Cats ”, “Cats & Dogs ” or nowhere."""
    awkward = "Cats & Dogs #1 100% für=später+é"
    walk = add_foreign_film(awkward)
    replace_gif(walk, real_gif())
    assert parse_qs(urlsplit(navigation.film_address(awkward)).query) == {"walk": [awkward]}
    exports_, film = downloads.download_urls(walk), history.file_url(walk, "poster")
    for link in map(urlsplit, [*exports_.values(), str(film)]):
        assert get(unquote(link.path), link.query)[0] == 200, link


def test_an_unknown_download_is_answered_with_an_error_page(
    add_film: MakeWalk, enqueue_walk: MakeWalk
) -> None:
    for name in ("nosuch.mp4", f"{add_film().id}.exe", f"{enqueue_walk().id}.mp4", "<b>.mp4"):
        status, headers, page = get(f"/pictures/walks/{name}")
        assert (status, headers["content-type"]) == (404, "text/html; charset=utf-8")
        assert "content-disposition" not in headers
        assert b"There is no such film under this link." in page
        assert b"<b>" not in page


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (BadInput("Please do it so."), 422, "Please do it so."),
        (StorageError("The storage is out of reach."), 503, "The storage is out of reach."),
        (Locked.at("momalisa.db"), 503, "Another program keeps the history locked"),
        (ZeroDivisionError("secret"), 500, "nobody foresaw"),
    ],
)
def test_a_failed_download_is_answered_with_the_reason(
    add_film: MakeWalk,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    sentence: str,
) -> None:
    def fail() -> None:
        raise error

    walk = add_film()
    monkeypatch.setattr(history, "storage", fail)
    answered, _, page = get(f"/pictures/walks/{walk.id}.mp4")
    assert answered == status
    assert sentence in page.decode()
    assert "secret" not in page.decode()


def test_a_download_of_a_lost_file_is_not_found(app_home: Path, add_film: MakeWalk) -> None:
    walk = add_film()
    (app_home / "store" / walk.files["gif"]).unlink()
    status, _, page = get(f"/pictures/walks/{walk.id}.mp4")
    assert status == 404
    assert "file is not where it should be" in page.decode()
    assert str(app_home) not in page.decode()


def test_at_most_two_exports_run_at_a_time(
    add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, release = list[Path](), threading.Event()

    def export(_kind: object, target: Path, **_how: object) -> None:
        begun.append(target)
        release.wait(60)
        target.write_bytes(b"")

    monkeypatch.setattr(exports, "export_film", export)
    paths = [f"/pictures/walks/{add_film().id}.mp4" for _ in range(6)]

    async def six() -> tuple[int, list[int]]:
        answers = asyncio.gather(*map(request, paths))
        while len(begun) < 2:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.5)  # a third would begin
        running = len(begun)
        release.set()
        return running, [answer[0] for answer in await answers]

    assert asyncio.run(six()) == (2, [200] * 6)


def test_an_uploaded_film_is_answered_with_its_spec() -> None:
    gif = encode_gif(GREY, 10, spec().model_dump_json())
    status, headers, body = post(import_film.PATH, "name=a.gif", gif[:500], gif[500:])
    assert (status, headers["content-type"]) == (200, "application/json")
    assert read_spec(body, "") == spec()


def test_a_bad_upload_is_answered_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    status, _, body = post(import_film.PATH, "name=a%20b.gif", b"GIF89a")
    assert status == 422
    assert body.decode().startswith("“a b.gif”: This file is damaged")
    monkeypatch.setattr(embedded_text, "FILE_LIMIT", 2**20)
    endless = [bytes(2**19)] * 100
    status, _, body = post(import_film.PATH, "", *endless)
    assert status == 422
    assert "larger than 1 MB, so it is not read" in body.decode()
