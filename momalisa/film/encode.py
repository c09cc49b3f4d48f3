"""Frames to a film that plays at the right speed (GIF, MP4, WebP) or a still, and back.

A film takes a comment along; `comment_in` reads it, whatever the format.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from functools import lru_cache
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import av
import imageio.v3 as iio
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageSequence
from PIL.PngImagePlugin import PngInfo

from momalisa.engine.frame_cache import Frame
from momalisa.errors import BadInput

T = TypeVar("T")

COLOURS = 256
DITHER = 10.0
"""Width of the dither in levels of 255: hides the bands that 256 colours leave in soft fields."""
SHORTEST_DELAY = 2
"""Hundredths of a second; browsers slow anything shorter down to ten."""
MP4_QUALITY = "18"
"""x264's rate factor: the eye sees no difference to the frames."""
_UNICODE = b"UNICODE\0"
"""What stands before a text in an EXIF UserComment."""


def delays(fps: int, frames: int) -> list[int]:
    """How long each frame stands, in hundredths of a second, which is what a GIF can say.

    Rounding is carried on, so 30 frames a second come out as 3, 4, 3, 3, ... and last a second.
    """
    marks = [round(100.0 * number / fps) for number in range(frames + 1)]
    return [max(SHORTEST_DELAY, b - a) for a, b in pairwise(marks)]


def gif(
    frames: Sequence[Frame], fps: int, comment: str = "", order: Sequence[int] | None = None
) -> bytes:
    """An endless GIF of frames (h, w, 3) in their order or another, with the comment inside it.

    Each frame has 256 colours of its own (octree) under a fixed ordered dither, which stands
    still from frame to frame. Written by Pillow itself: imageio, which drives it for all else,
    cannot hand over a palette and would choose the colours again, at three times the cost.
    """
    reduced = [_reduced(frame) for frame in frames]
    first, *others = _in_order(reduced, order)
    data = BytesIO()
    first.save(
        data,
        "GIF",
        save_all=True,
        append_images=others,
        duration=[10 * delay for delay in delays(fps, 1 + len(others))],
        loop=0,
        comment=comment.encode(),
    )
    return data.getvalue()


def mp4(
    frames: Sequence[Frame], fps: int, comment: str = "", order: Sequence[int] | None = None
) -> bytes:
    """An H.264 film of frames (h, w, 3), one round of it, for slides and social media.

    Colours are BT.709 at half resolution (4:2:0), as every player expects; an odd size grows by
    a row or column. The index stands before the pictures, so that it plays while it loads.
    """
    # To move the index to the front, FFmpeg opens its own output again, which needs a name.
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        with av.open(path, "w", options={"movflags": "faststart"}) as container:
            container.metadata["comment"] = comment
            stream = _stream(container, frames[0], fps)
            for number, frame in enumerate(_in_order(frames, order)):
                picture = _in_709(frame)
                picture.pts, picture.time_base = number, Fraction(1, fps)
                container.mux(stream.encode(picture))
            container.mux(stream.encode())
        return path.read_bytes()


def webp(
    frames: Sequence[Frame], fps: int, comment: str = "", order: Sequence[int] | None = None
) -> bytes:
    """An endless animated WebP of frames (h, w, 3), the comment in its EXIF."""
    first, *others = _in_order([Image.fromarray(frame) for frame in frames], order)
    exif, data = Image.Exif(), BytesIO()
    user_comment = _UNICODE + comment.encode("utf-16")
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = user_comment
    first.save(
        data,
        "WEBP",
        save_all=True,
        append_images=others,
        duration=1000 / fps,  # Pillow carries the rounding on
        loop=0,
        quality=90,
        method=2,
        exif=exif,
    )
    return data.getvalue()


def png(frame: Frame, comment: str = "") -> bytes:
    """A frame as it is, the comment beside its pixels."""
    info, data = PngInfo(), BytesIO()
    info.add_text("Comment", comment)
    Image.fromarray(frame).save(data, "PNG", pnginfo=info)
    return data.getvalue()


