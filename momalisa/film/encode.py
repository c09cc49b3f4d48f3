"""Encodes frames as GIF, MP4, WebP or PNG, and decodes GIFs and WebPs.

Each format carries a text comment, which `film.embedded_text` reads.
"""

from collections.abc import Callable, Iterator, Sequence
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
from momalisa.engine.ordered_threads import map_in_threads
from momalisa.film.embedded_text import UNICODE_PREFIX, decode_errors_as_bad_input
from momalisa.film.gif_stream import write_gif
from momalisa.film.pixel_budget import FILM_PIXELS, open_picture
from momalisa.film.webp_stream import Shown, write_webp

T = TypeVar("T")
Prepare = Callable[[Frame], Frame]
"""What is done with each frame before it is encoded, such as `film.enlarge.enlarge`."""

COLOURS = 256
DITHER_WIDTH = 10.0
"""Peak-to-peak width of the dither in levels of 255; hides banding in smooth areas."""
SHORTEST_DELAY = 2
"""Hundredths of a second; browsers replace anything shorter with ten hundredths."""
EFFORT = 2
"""libwebp's `method` for films, 0 to 6: 3 takes twice the time for a tenth less bytes."""
ENCODERS = 2
"""Frames of a WebP that are encoded at once."""
MP4_QUALITY = "18"
"""x264's constant rate factor; visually lossless."""


def frame_delays(fps: int, frames: int) -> list[int]:
    """GIF delay of each frame, in hundredths of a second.

    Rounding errors do not add up: 30 frames a second give 3, 4, 3, 3, ... and last one second.
    """
    times = [round(100.0 * number / fps) for number in range(frames + 1)]
    return [max(SHORTEST_DELAY, end - start) for start, end in pairwise(times)]


def encode_gif(
    frames: Sequence[Frame], fps: int, comment: str = "", order: Sequence[int] | None = None
) -> bytes:
    """Encode frames (h, w, 3) as a looping GIF with a comment.

    `order` lists indices into `frames`; the default shows each frame once. Each frame gets its
    own octree palette of 256 colours and the same ordered dither, so the dither pattern does not
    move. Pillow writes the file: imageio cannot pass palettes through and would quantize again,
    at three times the cost. Frames are read one after another, and few are held at once.
    """
    delays = frame_delays(fps, len(frames) if order is None else len(order))
    pictures = map(_quantize, _in_order(frames, order))
    data = BytesIO()
    write_gif(data, zip(pictures, delays, strict=True), comment)
    return data.getvalue()


def encode_mp4(
    frames: Sequence[Frame],
    fps: int,
    comment: str = "",
    order: Sequence[int] | None = None,
    *,
    prepare: Prepare = np.asarray,
) -> bytes:
    """Encode frames (h, w, 3), prepared, as an H.264 MP4 that plays once: for slides and the like.

    Colours are BT.709 with 4:2:0 subsampling, as players expect; odd sizes are padded by a row
    or column. The index precedes the pictures (fast start), so playback starts during download.
    """
    # For fast start, FFmpeg reopens its output file by name.
    with TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        with av.open(path, "w", options={"movflags": "faststart"}) as container:
            container.metadata["comment"] = comment
            stream = _add_video_stream(container, prepare(frames[0]), fps)
            for number, frame in enumerate(map(prepare, _in_order(frames, order))):
                picture = _to_bt709(frame)
                picture.pts, picture.time_base = number, Fraction(1, fps)
                container.mux(stream.encode(picture))
            container.mux(stream.encode())
        return path.read_bytes()


def encode_webp(
    frames: Sequence[Frame],
    fps: int,
    comment: str = "",
    order: Sequence[int] | None = None,
    *,
    prepare: Prepare = np.asarray,
    quality: int = 90,
) -> bytes:
    """Encode frames (h, w, 3) as a looping animated WebP, with the comment in its EXIF.

    Each frame is read once, and prepared; few are held at once.
    """
    data = BytesIO()
    height, width = prepare(frames[0]).shape[:2]
    stills = _encode_stills(frames, prepare, quality)
    shown = [stills[index] for index in order or range(len(frames))]
    ends = [round(1000 * number / fps) for number in range(len(shown) + 1)]  # no error adds up
    durations = (end - start for start, end in pairwise(ends))
    write_webp(data, (width, height), map(Shown, shown, durations), _write_exif(comment))
    return data.getvalue()


