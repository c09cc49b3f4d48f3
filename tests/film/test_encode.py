"""Films play at the right speed and look like their frames."""

from collections.abc import Callable
from io import BytesIO

import av
import imageio.v3 as iio
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageFilter

from momalisa.engine.frame_cache import Frame
from momalisa.errors import BadInput
from momalisa.film import encode

COMMENT = '{"prompt": "Les Nymphéas, “späte”, 睡蓮 🎨 \\"1916\\""}'
ODD_SPEEDS = pytest.mark.parametrize(("fps", "count"), [(1, 2), (7, 5), (24, 9), (49, 3), (50, 13)])
FILMS = pytest.mark.parametrize("make", [encode.gif, encode.mp4, encode.webp])


def frames(count: int, size: int = 48) -> list[Frame]:
    ramp = np.linspace(0, 255, size)
    plane = np.stack([*np.meshgrid(ramp, ramp), np.full((size, size), 90.0)], -1)
    return [np.roll(plane, 4 * n, axis=1).astype(np.uint8) for n in range(count)]


def grey(*levels: int) -> list[Frame]:
    return [np.full((32, 32, 3), level, np.uint8) for level in levels]


def seen(data: bytes) -> list[Frame]:
    """What a player shows, picture by picture."""
    if data[4:8] == b"ftyp":
        return list(iio.imiter(data, plugin="pyav"))
    return list(iio.imiter(data, plugin="pillow", mode="RGB"))


def soft(frame: Frame) -> Frame:
    return np.asarray(Image.fromarray(frame).filter(ImageFilter.BoxBlur(4)))


@given(st.integers(1, 50), st.integers(1, 400))
def test_delays_are_hundredths_and_add_up(fps: int, count: int) -> None:
    delays = encode.delays(fps, count)
    assert min(delays) >= 2
    assert abs(sum(delays) - 100 * count / fps) <= 0.5


@pytest.mark.parametrize("fps", [7, 10, 24, 30, 50])
def test_a_gif_lasts_as_long_as_it_should(fps: int) -> None:
    with Image.open(BytesIO(encode.gif(frames(12), fps))) as image:
        lasting = 0
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            lasting += image.info["duration"]
        assert image.info["loop"] == 0
    assert lasting == pytest.approx(12_000 / fps, abs=5)


def test_a_frame_that_stands_still_keeps_its_time() -> None:
    still = frames(1)[0]
    with Image.open(BytesIO(encode.gif([still, still.copy(), still.copy()], 10))) as image:
        assert image.info["duration"] == 300


def test_frames_come_back_close_and_unbanded() -> None:
    shown = frames(3)
    again = iio.imread(encode.gif(shown, 10), plugin="pillow", index=None)
    assert again.shape == (3, 48, 48, 3)
    for there, back in zip(shown, again, strict=True):
        assert np.abs(soft(there).astype(int) - soft(back)).mean() < 3


@ODD_SPEEDS
def test_an_mp4_lasts_as_long_as_it_should(fps: int, count: int) -> None:
    with av.open(BytesIO(encode.mp4(frames(count), fps)), "r") as container:
        assert container.duration == pytest.approx(1e6 * count / fps, abs=1e3)
        times = [float(picture.time or 0) for picture in container.decode(video=0)]
    assert times == pytest.approx([number / fps for number in range(count)], abs=1e-4)


@ODD_SPEEDS
def test_a_webp_lasts_as_long_as_it_should(fps: int, count: int) -> None:
    with Image.open(BytesIO(encode.webp(frames(count), fps))) as image:
        lasting = 0
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            image.load()
            lasting += image.info["duration"]
        assert image.info["loop"] == 0
    assert lasting == pytest.approx(1000 * count / fps, abs=1)


def test_an_mp4_is_what_every_player_expects() -> None:
    data = encode.mp4(frames(3, size=47), 10)
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(BytesIO(data), "r") as container:
        video = container.streams.video[0]
        assert (video.codec_context.name, video.pix_fmt) == ("h264", "yuv420p")
        assert (video.width, video.height) == (48, 48)


@pytest.mark.parametrize("make", [encode.mp4, encode.webp])
@pytest.mark.parametrize("colour", [(200, 40, 40), (20, 120, 60), (30, 60, 200), (250, 250, 245)])
def test_colours_stay(make: Callable[..., bytes], colour: tuple[int, int, int]) -> None:
    plain = np.full((63, 65, 3), colour, np.uint8)
    for shown in seen(make([plain, plain], 10)):
        assert np.abs(shown.astype(int) - colour).max() <= 5


@FILMS
def test_a_film_shows_its_frames_in_the_order_asked_for(make: Callable[..., bytes]) -> None:
    shown = seen(make(grey(0, 120, 240), 10, order=[0, 1, 2, 1, 0, 2]))
    levels = [round(float(frame.mean()) / 120) for frame in shown]
    assert levels == [0, 1, 2, 1, 0, 2]


@pytest.mark.parametrize("comment", ["", "plain", "ä" * 600, COMMENT])
@FILMS
def test_the_comment_is_in_the_film(make: Callable[..., bytes], comment: str) -> None:
    assert encode.comment_in(make(frames(2), 10, comment)) == comment


@pytest.mark.parametrize("comment", ["", "ä" * 600, COMMENT])
def test_the_comment_is_in_a_png_of_the_same_pixels(comment: str) -> None:
    frame = frames(1)[0]
    data = encode.png(frame, comment)
    assert encode.comment_in(data) == comment
    assert np.array_equal(iio.imread(data), frame)


def test_a_foreign_picture_has_no_comment() -> None:
    assert encode.comment_in(encode.poster(frames(1)[0])) == ""


@ODD_SPEEDS
def test_a_gif_gives_back_as_many_frames_as_it_was_made_of(fps: int, count: int) -> None:
    still, moving = grey(90)[0], grey(*range(0, 250, 250 // count))[:count]
    for made in (moving, [still] * count, [still, *moving]):
        again = encode.frames_in(encode.gif(made, fps), fps)
        assert [round(float(frame.mean()), -1) for frame in again] == pytest.approx(
            [float(frame.mean()) for frame in made], abs=8
        )


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\0\0\0\x20ftypisom", b"RIFF\0\0\0\0WEBPVP8X"])
def test_what_is_no_film_says_so(data: bytes) -> None:
    with pytest.raises(BadInput, match="damaged"):
        encode.comment_in(data)
    with pytest.raises(BadInput, match="damaged"):
        encode.frames_in(data, 10)


def test_the_poster_is_a_webp_of_the_frame() -> None:
    frame = frames(1)[0]
    with Image.open(BytesIO(encode.poster(frame))) as image:
        assert (image.format, image.size) == ("WEBP", (48, 48))
