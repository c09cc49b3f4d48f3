"""A museum's work as a stop, on the command line, against the museums' stand-in."""

from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from momalisa.commands.stop_images import add_pictures, find_picture
from momalisa.errors import BadInput
from momalisa.film.exports import ExportFormat, export_walk
from momalisa.settings import settings
from momalisa.stop import Credit, StopImage
from momalisa.works.collection import open_museums
from momalisa.works.named_picture import FoundPicture, find_in_file
from tests.support.museum_records import LOCKED
from tests.support.museum_stand_in import StandIn
from tests.support.walks import walk_spec


def test_a_record_gives_picture_and_credit(stand_in: StandIn) -> None:
    found = find_picture("chicago:5")
    assert isinstance(found, FoundPicture)
    assert (found.picture.width, found.picture.height) == (400, 300)
    assert found.credit is not None
    assert found.credit.line.startswith("Claude Monet, Water Lilies, 1906. ")
    assert "1933.5" in found.credit.line


@pytest.mark.parametrize("key", ["chicago", "cleveland", "smk"])
def test_an_address_of_a_works_picture_gives_it_with_its_record(
    stand_in: StandIn, key: str
) -> None:
    by_record = find_picture(f"{key}:{'KMS5' if key == 'smk' else 5}")
    assert isinstance(by_record, FoundPicture)
    address = open_museums(settings().home)[key].get("KMS5" if key == "smk" else "5").picture
    for where in (address,) if key == "cleveland" else (address, f"{address}/info.json"):
        assert find_picture(where) == by_record


@pytest.mark.parametrize(
    ("address", "museum"),
    [
        ("https://iiif.micr.io/A5", "Rijksmuseum"),
        ("https://images.metmuseum.org/CRDImages/ep/original/DT5.jpg", "The Met"),
        (f"https://www.artic.edu/iiif/2/{'0' * 32}", "Art Institute of Chicago"),
        ("https://iip.smk.dk/iiif/jp2/another.tif.jp2", "SMK, National Gallery of Denmark"),
    ],
)
def test_of_a_picture_without_a_record_the_museum_is_known_and_no_licence(
    stand_in: StandIn, address: str, museum: str
) -> None:
    found = find_picture(address)
    assert isinstance(found, FoundPicture)
    assert found.credit is not None
    assert found.credit.line == f"{museum}. No licence is known"


def test_an_address_of_a_picture_that_is_not_free_is_no_stop(stand_in: StandIn) -> None:
    with pytest.raises(BadInput, match="is not offered"):
        find_picture(f"https://www.artic.edu/iiif/2/3c27b499-af56-f0d5-93b5-{LOCKED:012x}")


def test_what_is_not_free_is_no_stop(stand_in: StandIn) -> None:
    with pytest.raises(BadInput, match="is not offered"):
        find_picture(f"chicago:{LOCKED}")


def test_whose_work_a_picture_is_can_be_typed(stand_in: StandIn, tmp_path: Path) -> None:
    path = tmp_path / "work.png"
    Image.new("RGB", (80, 80), "red").save(path)
    stops = [{"prompt": ""}, {"prompt": "a sea"}]
    options = ["1=artist=Mina Loy", "1=title=Consider = Your Grandmother's Stays", "1=year=1916"]
    fields, *_ = add_pictures(stops, [f"1={path}"], [], options)
    image = StopImage.model_validate(fields[0]["image"])
    assert image.credit_line == (
        "Mina Loy, Consider = Your Grandmother's Stays, 1916. No licence is known"
    )
    wrong = {
        "1=painter=Monet": "a field of artist, title, year, museum, number, licence",
        "2=artist=Monet": "Stop 2 has no picture to crop or credit",
        "3=artist=Monet": "a stop from 1 to 2",
        "1=Monet": "N=FIELD=TEXT",
    }
    for option, sentence in wrong.items():
        with pytest.raises(BadInput, match=sentence):
            add_pictures(stops, [f"1={path}"], [], [option])
    with pytest.raises(BadInput, match="the museum's record says"):
        add_pictures(stops, ["1=chicago:5"], [], ["1=artist=Manet"])


@pytest.mark.parametrize(
    ("kind", "titles", "credited"),
    [
        ("webp", ["Lilies"], "Monet, Lilies. CC0"),  # the first frame is the work
        ("zip", ["Lilies"], "Monet, Lilies, in a walk from it. CC0"),
        ("zip", ["Lilies", "Poplars"], "Monet, Lilies; Poplars, in a walk from them. CC0"),
        ("zip", [], ""),
    ],
)
def test_what_was_exported_from_a_film_of_works_credits_them(
    kind: ExportFormat, titles: list[str], credited: str, tmp_path: Path
) -> None:
    works = [Credit(artist="Monet", title=title, licence="CC0") for title in titles]
    images = [{"image": {"digest": f"{n:064}", "credit": work}} for n, work in enumerate(works)]
    spec = walk_spec(stops=[*images, {"prompt": "a sea"}, {"prompt": "a moon"}], frames=2)
    path = tmp_path / "film"
    path.write_bytes(
        export_walk(kind, spec, [np.zeros((64, 64, 3), np.uint8)] * len(spec.places()))
    )
    if kind == "zip":
        with ZipFile(path) as archive:
            path = Path(archive.extract("0002.png", tmp_path))
    found = find_in_file(path)
    assert (found.credit.line if found.credit else "") == credited
