"""Ranges of stored files: downloads that go on, and hostile headers."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from momalisa.ui import history
from momalisa.ui.http.ranges import choose_part
from tests.support.asgi import get, request
from tests.support.pages import MakeWalk, picture_bytes


def get_range(path: str, wanted: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """GET a range of a file's bytes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return asyncio.run(request(path, headers={"Range": wanted, **named}))


def test_a_download_goes_on_where_it_was(add_film: MakeWalk) -> None:
    url = history.file_url(add_film(), "gif")
    _status, whole, film = get(url)
    assert whole["accept-ranges"] == "bytes"
    half, size = len(film) // 2, len(film)
    for wanted, part in (
        (f"bytes={half}-", film[half:]),
        ("bytes=0-5", film[:6]),
        ("bytes=-7", film[-7:]),
        (f"bytes=3-{size * 9}", film[3:]),
        (f"bytes=-{size * 9}", film),
    ):
        status, headers, body = get_range(url, wanted, If_Range=whole["etag"])
        start = film.index(part) if part != film else 0
        assert (status, body) == (206, part), wanted
        assert headers["content-length"] == str(len(part))
        assert headers["content-range"] == f"bytes {start}-{start + len(part) - 1}/{size}"
        assert headers["content-type"] == "image/gif"


def test_a_download_begins_anew_if_the_file_has_changed(add_film: MakeWalk) -> None:
    url = history.file_url(add_film(), "gif")
    status, _headers, body = get_range(url, "bytes=5-", If_Range='"another"')
    assert (status, body) == (200, picture_bytes("gif"))


@pytest.mark.parametrize("wanted", ["bytes=9999999-", "bytes=-0", "bytes=999999999999999999-"])
def test_a_range_without_a_byte_of_the_file_is_refused(add_film: MakeWalk, wanted: str) -> None:
    status, headers, body = get_range(history.file_url(add_film(), "gif"), wanted)
    assert (status, body, headers["content-length"]) == (416, b"", "0")
    assert headers["content-range"] == f"bytes */{len(picture_bytes('gif'))}"


@pytest.mark.parametrize(
    "wanted",
    [
        *("", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-2", "bytes=--5", "lines=0-5"),
        *("bytes=0-1,3-4", "bytes=" + "0-," * 50_000, "bytes=0-" + "9" * 50_000, "bytes=²-³"),
        *("bytes=-1-5", "bytes=0x0-0x5", "bytes= 0-5\x00", "bytes=1e3-"),
    ],
    ids=lambda wanted: wanted[:20],
)
def test_a_hostile_range_gets_the_whole_file(add_film: MakeWalk, wanted: str) -> None:
    url = history.file_url(add_film(), "gif")
    assert get_range(url, wanted)[::2] == (200, picture_bytes("gif"))


@given(
    size=st.integers(0, 30), wanted=st.from_regex(r"bytes=[0-9]{0,2}-[0-9]{0,2}", fullmatch=True)
)
def test_a_range_is_a_part_of_the_file(size: int, wanted: str) -> None:
    status, part, headers = choose_part(Headers({"Range": wanted}), size, "")
    assert set(part) <= set(range(size))
    assert (status == 200) == ("Content-Range" not in headers)
    if status != 206:
        assert len(part) == (size if status == 200 else 0)
