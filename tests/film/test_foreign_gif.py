"""GIFs from outside: small files that promise many pixels are refused before they are decoded."""

import sys
import tracemalloc
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from momalisa import limited_process
from momalisa.errors import BadInput
from momalisa.film import exports, foreign_gif
from momalisa.film.embedded_text import read_comment
from momalisa.film.encode import decode_gif
from momalisa.film.foreign_gif import describe_gif

SIDE = 13_000


def gif_header(width: int, height: int, frames: int = 1) -> bytes:
    """A GIF of that size whose frames have no pixels: damaged, if anything decodes it."""
    size = width.to_bytes(2, "little") + height.to_bytes(2, "little")
    frame = b"\x21\xf9\x04\0\x0a\0\0\0" + b"," + bytes(4) + size + b"\0" + b"\x02\0"
    return b"GIF89a" + size + b"\x80\0\0" + b"\0\0\0\xff\xff\xff" + frame * frames + b";"


def plain_gif(side: int, frames: int = 1) -> bytes:
    """A GIF of plain frames that differ: a few bytes, and many pixels."""
    data = BytesIO()
    first, *others = [Image.new("P", (side, side), n % 2) for n in range(frames)]
    first.save(data, "GIF", save_all=True, append_images=others, duration=100)
    return data.getvalue()


def test_a_gif_is_described() -> None:
    data = BytesIO()
    frames = [Image.fromarray(np.full((40, 60, 3), level, np.uint8)) for level in (0, 90, 200)]
    frames[0].save(data, "GIF", save_all=True, append_images=frames[1:], comment=b'{"a": 1}')
    found = describe_gif(data.getvalue())
    assert (found.frames, found.comment) == (3, '{"a": 1}')
    with Image.open(BytesIO(found.poster)) as poster:
        assert (poster.format, poster.size) == ("WEBP", (60, 40))


@pytest.mark.parametrize("data", [b"", b"GIF89a", plain_gif(20, 3)[:-9], gif_header(64, 64)])
def test_a_damaged_gif_is_refused(data: bytes) -> None:
    with pytest.raises(BadInput, match="damaged"):
        describe_gif(data)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory")
def test_a_film_is_decoded_within_limits_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(foreign_gif, "MEMORY", 2**20 - limited_process._OWN_MEMORY)
    with pytest.raises(BadInput, match="more memory or time"):
        describe_gif(plain_gif(20))


@pytest.mark.parametrize(
    "data", [gif_header(SIDE, SIDE), gif_header(4000, 4000, 600)], ids=["large", "long"]
)
def test_too_many_pixels_are_refused_by_the_header(data: bytes) -> None:
    """A GIF of 125 kB took 1.8 GB in `sync`."""
    with pytest.raises(BadInput, match=r"(Its size is|600 pictures.*) more than is read here"):
        describe_gif(data)


def test_a_frame_beyond_the_screen_is_refused() -> None:
    small, size = gif_header(64, 64), SIDE.to_bytes(2, "little")
    where = small.index(b",") + 5
    with pytest.raises(BadInput, match="more than is read here"):
        describe_gif(small[:where] + size + size + small[where + 4 :])


@pytest.mark.parametrize("read", [
    read_comment, lambda data: decode_gif(data, 10), lambda data: exports.convert_gif("mp4", data),
])  # fmt: skip
def test_no_other_reader_decodes_what_is_too_large(read: object) -> None:
    """One of 235 kB took 977 MB in an export."""
    assert callable(read)
    tracemalloc.start()
    with pytest.raises(BadInput, match="more than is read here"):
        read(plain_gif(4200))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**24


def test_a_film_of_many_large_frames_is_not_converted() -> None:
    data = plain_gif(2048, 50)
    assert len(data) < 10**6
    tracemalloc.start()
    with pytest.raises(BadInput, match="too long"):
        exports.convert_gif("webp", data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**25
