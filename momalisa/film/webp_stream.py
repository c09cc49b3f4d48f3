"""Puts WebP pictures together as an animated WebP, by the container's specification (RFC 9649).

Pillow's own animations leave out frames that are much like the one before: at quality 40, where no
channel changes by more than 12 of 255. A film shows every frame, and each is encoded once only,
however often it is shown.
"""

import struct
from collections.abc import Iterable
from typing import IO, NamedTuple

_HAS_ANIMATION, _HAS_EXIF = 0x02, 0x08
_REPLACES = 0x02
"""A frame covers the one before, and is not blended with it."""
_HEADER = 12
"""Bytes before the chunks: RIFF, size, WEBP."""


class Shown(NamedTuple):
    """A picture, as a WebP file of its own, and how long it is shown, in milliseconds."""

    still: bytes
    milliseconds: int


def write_webp(
    file: IO[bytes], size: tuple[int, int], frames: Iterable[Shown], exif: bytes
) -> None:
    """Write pictures of one size (width, height), without transparency, as a looping WebP."""
    width, height = (_three_bytes(side - 1) for side in size)
    file.write(bytes(_HEADER))
    file.write(_chunk(b"VP8X", bytes([_HAS_ANIMATION | _HAS_EXIF, 0, 0, 0]) + width + height))
    file.write(_chunk(b"ANIM", bytes(6)))  # a black background; no end
    for still, milliseconds in frames:
        if still[_HEADER:][:4] != b"VP8 ":
            raise ValueError("not a WebP of one opaque picture")
        place = bytes(6) + width + height + _three_bytes(milliseconds) + bytes([_REPLACES])
        file.write(_chunk(b"ANMF", place + still[_HEADER:]))
    file.write(_chunk(b"EXIF", exif))
    length = file.tell()
    file.seek(0)
    file.write(struct.pack("<4sI4s", b"RIFF", length - 8, b"WEBP"))


def _chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of the container, padded to an even length."""
    return struct.pack("<4sI", name, len(data)) + data + bytes(len(data) % 2)


def _three_bytes(number: int) -> bytes:
    return number.to_bytes(3, "little")
