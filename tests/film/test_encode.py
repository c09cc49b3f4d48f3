"""Encoded films: duration, colours, order of frames, comments."""

from collections.abc import Callable
from io import BytesIO
from weakref import ref

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
from momalisa.film.embedded_text import read_comment
from momalisa.film.encode import (
    decode_gif,
    encode_gif,
    encode_mp4,
    encode_png,
    encode_poster,
    encode_webp,
    frame_delays,
)
from momalisa.film.gif_stream import PIECE

COMMENT = '{"prompt": "Les Nymphéas, “späte”, 睡蓮 🎨 \\"1916\\""}'
FPS_AND_COUNTS = pytest.mark.parametrize(
    ("fps", "count"), [(1, 2), (7, 5), (24, 9), (49, 3), (50, 13)]
)
ENCODERS = pytest.mark.parametrize("make", [encode_gif, encode_mp4, encode_webp])


def frames(count: int, size: int = 48) -> list[Frame]:
    ramp = np.linspace(0, 255, size)
    plane = np.stack([*np.meshgrid(ramp, ramp), np.full((size, size), 90.0)], -1)
    return [np.roll(plane, 4 * n, axis=1).astype(np.uint8) for n in range(count)]


def grey(*levels: int) -> list[Frame]:
    return [np.full((32, 32, 3), level, np.uint8) for level in levels]


def decode_film(data: bytes) -> list[Frame]:
    """The frames of an MP4, GIF or WebP as a player shows them."""
    if data[4:8] == b"ftyp":
        return list(iio.imiter(data, plugin="pyav"))
    return list(iio.imiter(data, plugin="pillow", mode="RGB"))


def blur(frame: Frame) -> Frame:
    return np.asarray(Image.fromarray(frame).filter(ImageFilter.BoxBlur(4)))


def test_few_pictures_of_a_gif_are_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[ref[Image.Image]] = []
    most = [0]
    quantize = encode._quantize

    def noted(frame: Frame) -> Image.Image:
        picture = quantize(frame)
        held.append(ref(picture))
        most.append(sum(one() is not None for one in held))
        return picture

    monkeypatch.setattr(encode, "_quantize", noted)
    assert encode_gif(frames(6 * PIECE), 25)
    assert len(held) == 6 * PIECE
    assert max(most) < 3 * PIECE


@given(st.integers(1, 50), st.integers(1, 400))
def test_delays_are_hundredths_and_add_up(fps: int, count: int) -> None:
    delays = frame_delays(fps, count)
    assert min(delays) >= 2
    assert abs(sum(delays) - 100 * count / fps) <= 0.5


@pytest.mark.parametrize("fps", [7, 10, 24, 30, 50])
def test_a_gif_lasts_as_long_as_it_should(fps: int) -> None:
    with Image.open(BytesIO(encode_gif(frames(12), fps))) as image:
        milliseconds = 0
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            milliseconds += image.info["duration"]
        assert image.info["loop"] == 0
    assert milliseconds == pytest.approx(12_000 / fps, abs=5)


def test_equal_frames_keep_their_total_time() -> None:
    still = frames(1)[0]
    with Image.open(BytesIO(encode_gif([still, still.copy(), still.copy()], 10))) as image:
        assert image.info["duration"] == 300


def test_gif_frames_are_close_to_the_originals_without_banding() -> None:
    originals = frames(3)
    decoded = iio.imread(encode_gif(originals, 10), plugin="pillow", index=None)
    assert decoded.shape == (3, 48, 48, 3)
    for before, after in zip(originals, decoded, strict=True):
        assert np.abs(blur(before).astype(int) - blur(after)).mean() < 3


@FPS_AND_COUNTS
def test_an_mp4_lasts_as_long_as_it_should(fps: int, count: int) -> None:
    with av.open(BytesIO(encode_mp4(frames(count), fps)), "r") as container:
        assert container.duration == pytest.approx(1e6 * count / fps, abs=1e3)
        times = [float(picture.time or 0) for picture in container.decode(video=0)]
    assert times == pytest.approx([number / fps for number in range(count)], abs=1e-4)


@FPS_AND_COUNTS
def test_a_webp_lasts_as_long_as_it_should(fps: int, count: int) -> None:
    with Image.open(BytesIO(encode_webp(frames(count), fps))) as image:
        milliseconds = 0
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            image.load()
            milliseconds += image.info["duration"]
        assert image.info["loop"] == 0
    assert milliseconds == pytest.approx(1000 * count / fps, abs=1)


def test_an_mp4_is_fast_start_h264_in_yuv420p() -> None:
    data = encode_mp4(frames(3, size=47), 10)
    assert data.index(b"moov") < data.index(b"mdat")
    with av.open(BytesIO(data), "r") as container:
        video = container.streams.video[0]
        assert (video.codec_context.name, video.pix_fmt) == ("h264", "yuv420p")
        assert (video.width, video.height) == (48, 48)


@pytest.mark.parametrize("make", [encode_mp4, encode_webp])
@pytest.mark.parametrize("colour", [(200, 40, 40), (20, 120, 60), (30, 60, 200), (250, 250, 245)])
def test_colours_are_kept(make: Callable[..., bytes], colour: tuple[int, int, int]) -> None:
    plain = np.full((63, 65, 3), colour, np.uint8)
    for shown in decode_film(make([plain, plain], 10)):
        assert np.abs(shown.astype(int) - colour).max() <= 5


@ENCODERS
def test_a_film_shows_its_frames_in_the_given_order(make: Callable[..., bytes]) -> None:
    shown = decode_film(make(grey(0, 120, 240), 10, order=[0, 1, 2, 1, 0, 2]))
    levels = [round(float(frame.mean()) / 120) for frame in shown]
    assert levels == [0, 1, 2, 1, 0, 2]


@pytest.mark.parametrize("comment", ["", "plain", "ä" * 600, COMMENT])
@ENCODERS
def test_the_comment_is_in_the_film(make: Callable[..., bytes], comment: str) -> None:
    assert read_comment(make(frames(2), 10, comment)) == comment


@pytest.mark.parametrize("comment", ["", "ä" * 600, COMMENT])
def test_a_png_has_the_comment_and_exact_pixels(comment: str) -> None:
    frame = frames(1)[0]
    data = encode_png(frame, comment)
    assert read_comment(data) == comment
    assert np.array_equal(iio.imread(data), frame)


def test_a_foreign_picture_has_no_comment() -> None:
    assert read_comment(encode_poster(frames(1)[0])) == ""


@FPS_AND_COUNTS
def test_decoding_a_gif_gives_as_many_frames_as_were_encoded(fps: int, count: int) -> None:
    still, moving = grey(90)[0], grey(*range(0, 250, 250 // count))[:count]
    for originals in (moving, [still] * count, [still, *moving]):
        decoded = decode_gif(encode_gif(originals, fps), fps)
        assert [round(float(frame.mean()), -1) for frame in decoded] == pytest.approx(
            [float(frame.mean()) for frame in originals], abs=8
        )


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\0\0\0\x20ftypisom", b"RIFF\0\0\0\0WEBPVP8X"])
def test_damaged_films_are_bad_input(data: bytes) -> None:
    with pytest.raises(BadInput, match="damaged"):
        read_comment(data)
    with pytest.raises(BadInput, match="damaged"):
        decode_gif(data, 10)


def test_the_poster_is_a_webp_of_the_frame() -> None:
    frame = frames(1)[0]
    with Image.open(BytesIO(encode_poster(frame))) as image:
        assert (image.format, image.size) == ("WEBP", (48, 48))
