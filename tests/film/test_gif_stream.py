"""A GIF that is written piece by piece has the bytes of one that Pillow writes at once."""

from collections.abc import Iterator
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from momalisa.film.encode import _quantize
from momalisa.film.gif_stream import PIECE, write_gif

DELAY = 4


def pictures(levels: list[int], size: int) -> list[Image.Image]:
    """Pictures with a ramp that is shifted, or of one colour where the level is even."""
    found = []
    for level in levels:
        ramp = np.arange(size * size * 3).reshape(size, size, 3) * (level % 2) + 9 * level
        found.append(_quantize((ramp % 256).astype(np.uint8)))
    return found


def write_at_once(frames: list[Image.Image], delays: list[int]) -> bytes:
    data = BytesIO()
    frames[0].save(
        data,
        "GIF",
        save_all=True,
        append_images=frames[1:],
        duration=[10 * delay for delay in delays],
        loop=0,
        comment=b"a comment " * 60,
    )
    return data.getvalue()


def write_in_pieces(frames: list[Image.Image], delays: list[int]) -> bytes:
    data = BytesIO()
    write_gif(data, zip(frames, delays, strict=True), "a comment " * 60)
    return data.getvalue()


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=4 * PIECE),
    st.sampled_from([1, 8, 24]),
)
def test_bytes_are_those_of_one_call(levels: list[int], size: int) -> None:
    delays = [2 + number % 3 for number in range(len(levels))]
    frames = pictures(levels, size)
    assert write_in_pieces(frames, delays) == write_at_once(frames, delays)


def test_bytes_are_those_of_one_call_for_a_large_picture() -> None:
    """Above 512 pixels a side Pillow keeps the whole palette."""
    frames = pictures(list(range(PIECE + 2)), 520)
    delays = [DELAY] * len(frames)
    assert write_in_pieces(frames, delays) == write_at_once(frames, delays)


def test_no_more_than_a_piece_is_held() -> None:
    asked = 0
    file = BytesIO()

    def one_by_one() -> Iterator[tuple[Image.Image, int]]:
        nonlocal asked
        for number in range(5 * PIECE):
            asked += 1
            assert bool(file.tell()) == (asked > PIECE + 1)
            yield pictures([number], 8)[0], DELAY

    write_gif(file, one_by_one(), "")
    assert asked == 5 * PIECE


@pytest.mark.parametrize("count", [PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 1])
def test_every_number_of_frames_is_whole(count: int) -> None:
    frames = pictures([number % 6 for number in range(count)], 16)
    with Image.open(BytesIO(write_in_pieces(frames, [DELAY] * count))) as image:
        assert getattr(image, "n_frames", 1) == count
