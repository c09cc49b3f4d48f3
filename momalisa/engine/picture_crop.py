"""The part of a picture that a film shows, at the film's size. Imports no torch."""

from contextlib import suppress
from io import BytesIO

import numpy as np
from PIL import Image

from momalisa.engine.frame_cache import Frame
from momalisa.errors import BadInput
from momalisa.stop import StopImage

MOST_PIXELS = 4096**2
NOT_AT_HAND = "The picture of a stop is not at hand any more. Please choose it again."


def crop_picture(data: bytes | None, image: StopImage, size: tuple[int, int]) -> Frame:
    """The part of a picture's file that a film of that width and height shows.

    Raises BadInput if there is no such file, or it cannot be read.
    """
    if data is None:
        raise BadInput(NOT_AT_HAND)
    with (
        suppress(OSError, ValueError, Image.DecompressionBombError),
        Image.open(BytesIO(data), formats=("WEBP",)) as file,
    ):
        if file.width * file.height <= MOST_PIXELS:
            box = image.crop.box(file.size, size)
            part = file.convert("RGB").resize(size, Image.Resampling.LANCZOS, box=box)
            return np.array(part)
    raise BadInput("The picture of a stop is damaged. Please choose it again.")
