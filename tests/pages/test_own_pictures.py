"""Of too many pictures that one visitor brings, their own oldest go, and nobody else's."""

from collections.abc import Iterator

import pytest

from db import stop_pictures as table
from db.session import reading
from momalisa.settings import settings
from momalisa.stop_pictures import StopPicture
from momalisa.ui import own_pictures
from tests.support.walks import enqueue_walk

DATA = bytes(100)


def digest(number: int) -> str:
    return f"{number:064x}"


def bring(number: int, visitor: str) -> None:
    own_pictures.keep(StopPicture(digest(number), DATA, 3, 2), visitor)


def kept(*numbers: int) -> list[int]:
    with reading(settings().database) as session:
        return [n for n in numbers if table.find(session=session, digest=digest(n))]


@pytest.fixture(autouse=True, params=["MOST_EACH", "MOST_BYTES_EACH"])
def share(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Two pictures each."""
    most = {"MOST_EACH": 2, "MOST_BYTES_EACH": 2 * len(DATA)}[request.param]
    monkeypatch.setattr(own_pictures, request.param, most)
    own_pictures._NOTED.clear()
    yield
    own_pictures._NOTED.clear()


def test_ones_own_oldest_go_and_others_stay() -> None:
    bring(0, "192.0.2.1")
    for number in range(1, 5):
        bring(number, "192.0.2.2")
    assert kept(*range(5)) == [0, 3, 4]


def test_a_picture_that_is_chosen_again_is_not_the_oldest() -> None:
    for number in (1, 2, 1, 3):
        bring(number, "192.0.2.2")
    assert kept(1, 2, 3) == [1, 3]


def test_what_another_visitor_has_chosen_too_stays() -> None:
    bring(1, "192.0.2.1")
    for number in (1, 2, 3):
        bring(number, "192.0.2.2")
    assert kept(1, 2, 3) == [1, 2, 3]


def test_what_a_walk_in_the_queue_needs_stays() -> None:
    bring(1, "192.0.2.2")
    stops = [{"prompt": "", "seed": 7, "image": {"digest": digest(1)}}, {"prompt": "a", "seed": 7}]
    enqueue_walk(settings().database, stops=stops)
    for number in (2, 3):
        bring(number, "192.0.2.2")
    assert kept(1, 2, 3) == [1, 2, 3]


def test_visitors_who_cannot_be_told_apart_have_no_share() -> None:
    for number in range(4):
        bring(number, "")
    assert kept(*range(4)) == [0, 1, 2, 3]
