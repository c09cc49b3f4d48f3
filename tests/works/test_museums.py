"""Every museum's client, against a stand-in that answers as the museum's documentation says."""

from pathlib import Path

import pytest
from PIL import Image

from momalisa.errors import BadInput, MomaLisaError, ServiceError
from momalisa.works.collection import MUSEUMS, open_museums, write_picture
from momalisa.works.museum import Museum
from momalisa.works.rate_limit import RateLimit
from momalisa.works.search import find_work, search
from tests.support.museum_records import BARE, FOUND, LOCKED, UNLISTED
from tests.support.museum_stand_in import EVIL, Answer, StandIn, as_json
from tests.works.test_fetching import hundred_megapixels, stored

KEYS = [museum.key for museum in MUSEUMS]
SEARCHES = {
    "chicago": "/artworks/search",
    "cleveland": "/api/artworks/?",
    "met": "/v1.1/search",
    "rijksmuseum": "/search/collection",
    "smk": "/art/search",
}
BY_NUMBER = [("cleveland", "1947.5"), ("rijksmuseum", "SK-A-5"), ("smk", "kms5")]
LABELS = {
    "chicago": "Claude Monet, Water Lilies, 1906|Oil on canvas|1933.5|Public domain|Mr. and Mrs.",
    "cleveland": "Vincent van Gogh (Dutch, 1853–1890), The Large Plane Trees, 1889|oil on fabric"
    "|1947.5|CC0|Gift",
    "met": "Claude Monet, Bridge over a Pond of Water Lilies, 1899|Oil on canvas|29.100.5|CC0|"
    "H. O.",
    "rijksmuseum": "Johannes Vermeer, The Milkmaid, c. 1660|oil on canvas|SK-A-5|Public domain"
    "|Purchased",
    "smk": "Cornelis van Haarlem, The Fall of the Titans, 1588-1590|Oil on canvas|KMS5"
    "|Public domain|",
}


@pytest.fixture(params=KEYS)
def museum(request: pytest.FixtureRequest, stand_in: StandIn, tmp_path: Path) -> Museum:
    """Each museum, without its pace."""
    museum = open_museums(tmp_path / "home")[request.param]
    museum.fetcher.rate = RateLimit(10**6, 1.0)
    return museum


def work_id(museum: Museum, number: int) -> str:
    ids = {"rijksmuseum": str(200 * 10**6 + number), "smk": f"KMS{number}"}
    return ids.get(museum.key, str(number))


def test_a_work_has_its_label(museum: Museum) -> None:
    work = museum.get(work_id(museum, 5))
    caption, medium, number, licence, credit = LABELS[museum.key].split("|")
    assert (work.caption, work.medium, work.accession_number) == (caption, medium, number)
    assert (work.licence, work.withheld) == (licence, "")
    assert work.credit_line.startswith(credit)
    assert work.page.startswith("https://")


@pytest.mark.parametrize(("key", "number"), BY_NUMBER)
def test_a_work_is_found_by_its_accession_number(
    stand_in: StandIn, tmp_path: Path, key: str, number: str
) -> None:
    museum = open_museums(tmp_path / "home")[key]
    assert museum.get(number) == museum.get(work_id(museum, 5))


def test_a_search_goes_from_page_to_page_and_ends(stand_in: StandIn, museum: Museum) -> None:
    wanted = [work_id(museum, number) for number in range(1, 131)]
    assert [work.id for work in museum.search("water lilies", 130)] == wanted
    assert list(museum.search("nothing", 10)) == []


def test_all_of_a_search_is_found_once(stand_in: StandIn, tmp_path: Path) -> None:
    museum = open_museums(tmp_path / "home")["smk"]
    assert len({work.id for work in museum.search("titans", FOUND + 10)}) == FOUND


