"""Frames to a film: a GIF that plays at the right speed, and its poster."""

from collections.abc import Sequence
from functools import lru_cache
from io import BytesIO
from itertools import pairwise

import imageio.v3 as iio
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from momalisa.frames import Frame

COLOURS = 256
DITHER = 10.0
"""Width of the dither in levels of 255: hides the bands that 256 colours leave in soft fields."""
SHORTEST_DELAY = 2
"""Hundredths of a second; browsers slow anything shorter down to ten."""


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
    first, *others = reduced if order is None else [reduced[index] for index in order]
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


def poster(frame: Frame) -> bytes:
    """A still in WebP."""
    data: bytes = iio.imwrite("<bytes>", frame, plugin="pillow", extension=".webp", quality=88)
    return data


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
