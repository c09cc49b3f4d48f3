"""One frame of a GIF as a picture, decoded in a process with limits.

Imports little, since it runs there (`momalisa.limited_process`).
"""

from pathlib import Path

from momalisa import limited_process
from momalisa.errors import BadInput
from momalisa.film.foreign_gif import MEMORY, SECONDS
from momalisa.film.pixel_budget import open_picture


def save_frame(source: Path, number: int, target: Path) -> None:
    """Write the frame of that number, from 0, as PNG. Raises BadInput if there is none."""
    limited_process.call(
        f"{__name__}:convert",
        memory=MEMORY,
        seconds=SECONDS,
        source=str(source.absolute()),
        number=number,
        target=str(target.absolute()),
    )


def convert(source: str, number: int, target: str) -> None:
    """What `save_frame` does in its process."""
    try:
        with open_picture(Path(source), ("GIF",)) as image:
            frames = int(getattr(image, "n_frames", 1))
            if not 0 <= number < frames:
                raise BadInput(f"The film has {frames} frames, and none of number {number + 1}.")
            image.seek(number)
            image.convert("RGB").save(target, "PNG")
    except BadInput:
        raise
    except Exception as error:
        # Decoders raise errors of any type on damaged bytes.
        raise BadInput(f"The film is damaged ({type(error).__name__}).") from error