def test_the_rijksmuseum_lists_a_work_by_one_request_and_gives_all_of_it_once_chosen(
    stand_in: StandIn, tmp_path: Path
) -> None:
    museum = open_museums(tmp_path / "home")["rijksmuseum"]
    listed = {work.id: work for work in search(museum, "milk", 0).works}
    # A page of titles, makers and descriptions each; once the whole record, for want of a picture.
    assert len(stand_in.requests) == 3 + len(listed) + 1
    work = listed[work_id(museum, 5)]
    assert (work.caption, work.medium) == (
        "Johannes Vermeer, The Milkmaid, ca. 1660",
        "olieverf op doek",
    )
    assert (work.accession_number, work.licence, work.withheld) == ("SK-A-5", "Public domain", "")
    chosen = find_work(museum, work.id, whole=True)
    assert chosen == museum.get(work.id)
    assert (chosen.date, chosen.medium) == ("c. 1660", "oil on canvas")
    assert find_work(museum, work.id) == chosen
    stand_in.always["/200000002"] = Answer(404)  # withdrawn
    [*_, unlisted] = museum.search("tea", UNLISTED)
    assert unlisted == museum.get(work_id(museum, UNLISTED))
    assert unlisted.withheld == ""


@pytest.mark.parametrize(
    "record",
    [
        [],
        {"aggregatedCHO": 7, "edmRights": {"id": 3}, "isShownBy": ["x"]},
        {"aggregatedCHO": {"title": {"nl": {"nl": {"nl": 1}}}}, "isShownBy": {"id": f"https://{EVIL}"}},
        {
            "aggregatedCHO": {"title": "A"},
            "isShownBy": {"id": f"https://iiif.micr.io.{EVIL}/A5/full/max/0/default.jpg"},
            "edmRights": "http://creativecommons.org/publicdomain/mark/1.0/",
        },
    ],
)  # fmt: skip
def test_a_short_record_in_another_form_gives_way_to_the_whole_one(
    stand_in: StandIn, tmp_path: Path, record: object
) -> None:
    stand_in.always["edm-framed"] = as_json(record)
    museum = open_museums(tmp_path / "home")["rijksmuseum"]
    assert [work.caption for work in museum.search("milk", 1)] == [
        LABELS["rijksmuseum"].split("|")[0]
    ]
    assert not any(EVIL in address for address in stand_in.requests)


def test_a_picture_is_written(museum: Museum, tmp_path: Path) -> None:
    work = museum.get(work_id(museum, 5))
    for size in (300, 1024):
        assert write_picture(museum, work, tmp_path / "work.jpg", size) == (
            min(size, 400),
            min(size, 400) * 3 // 4,
        )
    with Image.open(tmp_path / "work.jpg") as image:
        assert not image.getexif()


def test_only_free_works_with_a_picture_are_offered(museum: Museum, tmp_path: Path) -> None:
    named = {work.id: work.withheld for work in museum.search("water lilies", 10)}
    assert "not marked as public domain" in named.pop(work_id(museum, LOCKED))
    # The Rijksmuseum marks pictures, so that nothing is marked where there is none.
    reason = "not marked" if museum.key == "rijksmuseum" else "no picture"
    assert reason in named.pop(work_id(museum, BARE))
    assert set(named.values()) == {""}
    for number in (LOCKED, BARE):
        with pytest.raises(BadInput, match="is not offered"):
            write_picture(museum, museum.get(work_id(museum, number)), tmp_path / "work.png")


@pytest.mark.parametrize("number", ["999999", "", "../x", "5/../6", "5?x=1", "x" * 500, "5\n"])
def test_a_work_that_is_not_there_is_a_sentence(museum: Museum, number: str) -> None:
    if number == "999999":
        number = work_id(museum, 999_999)
    with pytest.raises(BadInput, match="there is no work"):
        museum.get(number)


FAULTS = [
    (Answer(429, headers={"Retry-After": "0"}), "asks to wait"),
    (Answer(500), "has a fault"),
    (Answer(403), "refuses the request"),
    (Answer(404), "there is nothing at"),
    (as_json([1]), "not in the form"),
    (as_json({"data": 1, "items": 1, "objectIDs": 1, "orderedItems": 1}), "not in the form"),
    (Answer(302, headers={"Location": f"https://{EVIL}/x"}), "none of its own addresses"),
]


