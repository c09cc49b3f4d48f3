"""A museum's work as a stop, on the command line, against the museums' stand-in."""

import pytest

from momalisa.commands.stop_images import FoundPicture, find_picture
from momalisa.errors import BadInput
from momalisa.settings import settings
from momalisa.works.collection import open_museums
from tests.support.museum_records import LOCKED
from tests.support.museum_stand_in import StandIn


def test_a_record_gives_picture_and_credit(stand_in: StandIn) -> None:
    found = find_picture("chicago:5")
    assert isinstance(found, FoundPicture)
    assert (found.picture.width, found.picture.height) == (400, 300)
    assert found.credit is not None
    assert found.credit.line.startswith("Claude Monet, Water Lilies, 1906. ")
    assert "1933.5" in found.credit.line


def test_an_address_of_a_museums_image_gives_its_picture(stand_in: StandIn) -> None:
    museum = open_museums(settings().home)["chicago"]
    address = museum.get("5").picture
    by_record = find_picture("chicago:5")
    for where in (address, f"{address}/info.json"):
        found = find_picture(where)
        assert isinstance(found, FoundPicture)
        assert isinstance(by_record, FoundPicture)
        assert found.picture.digest == by_record.picture.digest


def test_what_is_not_free_is_no_stop(stand_in: StandIn) -> None:
    with pytest.raises(BadInput, match="is not offered"):
        find_picture(f"chicago:{LOCKED}")
