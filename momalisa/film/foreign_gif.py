"""Looks at a GIF that another program made: its frames, its first picture, its comment.

Imports little, since it runs in a process of its own (`momalisa.limited_process`).
"""

from base64 import b64decode, b64encode
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from momalisa import limited_process
from momalisa.errors import BadInput
from momalisa.film.pixel_budget import FRAME_PIXELS, open_picture

MEMORY = 24 * FRAME_PIXELS
"""Bytes for decoding: Pillow holds a few copies of one frame at a time."""
SECONDS = 120.0
"""For decoding all frames, one after the other."""
COMMENT_BYTES = 2**18
POSTER_QUALITY = 88


class ForeignGif(NamedTuple):
    """What is known of a GIF."""

    frames: int
    poster: bytes
    """The first frame as WebP."""
    comment: str
    """Empty if there is none, or one that is too long or no text."""


def describe_gif(data: bytes) -> ForeignGif:
    """Decode a GIF in a limited process. Raises BadInput if it is damaged or too large."""
    with TemporaryDirectory(prefix="momalisa-") as folder:
        path = Path(folder) / "film.gif"
        path.write_bytes(data)
        found = limited_process.call(
            f"{__name__}:decode_all", memory=MEMORY + len(data), seconds=SECONDS, path=str(path)
        )
    return ForeignGif(found["frames"], b64decode(found["poster"]), found["comment"])


def decode_all(path: str) -> dict[str, Any]:
    """Decode every frame of a GIF; return the fields of `ForeignGif`, the poster in base64."""
    try:
        with open_picture(Path(path), ("GIF",)) as image:
            frames = int(getattr(image, "n_frames", 1))
            poster = BytesIO()
            image.convert("RGB").save(poster, "WEBP", quality=POSTER_QUALITY)
            comment = bytes(image.info.get("comment", b""))
            for number in range(1, frames):
                image.seek(number)
            image.load()
    except BadInput:
        raise
    except Exception as error:
        # Decoders raise errors of any type on damaged bytes.
        raise BadInput(f"It is damaged ({type(error).__name__}).") from error
    if len(comment) > COMMENT_BYTES:
        comment = b""
    return {
        "frames": frames,
        "poster": b64encode(poster.getvalue()).decode(),
        "comment": comment.decode(errors="ignore"),
    }