@pytest.mark.parametrize(("answer", "sentence"), FAULTS)
def test_a_faulty_search_is_a_sentence_and_nothing_is_stored(
    stand_in: StandIn, museum: Museum, tmp_path: Path, answer: Answer, sentence: str
) -> None:
    stand_in.always[SEARCHES[museum.key]] = answer
    with pytest.raises(ServiceError, match=sentence) as raised:
        list(museum.search("water lilies", 5))
    assert str(raised.value).startswith(museum.name)
    assert stored(tmp_path / "home") == []
    assert not any(EVIL in address for address in stand_in.requests)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Answer(404), "there is nothing at"),
        (Answer(200, hundred_megapixels()), "Up to 4,096 × 4,096 pixels"),
        (Answer(302, headers={"Location": f"https://{EVIL}/x"}), "none of its own addresses"),
    ],
    ids=["missing", "100 megapixels", "elsewhere"],
)
def test_a_faulty_picture_is_a_sentence_and_nothing_is_stored(
    stand_in: StandIn, museum: Museum, tmp_path: Path, answer: Answer, sentence: str
) -> None:
    work = museum.get(work_id(museum, 5))
    for prefix in museum.pictures:
        stand_in.always[prefix] = answer
    with pytest.raises(MomaLisaError, match=sentence):
        write_picture(museum, work, tmp_path / "work.png")
    assert not (tmp_path / "work.png").exists()
    assert [p for p in stored(tmp_path / "home") if p.parent.name == "pictures"] == []
    assert not any(EVIL in address for address in stand_in.requests)


def test_an_original_that_is_too_large_gives_way_to_its_copy(
    stand_in: StandIn, tmp_path: Path
) -> None:
    stand_in.always["/original/"] = Answer(200, hundred_megapixels())
    museum = open_museums(tmp_path / "home")["met"]
    assert write_picture(museum, museum.get("5"), tmp_path / "work.png") == (400, 300)


HOSTILE = {
    "cleveland": ("/api/artworks/5", {"data": {"id": 5, "share_license_status": "CC0", "images": {
        "print": {"url": f"https://{EVIL}/a.jpg"}, "web": {"url": "file:///etc/passwd"}}}}),
    "met": ("/objects/5", {"objectID": 5, "isPublicDomain": True,
        "primaryImage": f"https://{EVIL}/a.jpg", "primaryImageSmall": "https://[/"}),
    "smk": ("/art/?object", {"items": [{"object_number": "KMS5", "public_domain": True,
        "rights": "https://creativecommons.org/publicdomain/mark/1.0/", "has_image": True,
        "image_iiif_id": f"https://{EVIL}/iiif/jp2/a", "image_thumbnail": 7}]}),
    "rijksmuseum": ("/500000005", {"access_point": [{"id": f"https://{EVIL}/A5/full"}]}),
    "chicago": ("/artworks/5", {"data": {"id": 5, "is_public_domain": True,
        "image_id": f"../../{EVIL}"}}),
}  # fmt: skip


def test_a_record_sends_us_nowhere(stand_in: StandIn, museum: Museum, tmp_path: Path) -> None:
    text, record = HOSTILE[museum.key]
    stand_in.always[text] = as_json(record)
    work = museum.get(work_id(museum, 5))
    assert "no picture" in work.withheld
    with pytest.raises(BadInput):
        write_picture(museum, work, tmp_path / "work.png")
    assert not any(EVIL in address for address in stand_in.requests)


def test_the_next_page_is_the_museums_own(stand_in: StandIn, tmp_path: Path) -> None:
    page = {"orderedItems": [], "next": {"id": f"https://{EVIL}/search/collection"}}
    stand_in.always["/search/collection"] = as_json(page)
    with pytest.raises(ServiceError, match="none of its own addresses"):
        list(open_museums(tmp_path / "home")["rijksmuseum"].search("milk", 5))
    assert not any(EVIL in address for address in stand_in.requests)


@pytest.mark.parametrize(
    "rights",
    [
        [],
        ["https://creativecommons.org/licenses/by/4.0/"],
        ["http://rightsstatements.org/vocab/InC/1.0/"],
        [
            "https://creativecommons.org/publicdomain/mark/1.0/",
            "http://rightsstatements.org/vocab/InC/1.0/",
        ],
        ["https://creativecommons.org/publicdomain/mark/1.0/evil"],
    ],
)
def test_rights_that_are_not_clearly_free_are_not(
    stand_in: StandIn, tmp_path: Path, rights: list[str]
) -> None:
    stated = [{"classified_as": [{"id": one} for one in rights]}]
    stand_in.always["/202000005"] = as_json({"subject_to": stated})
    work = open_museums(tmp_path / "home")["rijksmuseum"].get("200000005")
    assert work.licence == ""
    assert "not marked as public domain" in work.withheld