def _write_exif(comment: str) -> bytes:
    exif = Image.Exif()
    user_comment = UNICODE_PREFIX + comment.encode("utf-16")
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment] = user_comment
    return exif.tobytes()


def _encode_stills(frames: Sequence[Frame], prepare: Prepare, quality: int) -> list[bytes]:
    """Encode each frame as a WebP; libwebp uses one core, so there are some at once."""

    def encode(frame: Frame) -> bytes:
        data = BytesIO()
        Image.fromarray(prepare(frame)).save(data, "WEBP", quality=quality, method=EFFORT)
        return data.getvalue()

    return list(map_in_threads(lambda index: encode(frames[index]), range(len(frames)), ENCODERS))


def encode_png(frame: Frame, comment: str = "") -> bytes:
    """Encode a frame (h, w, 3) as a PNG with the comment in a text chunk."""
    info, data = PngInfo(), BytesIO()
    info.add_text("Comment", comment)
    Image.fromarray(frame).save(data, "PNG", pnginfo=info)
    return data.getvalue()


def encode_poster(frame: Frame, quality: int = 88, comment: str = "") -> bytes:
    """Encode a frame (h, w, 3) as a lossy WebP still, with the comment in its EXIF, if any."""
    exif = _write_exif(comment) if comment else b""
    data: bytes = iio.imwrite(
        "<bytes>", frame, plugin="pillow", extension=".webp", quality=quality, exif=exif
    )
    return data


def decode_gif(data: bytes, fps: int, most: int = FILM_PIXELS) -> list[Frame]:
    """Decode a GIF to frames (h, w, 3) at `fps`, of at most `most` pixels in all.

    Raises BadInput if it is damaged or larger, which is known before it is decoded. A frame that is
    shown for longer than 1 / `fps` seconds is repeated.
    """
    frames: list[Frame] = []
    elapsed = 0
    with decode_errors_as_bad_input(), open_picture(BytesIO(data), ("GIF",), most) as image:
        for picture in ImageSequence.Iterator(image):
            elapsed += picture.info["duration"]
            frame = np.asarray(picture.convert("RGB"))
            frames += [frame] * (round(elapsed * fps / 1000) - len(frames))
    return frames


def decode_webp(data: bytes, most: int = FILM_PIXELS) -> list[Frame]:
    """Decode a WebP to its frames (h, w, 3), of at most `most` pixels in all.

    Raises BadInput if it is damaged or larger, which is known before it is decoded.
    """
    with decode_errors_as_bad_input(), open_picture(BytesIO(data), ("WEBP",), most) as image:
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(image)]


def _in_order(items: Sequence[T], order: Sequence[int] | None) -> Iterator[T]:
    return iter(items) if order is None else (items[index] for index in order)


def _add_video_stream(
    container: av.container.OutputContainer, frame: Frame, fps: int
) -> av.VideoStream:
    """Add an H.264 stream for pictures of this frame's size."""
    height, width = _pad_to_even(frame).shape[:2]
    stream = container.add_stream("libx264", rate=fps, options={"crf": MP4_QUALITY})
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    context = stream.codec_context
    context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
    context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.IEC61966_2_1
    return stream


def _to_bt709(frame: Frame) -> av.VideoFrame:
    """Convert an RGB frame to a 4:2:0 video frame in BT.709."""
    return av.VideoFrame.from_ndarray(_pad_to_even(frame), format="rgb24").reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )


def _pad_to_even(frame: Frame) -> Frame:
    """Repeat the last row or column where the height or width is odd."""
    height, width = frame.shape[:2]
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _quantize(frame: Frame) -> Image.Image:
    """Reduce a frame to 256 colours with ordered dithering."""
    height, width = frame.shape[:2]
    threshold = np.tile(_bayer_matrix(), (-(-height // 8), -(-width // 8)))[:height, :width, None]
    dithered = (frame + DITHER_WIDTH * threshold).round().clip(0, 255).astype(np.uint8)
    return Image.fromarray(dithered).quantize(
        COLOURS, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE
    )


@lru_cache(maxsize=1)
def _bayer_matrix() -> NDArray[np.float64]:
    """The 8 × 8 threshold matrix of ordered dithering (Bayer 1973): ±0.5, mean 0."""
    matrix = np.zeros((1, 1))
    for _ in range(3):
        matrix = np.block(
            [[4 * matrix, 4 * matrix + 2], [4 * matrix + 3, 4 * matrix + 1]],
        )
    return (matrix + 0.5) / 64.0 - 0.5
