"""Writes a GIF a few frames at a time: Pillow would hold all of them until the last one is there.

The bytes are those of one call of Pillow. It writes each frame as the change from the one before,
so a piece of the film begins with the last frame of the piece before, which is then cut off.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import islice
from typing import IO, NamedTuple

from PIL import Image

PIECE = 12
"""Frames written at once."""
_TRAILER = b";"
_IMAGE, _EXTENSION = 0x2C, 0x21


class _Shown(NamedTuple):
    """A picture with a palette, and how long it is shown, in hundredths of a second."""

    picture: Image.Image
    delay: int


def write_gif(file: IO[bytes], frames: Iterable[tuple[Image.Image, int]], comment: str) -> None:
    """Write pictures (mode P) with their delays, in hundredths of a second, as a looping GIF."""
    shown = _merge_equal(_Shown(*frame) for frame in frames)
    piece = list(islice(shown, PIECE))
    file.write(_encode(piece, comment).removesuffix(_TRAILER))
    while more := list(islice(shown, PIECE)):
        piece = [piece[-1], *more]
        data = _encode(piece, comment)
        file.write(data[_end_of_first_frame(data) :].removesuffix(_TRAILER))
    file.write(_TRAILER)


def _merge_equal(frames: Iterable[_Shown]) -> Iterator[_Shown]:
    """Show a picture for longer where the next one is equal, as Pillow does within a file."""
    last: _Shown | None = None
    pixels = b""
    for frame in frames:
        before, pixels = pixels, frame.picture.convert("RGB").tobytes()
        if last is None:
            last = frame
        elif pixels == before:
            last = last._replace(delay=last.delay + frame.delay)
        else:
            yield last
            last = frame
    if last is not None:
        yield last


def _encode(piece: list[_Shown], comment: str) -> bytes:
    """Encode some frames with Pillow, as a whole GIF."""
    first, *others = piece
    data = BytesIO()
    first.picture.save(
        data,
        "GIF",
        save_all=True,
        append_images=[frame.picture for frame in others],
        duration=[10 * frame.delay for frame in piece],
        loop=0,
        comment=comment.encode(),
    )
    return data.getvalue()


def _end_of_first_frame(data: bytes) -> int:
    """The position after a GIF's first image."""
    position = 13 + _table_bytes(data[10])
    while data[position] == _EXTENSION:
        position = _skip_blocks(data, position + 2)
    if data[position] != _IMAGE:
        raise ValueError("not a GIF as Pillow writes it")
    return _skip_blocks(data, position + 11 + _table_bytes(data[position + 9]))


def _table_bytes(flags: int) -> int:
    """The size of the colour table that a descriptor's flags announce."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_blocks(data: bytes, position: int) -> int:
    """The position after a sequence of blocks, each preceded by its length."""
    while size := data[position]:
        position += 1 + size
    return position + 1
