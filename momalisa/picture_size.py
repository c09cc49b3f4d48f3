"""Widths and heights of pictures: how they are written, and the usual shapes of a model."""

import re
from functools import lru_cache
from math import ceil, log, sqrt

from momalisa.field_checks import check_integer, refusal

SIZE = (64, 2048)
"""Pixels of a side."""
LARGEST_SQUARE = 1024
"""The side of the square that has the most pixels a picture may have."""
SIDE_UNIT = 64
"""Pixels of which a side is a multiple: what the networks of all families take."""
ASPECTS: dict[str, tuple[int, int]] = {
    "square": (1, 1),
    "portrait 3:4": (3, 4),
    "landscape 4:3": (4, 3),
    "portrait 2:3": (2, 3),
    "landscape 3:2": (3, 2),
    "tall 9:16": (9, 16),
    "wide 16:9": (16, 9),
}
"""Width to height, by name."""
_WRITTEN = re.compile(r"\s*(\d{1,9})\s*[x×*]\s*(\d{1,9})\s*", re.IGNORECASE)


def check_side(value: object, *, what: str) -> int:
    """Convert to the pixels of a side, which `what` names; reject other multiples and limits."""
    if isinstance(value, str) and not value.strip().lstrip("+-").isdecimal():
        raise refusal("A size is a number such as 512, or width and height such as 512x768.")
    pixels = check_integer(value, what=what, low=SIZE[0], high=SIZE[1])
    if pixels % SIDE_UNIT:
        nearest = pixels // SIDE_UNIT * SIDE_UNIT
        raise refusal(f"{what} must be a multiple of {SIDE_UNIT} pixels, such as {nearest}.")
    return pixels


def check_height(value: object, width: int | None) -> int:
    """Convert to a height that suits a width; without a value that of a square.

    A width of None was refused before, so nothing is said of the height.
    """
    if width is None:
        return SIZE[0]
    height = width if value is None else check_side(value, what="The height")
    if width * height > LARGEST_SQUARE**2:
        raise refusal(
            f"{show_size(width, height)} is more than is painted here: "
            f"{show_size(LARGEST_SQUARE, LARGEST_SQUARE)}, or as many pixels in another shape."
        )
    return height


def split_size(text: object) -> tuple[str, str] | None:
    """The width and the height of a size such as "512x768"; None for anything else."""
    found = _WRITTEN.fullmatch(text) if isinstance(text, str) else None
    return (found[1], found[2]) if found else None


def write_size(width: int, height: int) -> str:
    """A size as it is typed: "512x768", and "512" for a square."""
    return str(width) if width == height else f"{width}x{height}"


def show_size(width: int, height: int) -> str:
    """A size as it is shown: "512 × 768"."""
    return f"{width} × {height}"


def describe_size(typed: str) -> str:
    """A size as it was typed, as it is shown; a text that is no size as it is."""
    width, height = split_size(typed) or (typed, typed)
    return f"{width} × {height}" if width.isdecimal() else typed


def name_shape(typed: str) -> str:
    """The name of the shape of a size as it was typed, such as "portrait"; often empty."""
    sides = split_size(typed) or (typed, typed)
    if not all(side.isdecimal() for side in sides):
        return ""
    width, height = map(int, sides)
    if not 0 < width * height <= LARGEST_SQUARE**2:
        return ""
    side = ceil(sqrt(width * height) / SIDE_UNIT) * SIDE_UNIT
    shapes = sizes_by_aspect(side)
    return next((name for name, size in shapes.items() if size == (width, height)), "")


@lru_cache(16)
def sizes_by_aspect(side: int) -> dict[str, tuple[int, int]]:
    """For each of ASPECTS the width and height with about as many pixels as a square of `side`.

    Never more than that, in multiples of SIDE_UNIT: first the nearest to the number of pixels and
    to the proportions, which weigh more.
    """
    return {name: _fit(side, width / height) for name, (width, height) in ASPECTS.items()}


def _fit(side: int, aspect: float) -> tuple[int, int]:
    sides = range(SIDE_UNIT, 2 * side + 1, SIDE_UNIT)
    fitting = [(w, h) for w in sides for h in sides if w * h <= side**2]

    def distance(size: tuple[int, int]) -> float:
        width, height = size
        return 2 * abs(log(width / height / aspect)) + log(side**2 / (width * height))

    return min(fitting, key=distance)
