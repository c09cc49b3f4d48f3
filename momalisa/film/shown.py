"""Makes what the app shows of a film: the WebP that it plays, and the poster.

Both are made from the frames themselves, so they have none of the GIF's dither, and at the size at
which they are shown. The GIF, at the frames' own size, is what people take away.
"""

from collections.abc import Sequence

from momalisa.engine.frame_cache import Frame
from momalisa.film.encode import encode_poster, encode_webp
from momalisa.film.enlarge import enlarge, enlargement
from momalisa.spec import WalkSpec

FILM_QUALITY, POSTER_QUALITY = 75, 88
"""WebP's quality, 0 to 100, of pictures in their own size."""
ENLARGED_FILM_QUALITY, ENLARGED_POSTER_QUALITY = 40, 60
"""That of enlarged pictures, whose details are twice as wide: the frames lose no more by it."""


def encode_shown_film(spec: WalkSpec, frames: Sequence[Frame]) -> bytes:
    """Encode the WebP that the app plays, in the film's order, with the walk's spec in it."""
    quality = ENLARGED_FILM_QUALITY if _is_enlarged(frames[0]) else FILM_QUALITY
    comment, order = spec.model_dump_json(), spec.film_order()
    return encode_webp(frames, spec.fps, comment, order, prepare=enlarge, quality=quality)


def encode_shown_poster(spec: WalkSpec, frames: Sequence[Frame]) -> bytes:
    """Encode the first frame as the film's poster, a lossy WebP.

    It shows works of others, so it carries their credits, as the film does, with the spec. Without
    any it stays as small as it is: a page shows dozens.
    """
    quality = ENLARGED_POSTER_QUALITY if _is_enlarged(frames[0]) else POSTER_QUALITY
    credited = any(credit for stop in spec.stops for credit in stop.credits)
    comment = spec.model_dump_json() if credited else ""
    return encode_poster(enlarge(frames[0]), quality, comment)


def _is_enlarged(frame: Frame) -> bool:
    height, width = frame.shape[:2]
    return enlargement(height, width) > 1
