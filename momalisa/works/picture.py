"""Makes a clean picture of one that came from outside, in a process of its own.

Imports little, since it runs there (`momalisa.limited_process`).
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from momalisa import limited_process
from momalisa.errors import BadInput
from momalisa.film.pixel_budget import FRAME_PIXELS, open_picture

READ = ("JPEG", "PNG", "WEBP")
WRITTEN = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""Formats by suffix."""
JPEG_PIXELS = 2**26
"""Most pixels of a JPEG: cameras make some that are larger than other pictures may be here."""
MEMORY, SECONDS = 24 * FRAME_PIXELS, 60.0
AT_ONCE = BoundedSemaphore(2)
"""Processes at a time: each may take all of MEMORY, for a file of 50 kB."""
QUALITY = 95
LOSSLESS_PIXELS = 2**20
"""A WebP of up to so many pixels may be lossless: it has 2 MB or so."""


def clean_picture(
    source: Path,
    target: Path,
    suffix: str,
    size: int,
    *,
    lossless: bool = False,
    shortest: int = 1,
) -> tuple[int, int]:
    """Write a picture anew, in sRGB, upright, without metadata; return its width and height.

    It is made smaller where its longer side has more than `size` pixels. A WebP is `lossless` if
    that is asked for, and it has no more than LOSSLESS_PIXELS. Raises BadInput with a sentence if
    the source is damaged, no picture, too large, or would have a side of less than `shortest`.
    """
    with AT_ONCE:
        width, height = limited_process.call(
            f"{__name__}:convert",
            memory=MEMORY,
            seconds=SECONDS,
            source=str(source.absolute()),
            target=str(target.absolute()),
            suffix=suffix,
            size=size,
            lossless=lossless,
            shortest=shortest,
        )
    return width, height


def convert(
    source: str, target: str, suffix: str, size: int, *, lossless: bool, shortest: int
) -> tuple[int, int]:
    """What `clean_picture` does in its process."""
    try:
        with _open(Path(source), size) as image:
            # First, since the changes of colour drop the orientation:
            upright = _to_srgb(_to_eight_bits(ImageOps.exif_transpose(image)))
            width, height = upright.size
            upright.thumbnail((size, size), Image.Resampling.LANCZOS)
            if min(upright.size) < shortest:
                raise BadInput(
                    f"The picture has {width} × {height} pixels, too few for a film, or too narrow "
                    "for one. Please choose another."
                )
            pixels = Image.new("RGB", upright.size)
            pixels.paste(upright)
    except BadInput:
        raise
    except UnidentifiedImageError as error:
        raise BadInput("It is no JPEG, PNG or WebP.") from error
    except Exception as error:
        # Decoders raise errors of any type on damaged bytes.
        raise BadInput(f"It is damaged ({type(error).__name__}).") from error
    options: dict[str, Any] = {} if WRITTEN[suffix] == "PNG" else {"quality": QUALITY}
    if lossless and pixels.width * pixels.height <= LOSSLESS_PIXELS:
        options = {"lossless": True, "quality": 50}  # of a lossless WebP it is the effort
    try:
        pixels.save(target, WRITTEN[suffix], **options)
    except OSError as error:
        raise BadInput(f"It cannot be written: {error.strerror}.") from error
    return pixels.width, pixels.height


@contextmanager
def _open(source: Path, size: int) -> Iterator[Image.Image]:
    """Open a picture of which the first frame is read; a large JPEG at a part of its size.

    That part has `size` pixels or more on its longer side, as far as the picture has them. Raises
    BadInput, or what Pillow raises at a damaged file.
    """
    with source.open("rb") as file:
        is_jpeg = file.read(3) == b"\xff\xd8\xff"
    if not is_jpeg:
        with open_picture(source, READ) as image:
            yield image
        return
    usual, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, JPEG_PIXELS // 2
    try:
        with Image.open(source, formats=("JPEG",)) as image:
            if image.width * image.height > FRAME_PIXELS:
                part = size / max(image.size)
                image.draft(
                    None, (max(1, int(image.width * part)), max(1, int(image.height * part)))
                )
            yield image
    except Image.DecompressionBombError as error:
        most = JPEG_PIXELS // 10**6
        raise BadInput(f"It has more than {most} megapixels. Please make it smaller.") from error
    finally:
        Image.MAX_IMAGE_PIXELS = usual


def _to_eight_bits(image: Image.Image) -> Image.Image:
    """Scale grey of 16 bits, of which a conversion would cut off what is above 255."""
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda value: value * (1 / 257)).convert("L")


def _to_srgb(image: Image.Image) -> Image.Image:
    """Apply the colour profile, and lay what is transparent on white."""
    profile = image.info.get("icc_profile")
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.new("RGBA", layer.size, "white")
        image.alpha_composite(layer)
    if profile:
        with suppress(ImageCms.PyCMSError, OSError):
            found = ImageCms.ImageCmsProfile(BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            changed = ImageCms.profileToProfile(image, found, srgb, outputMode="RGB")
            if changed is not None:
                return changed
    return image.convert("RGB")
