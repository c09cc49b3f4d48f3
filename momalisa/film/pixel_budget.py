"""Checks a picture's size by its header, before anything is decoded."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from PIL import Image

from momalisa.errors import BadInput

FRAME_PIXELS = 2**24
"""Most pixels of one picture: 4096 × 4096."""
FILM_PIXELS = 2**33
"""Most pixels of all frames that are looked at one by one: the largest walk, there and back."""
_TOO_MANY = "more than is read here. Up to 4,096 × 4,096 pixels are."
FORMATS = ("GIF", "PNG", "WEBP")

# Pillow's own limit, which it applies to every frame of a GIF as well: beyond twice this, it
# raises. Between the two it would only warn.
Image.MAX_IMAGE_PIXELS = FRAME_PIXELS // 2


def check_pixels(width: int, height: int, frames: int = 1, most: int = FILM_PIXELS) -> None:
    """Raise BadInput if a picture, or all of its frames together, have too many pixels."""
    if width * height > FRAME_PIXELS:
        raise BadInput(f"Its pictures are {width:,} × {height:,} pixels, which is {_TOO_MANY}")
    if width * height * frames > most:
        raise BadInput(
            f"It has {frames:,} pictures of {width:,} × {height:,} pixels, which is more than is "
            f"read here. Up to {most // (width * height):,} of this size are."
        )


@contextmanager
def open_picture(
    source: Path | BinaryIO, formats: tuple[str, ...] = FORMATS, most: int = FILM_PIXELS
) -> Iterator[Image.Image]:
    """Open a picture whose header promises no more than `most` pixels in all its frames.

    Raises BadInput, or what Pillow raises at a damaged file.
    """
    try:
        with Image.open(source, formats=formats) as image:
            check_pixels(image.width, image.height, 1, most)
            check_pixels(image.width, image.height, int(getattr(image, "n_frames", 1)), most)
            yield image
    except Image.DecompressionBombError as error:
        raise BadInput(f"Its size is {_TOO_MANY}") from error
