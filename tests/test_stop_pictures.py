"""Pictures from outside become stops: checked, upright, in sRGB, without metadata."""

import hashlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from db import stop_pictures as table
from db.session import reading
from momalisa import stop_pictures
from momalisa.errors import BadInput
from momalisa.works.credit import credit_work, suggest_prompt
from momalisa.works.work import Work
from tests.support.databases import create_sqlite


def encode(image: Image.Image, form: str = "PNG", **options: object) -> bytes:
    data = BytesIO()
    image.save(data, form, **options)
    return data.getvalue()


def painting(width: int = 120, height: int = 90) -> Image.Image:
    pixels = np.random.default_rng(1).integers(0, 255, (height // 10, width // 10, 3), np.uint8)
    return Image.fromarray(pixels).resize((width, height))


def test_a_picture_is_kept_pixel_by_pixel_under_its_digest(tmp_path: Path) -> None:
    picture = stop_pictures.take_in_bytes(encode(painting()))
    assert picture.digest == hashlib.sha256(picture.data).hexdigest()
    assert (picture.width, picture.height) == (120, 90)
    with Image.open(BytesIO(picture.data)) as image:
        assert image.format == "WEBP"
        assert np.array_equal(np.asarray(image.convert("RGB")), np.asarray(painting()))
    create_sqlite(url := f"sqlite:///{tmp_path}/history.db")
    stop_pictures.keep(picture, url)
    with reading(url) as session:
        assert table.find(session=session, digest=picture.digest) == picture.data


def test_orientation_is_applied_and_metadata_is_gone_and_large_ones_are_smaller() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "my home"
    data = encode(painting(1800, 900), "JPEG", exif=exif.tobytes())
    picture = stop_pictures.take_in_bytes(data)
    assert (picture.width, picture.height) == (768, stop_pictures.LONGEST_SIDE)
    with Image.open(BytesIO(picture.data)) as image:
        assert not image.getexif()
    assert b"my home" not in picture.data


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@pytest.mark.parametrize("profile", [False, True])
def test_orientation_is_applied_whatever_else_is_changed(mode: str, profile: bool) -> None:
    """Photographs have a colour profile and an orientation, drawings a transparent ground."""
    exif = Image.Exif()
    exif[0x0112] = 6
    options: dict[str, object] = {"exif": exif.tobytes()}
    if profile and mode != "L":
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        options["icc_profile"] = srgb.tobytes()
    picture = stop_pictures.take_in_bytes(encode(painting().convert(mode), "PNG", **options))
    assert (picture.width, picture.height) == (90, 120)


def test_sixteen_bits_of_grey_become_eight() -> None:
    grey = np.linspace(0, 65535, 100 * 80).astype(np.uint16).reshape(80, 100)
    picture = stop_pictures.take_in_bytes(encode(Image.fromarray(grey)))
    with Image.open(BytesIO(picture.data)) as image:
        found = np.asarray(image.convert("L")).astype(int)
    assert np.abs(found - grey // 256).max() <= 1


@pytest.mark.parametrize(
    ("form", "size", "frames"),
    [
        ("JPEG", (6000, 4000), 1),  # a camera's
        ("JPEG", (24_000, 1200), 1),  # a panorama
        ("MPO", (3000, 3000), 2),  # a phone's, with what else it knows
        ("PNG", (3000, 3000), 2),
    ],
)
def test_what_cameras_and_phones_make_is_taken_in(
    form: str, size: tuple[int, int], frames: int
) -> None:
    first, *others = (Image.new("L", size, 99 * number) for number in range(1, frames + 1))
    options = {"save_all": True, "append_images": others} if others else {}
    picture = stop_pictures.take_in_bytes(encode(first, form, **options))
    assert max(picture.width, picture.height) == stop_pictures.LONGEST_SIDE
    assert picture.width / picture.height == pytest.approx(size[0] / size[1], rel=0.02)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (encode(Image.new("L", (9000, 9000)), "JPEG"), "more than 67 megapixels"),
        (b"", "no JPEG, PNG or WebP"),
        (b"<svg onload='alert(1)'/>", "no JPEG, PNG or WebP"),
        (encode(painting())[:-2000], "damaged"),
        (encode(Image.new("RGB", (63, 200))), "63 × 200 pixels"),
        (encode(Image.new("RGB", (1, 5000))), "1 × 5000 pixels"),
        (encode(Image.new("1", (9000, 9000))), "more than is read here"),
    ],
)
def test_what_cannot_be_a_stop_is_refused_in_words(data: bytes, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        stop_pictures.take_in_bytes(data)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no such picture"):
        stop_pictures.take_in(tmp_path / "none.png")


def make_work(**changes: str) -> Work:
    names = ("museum", "id", "title", "artist", "date", "medium", "accession_number", "licence")
    fields = dict.fromkeys((*names, "credit_line", "page", "picture"), "")
    return Work(**fields | changes)  # type: ignore[arg-type]


def test_a_museums_record_gives_credit_and_prompt() -> None:
    work = make_work(title="Water Lilies", artist="Claude Monet", date="1906", licence="CC0")
    credit = credit_work(work, "Cleveland Museum of Art")
    assert credit.line == "Claude Monet, Water Lilies, 1906. Cleveland Museum of Art. CC0"
    assert credit.licence_address.endswith("/zero/1.0/")
    assert suggest_prompt(work) == "Water Lilies by Claude Monet, 1906"


def test_a_record_with_anything_in_it_gives_a_credit() -> None:
    work = make_work(title="<script>\x00" + "x" * 900, page="javascript:alert(1)")
    credit = credit_work(work, "Museum")
    assert credit.title.startswith("script x")
    assert (len(credit.title), credit.record_address) == (500, "")
    assert suggest_prompt(make_work()) == ""
    hindi = credit_work(make_work(title="\u095c" * 500), "Museum")
    assert len(hindi.title) == 500