def poster(frame: Frame) -> bytes:
    """A still in WebP."""
    data: bytes = iio.imwrite("<bytes>", frame, plugin="pillow", extension=".webp", quality=88)
    return data


def comment_in(data: bytes) -> str:
    """The comment of a GIF, MP4, WebP or PNG made here; blank if it has none. Raises BadInput."""
    with decoding():
        return _mp4_comment(data) if data[4:8] == b"ftyp" else _picture_comment(data)


def frames_in(data: bytes, fps: int) -> list[Frame]:
    """The frames that a GIF made here shows, in its colours, one after another. Raises BadInput.

    Equal neighbours are stored as one that stands longer, and come back as many as they were.
    """
    shown: list[Frame] = []
    elapsed = 0
    with decoding(), Image.open(BytesIO(data), formats=["GIF"]) as image:
        for picture in ImageSequence.Iterator(image):
            elapsed += picture.info["duration"]
            frame = np.asarray(picture.convert("RGB"))
            shown += [frame] * (round(elapsed * fps / 1000) - len(shown))
    return shown


@contextmanager
def decoding() -> Iterator[None]:
    """Turn whatever a decoder raises at the sight of foreign bytes into BadInput."""
    try:
        yield
    except Exception as error:
        raise BadInput("This file is damaged, or of a kind that is not read here.") from error


def _mp4_comment(data: bytes) -> str:
    with av.open(BytesIO(data), format="mp4") as container:
        return container.metadata.get("comment", "")


def _picture_comment(data: bytes) -> str:
    with Image.open(BytesIO(data), formats=["GIF", "PNG", "WEBP"]) as image:
        if image.format == "PNG":
            return str(image.info.get("Comment", ""))
        if image.format == "GIF":
            return bytes(image.info.get("comment", b"")).decode()
        exif = image.getexif().get_ifd(ExifTags.IFD.Exif)
    said = exif.get(ExifTags.Base.UserComment, b"")
    return said.removeprefix(_UNICODE).decode("utf-16") if said.startswith(_UNICODE) else ""


def _in_order(items: Sequence[T], order: Sequence[int] | None) -> Iterator[T]:
    return iter(items) if order is None else (items[index] for index in order)


def _stream(container: av.container.OutputContainer, frame: Frame, fps: int) -> av.VideoStream:
    """Where pictures like this frame are encoded."""
    high, wide = _even(frame).shape[:2]
    stream = container.add_stream("libx264", rate=fps, options={"crf": MP4_QUALITY})
    stream.width, stream.height, stream.pix_fmt = wide, high, "yuv420p"
    context = stream.codec_context
    context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
    context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.IEC61966_2_1
    return stream


def _in_709(frame: Frame) -> av.VideoFrame:
    """The frame in the colours of a video."""
    return av.VideoFrame.from_ndarray(_even(frame), format="rgb24").reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )


def _even(frame: Frame) -> Frame:
    high, wide = frame.shape[:2]
    return np.pad(frame, ((0, high % 2), (0, wide % 2), (0, 0)), mode="edge")


def _reduced(frame: Frame) -> Image.Image:
    """The frame in 256 colours."""
    high, wide = frame.shape[:2]
    tile = np.tile(_bayer(), (-(-high // 8), -(-wide // 8)))[:high, :wide, None]
    dithered = (frame + DITHER * tile).round().clip(0, 255).astype(np.uint8)
    return Image.fromarray(dithered).quantize(
        COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    )


@lru_cache(maxsize=1)
def _bayer() -> NDArray[np.float64]:
    """The 8 × 8 matrix of ordered dithering (Bayer 1973), values in ±0.5 with mean 0."""
    matrix = np.zeros((1, 1))
    for _ in range(3):
        matrix = np.block(
            [[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]],
        )
    return (matrix + 0.5) / 64.0 - 0.5
