"""Films play at the right speed and look like their frames."""

from io import BytesIO

import imageio.v3 as iio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from momalisa import film
from momalisa.frames import Frame


def frames(count: int, size: int = 48) -> list[Frame]:
    ramp = np.linspace(0, 255, size)
    plane = np.stack([*np.meshgrid(ramp, ramp), np.full((size, size), 90.0)], -1)
    return [np.roll(plane, 4 * n, axis=1).astype(np.uint8) for n in range(count)]


def soft(frame: Frame) -> Frame:
    return np.asarray(Image.fromarray(frame).filter(ImageFilter.BoxBlur(4)))


@given(st.integers(1, 50), st.integers(1, 400))
def test_delays_are_hundredths_and_add_up(fps: int, count: int) -> None:
    delays = film.delays(fps, count)
    assert min(delays) >= 2
    assert abs(sum(delays) - 100 * count / fps) <= 0.5


@pytest.mark.parametrize("fps", [7, 10, 24, 30, 50])
def test_a_gif_lasts_as_long_as_it_should(fps: int) -> None:
    with Image.open(BytesIO(film.gif(frames(12), fps))) as image:
        lasting = 0
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            lasting += image.info["duration"]
        assert image.info["loop"] == 0
    assert lasting == pytest.approx(12_000 / fps, abs=5)


def test_a_frame_that_stands_still_keeps_its_time() -> None:
    still = frames(1)[0]
    with Image.open(BytesIO(film.gif([still, still.copy(), still.copy()], 10))) as image:
        assert image.info["duration"] == 300


def test_frames_come_back_close_and_unbanded() -> None:
    shown = frames(3)
    again = iio.imread(film.gif(shown, 10), plugin="pillow", index=None)
    assert again.shape == (3, 48, 48, 3)
    for there, back in zip(shown, again, strict=True):
        assert np.abs(soft(there).astype(int) - soft(back)).mean() < 3


def test_the_comment_is_in_the_film() -> None:
    comment = "ä" * 600
    with Image.open(BytesIO(film.gif(frames(2), 10, comment))) as image:
        assert image.info["comment"].decode() == comment


def test_the_poster_is_a_webp_of_the_frame() -> None:
    frame = frames(1)[0]
    with Image.open(BytesIO(film.poster(frame))) as image:
        assert (image.format, image.size) == ("WEBP", (48, 48))
