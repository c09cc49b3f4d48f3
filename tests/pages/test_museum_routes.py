"""Searches and thumbnails of museums' works, as the picker on Create asks for them."""

import asyncio
import json
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import pytest
from PIL import Image

from momalisa.ui.http import museums
from momalisa.works.collection import MUSEUMS
from momalisa.works.search import MOST_WORKS, PART
from tests.support.asgi import Response, get, request
from tests.support.museum_records import BARE, LOCKED
from tests.support.museum_stand_in import Answer, StandIn


def search(museum: str, words: str = "water lilies", first: int | str = 0) -> Response:
    query = urlencode({"museum": museum, "q": words, "first": first})
    return get(museums.SEARCH_PATH, query)


@pytest.mark.parametrize("museum", [museum.key for museum in MUSEUMS])
def test_every_museum_is_searched_part_by_part(stand_in: StandIn, museum: str) -> None:
    answers = [search(museum, first=first) for first in (0, PART)]
    assert [status for status, _, _ in answers] == [200, 200]
    parts = [json.loads(body) for _, _, body in answers]
    ids = [work["id"] for part in parts for work in part["works"]]
    assert len(ids) == len(set(ids)) == 2 * PART
    assert [part["following"] for part in parts] == [PART, 2 * PART]


def test_a_search_ends(stand_in: StandIn) -> None:
    nothing = json.loads(search("chicago", "nothing")[2])
    assert nothing == {"works": [], "following": 0}
    asked = len(stand_in.requests)
    for beyond in (MOST_WORKS, "9" * 20, "9" * 4301):
        assert json.loads(search("chicago", first=beyond)[2]) == {"works": [], "following": 0}
    assert len(stand_in.requests) == asked


def test_a_work_that_is_not_free_is_named_with_the_reason_and_has_no_picture(
    stand_in: StandIn,
) -> None:
    works = json.loads(search("chicago")[2])["works"]
    withheld = {work["id"]: work for work in works if work["withheld"]}
    assert withheld.keys() == {str(LOCKED), str(BARE)}
    assert "not marked as public domain" in withheld[str(LOCKED)]["withheld"]
    assert not any(work["thumbnail"] for work in withheld.values())
    status, _, body = get(museums.THUMBNAIL_PATH, f"museum=chicago&id={LOCKED}")
    assert (status, b"is not offered" in body) == (422, True)


def test_a_thumbnail_comes_from_here_and_is_fetched_once(stand_in: StandIn) -> None:
    address = json.loads(search("chicago")[2])["works"][0]["thumbnail"]
    path, _, query = address.partition("?")
    asked = []
    for _ in range(2):
        status, headers, body = get(path, query)
        assert (status, headers["content-type"]) == (200, "image/webp")
        with Image.open(BytesIO(body)) as image:
            assert max(image.size) <= 256
            assert not image.getexif()
        asked.append(sum("www.artic.edu" in one for one in stand_in.requests))
    assert asked == [1, 1]
    assert not any("/artworks/1?" in one for one in stand_in.requests), "its record was known"


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("museum=louvre&q=sea", 404, "no such museum"),
        ("museum=chicago&q=+", 422, "Search for one to"),
        (f"museum=chicago&q={'x' * 201}", 422, "Search for one to"),
    ],
)
def test_a_wrong_search_is_a_sentence(
    stand_in: StandIn, query: str, status: int, sentence: str
) -> None:
    answered, _, body = get(museums.SEARCH_PATH, query)
    assert (answered, sentence in body.decode()) == (status, True)
    assert stand_in.requests == []


def test_a_museum_that_hangs_says_so_and_the_others_go_on(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in.always["api.smk.dk"] = Answer(hangs=True)
    monkeypatch.setattr(museums.THREADS["smk"], "seconds", 3.0)
    monkeypatch.setattr(museums.THREADS["chicago"], "seconds", 60.0)

    async def ask_both() -> list[Response]:
        queries = [f"museum={museum}&q=sea" for museum in ("smk", "chicago")]
        return await asyncio.gather(*(request(museums.SEARCH_PATH, query) for query in queries))

    (away, _, sentence), (here, _, _) = asyncio.run(ask_both())
    assert (away, here) == (503, 200)
    assert sentence.decode().startswith("SMK, National Gallery of Denmark: it does not answer")


def test_a_museum_that_refuses_is_a_sentence(stand_in: StandIn) -> None:
    stand_in.always["api.smk.dk"] = Answer(403)
    status, _, body = search("smk")
    assert (status, b"it refuses the request" in body) == (502, True)


def test_one_address_cannot_ask_for_everything(
    stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(museums, "WAITING_EACH", 0)
    assert search("chicago")[0] == 429
