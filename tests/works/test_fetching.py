"""What museums' servers may do wrong: a sentence each, and nothing is stored."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from momalisa import limited_process
from momalisa.errors import BadInput, MomaLisaError, ServiceError
from momalisa.works import fetching
from momalisa.works import museum as works_museum
from momalisa.works import picture as works_picture
from momalisa.works.collection import open_museums, write_picture
from momalisa.works.fetching import is_allowed, read_retry_after
from momalisa.works.file_cache import FileCache
from momalisa.works.museum import Museum
from momalisa.works.rate_limit import RateLimit
from momalisa.works.work import Work
from tests.support.museum_records import FOUND, picture
from tests.support.museum_stand_in import EVIL, Answer, StandIn, as_json, certify
from tests.support.waiting import wait_until


@pytest.fixture
def chicago(stand_in: StandIn, tmp_path: Path) -> Museum:
    return open_museums(tmp_path / "home")["chicago"]


def search(museum: Museum, limit: int = 5) -> list[Work]:
    return list(museum.search("water lilies", limit))


def stored(home: Path) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file()]


def test_pages_follow_one_another_up_to_the_limit(stand_in: StandIn, chicago: Museum) -> None:
    numbers = [int(work.id) for work in search(chicago, 250)]
    assert numbers == list(range(1, 251))
    assert len(stand_in.requests) == 3
    assert len(search(chicago, FOUND + 500)) == FOUND


def test_an_answer_is_taken_from_the_disk_the_next_time(
    stand_in: StandIn, chicago: Museum, tmp_path: Path
) -> None:
    work = chicago.get("5")
    write_picture(chicago, work, tmp_path / "a.png")
    asked = len(stand_in.requests)
    again = chicago.get("5")
    write_picture(chicago, again, tmp_path / "b.webp")
    assert again == work
    with Image.open(tmp_path / "b.webp") as image:
        assert image.size == (400, 300)
    assert len(stand_in.requests) == asked


def test_a_kept_answer_that_is_damaged_is_fetched_again(
    stand_in: StandIn, chicago: Museum, tmp_path: Path
) -> None:
    work = chicago.get("5")
    for path in stored(tmp_path / "home"):
        path.write_bytes(b"{")
    assert chicago.get("5") == work


@pytest.mark.parametrize(
    "fault",
    [
        Answer(429, headers={"Retry-After": "0"}),
        Answer(429),
        Answer(500),
        Answer(503, b"<html>busy</html>"),
    ],
)
def test_a_fault_that_passes_is_not_seen(stand_in: StandIn, chicago: Museum, fault: Answer) -> None:
    stand_in.faults = [("/artworks/search", fault)] * 2
    assert len(search(chicago)) == 5


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Answer(429, headers={"Retry-After": "0"}), "asks to wait"),
        (Answer(429, headers={"Retry-After": "3600"}), "Try again in 3600 seconds"),
        (Answer(500), "it has a fault (status 500)"),
        (Answer(403), "refuses the request (status 403)"),
        (Answer(200, b"<html>"), "cannot be read"),
        (Answer(200, b"[" * 100_000), "cannot be read"),
        (as_json([]), "not in the form that it documents"),
        (as_json({"data": "none"}), "not in the form that it documents"),
        (as_json({"data": [{"id": "x"}]}), "not in the form that it documents"),
        (Answer(200, b"{}", {"Content-Encoding": "gzip"}), "compressed"),
        (Answer(302, headers={"Location": f"https://{EVIL}/"}), "none of its own addresses"),
        (Answer(302, headers={"Location": "http://api.artic.edu/api/v1/x"}), "none of its own"),
        (Answer(302, headers={"Location": "https://127.0.0.1/api/v1/x"}), "none of its own"),
        (Answer(302, headers={"Location": "file:///etc/passwd"}), "none of its own"),
        (Answer(302, headers={"Location": "https://x:abc/"}), "leads to no valid address"),
        (Answer(302, headers={"Location": "/api/v1/artworks/search"}), "without end"),
    ],
)
def test_a_fault_that_stays_is_a_sentence_and_nothing_is_stored(
    stand_in: StandIn, chicago: Museum, tmp_path: Path, answer: Answer, sentence: str
) -> None:
    stand_in.always["/artworks/search"] = answer
    with pytest.raises(ServiceError) as raised:
        search(chicago)
    assert sentence in str(raised.value)
    assert str(raised.value).startswith("Art Institute of Chicago: ")
    assert stored(tmp_path / "home") == []
    assert not any(EVIL in address for address in stand_in.requests)


def test_a_museum_that_hangs_is_left(
    stand_in: StandIn, chicago: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "TIMEOUT", httpx.Timeout(10.0, read=0.3))
    stand_in.always["/artworks/search"] = Answer(hangs=True)
    with pytest.raises(ServiceError, match="does not answer in time"):
        search(chicago)
    wait_until(lambda: len(stand_in.requests) == fetching.TRIES)


def test_a_museum_that_is_out_of_reach_is_a_sentence(stand_in: StandIn, chicago: Museum) -> None:
    del stand_in.hosts["api.artic.edu"]
    with pytest.raises(ServiceError, match="cannot be reached"):
        search(chicago)


def test_a_certificate_that_is_not_the_museums_is_told_and_does_not_outlast_itself(
    stand_in: StandIn, chicago: Museum, tmp_path: Path
) -> None:
    """Through a proxy the connection stayed open, and all questions after it waited for it."""
    own, stand_in.context = stand_in.context, certify(tmp_path / "other.pem", [EVIL])
    with pytest.raises(ServiceError, match=r"certificate is not accepted.*clock"):
        search(chicago)
    stand_in.context = own
    assert len(search(chicago)) == 5


def test_an_answer_that_never_ends_is_left(
    stand_in: StandIn, chicago: Museum, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "RECORD", fetching.Budget(1000, 60.0))
    with pytest.raises(ServiceError, match="more than"):
        search(chicago)


@pytest.mark.parametrize("answer", [Answer(body=b" " * 1000, drips=True), Answer(drips_head=True)])
def test_a_museum_that_drips_is_left(
    stand_in: StandIn, chicago: Museum, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    monkeypatch.setattr(fetching, "RECORD", fetching.Budget(10**6, 0.3))
    monkeypatch.setattr(fetching, "TRIES", 1)
    stand_in.always["/artworks/search"] = answer
    start = time.monotonic()
    with pytest.raises(ServiceError, match="does not answer in time"):
        search(chicago)
    assert time.monotonic() - start < 25, "all of it would take 50 seconds"


def test_a_picture_is_decoded_within_limits_of_memory(
    stand_in: StandIn, chicago: Museum, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(works_picture, "MEMORY", 2**20 - limited_process._OWN_MEMORY)
    with pytest.raises(ServiceError, match="more memory or time"):
        write_picture(chicago, chicago.get("5"), tmp_path / "work.png")


def hundred_megapixels() -> bytes:
    file = BytesIO()
    Image.new("1", (10_000, 10_000)).save(file, "PNG")
    return file.getvalue()


PICTURES: dict[str, tuple[Callable[[], Answer], str]] = {
    "missing": (lambda: Answer(404), "there is nothing at"),
    "too large": (lambda: Answer(200, hundred_megapixels()), "Up to 4,096 × 4,096 pixels"),
    "damaged": (lambda: Answer(200, picture(400, 300)[:2000]), "It is damaged"),
    "a page": (lambda: Answer(200, b"<html>"), "no JPEG, PNG or WebP"),
    "elsewhere": (
        lambda: Answer(302, headers={"Location": f"https://{EVIL}/a.jpg"}),
        "none of its own",
    ),
    "a record": (
        lambda: Answer(302, headers={"Location": "https://api.artic.edu/api/v1/artworks/1"}),
        "none of its own",
    ),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_that_cannot_be_used_is_a_sentence_and_nothing_is_stored(
    stand_in: StandIn, chicago: Museum, tmp_path: Path, kind: str
) -> None:
    make, sentence = PICTURES[kind]
    stand_in.always["www.artic.edu"] = make()
    work, target = chicago.get("5"), tmp_path / "work.png"
    target.write_bytes(b"as before")
    with pytest.raises(MomaLisaError) as raised:
        write_picture(chicago, work, target)
    assert sentence in str(raised.value)
    assert target.read_bytes() == b"as before"
    assert [p for p in stored(tmp_path / "home") if p.parent.name == "pictures"] == []
    assert not any(EVIL in address for address in stand_in.requests)


def test_the_pace_is_the_museums(
    stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """60 requests a minute, as the Art Institute of Chicago asks; then a sentence."""
    # In no time at all, however slow this machine is.
    monkeypatch.setattr(works_museum, "RateLimit", partial(RateLimit, clock=lambda: 0.0))
    museum = open_museums(tmp_path / "home")["chicago"]
    for number in range(1, 61):
        museum.get(str(number))
    with pytest.raises(ServiceError, match=r"Try again in [0-9]+ seconds"):
        museum.get("61")
    assert len(stand_in.requests) == 60


def test_a_pace_is_kept_in_any_stretch_of_time() -> None:
    now = [0.0]

    def _sleep(seconds: float) -> None:
        now[0] += seconds

    limit, times = RateLimit(3, 10.0, lambda: now[0], _sleep), []
    for _ in range(20):
        assert limit.wait(30.0) == 0
        times.append(now[0])
        now[0] += 0.5
    assert all(later - earlier >= 10.0 for earlier, later in zip(times, times[3:], strict=False))


@pytest.mark.parametrize(
    "address",
    [
        "http://api.artic.edu/api/v1/x",
        "https://api.artic.edu:8443/api/v1/x",
        "https://user@api.artic.edu/api/v1/x",
        "https://api.artic.edu.evil.example/api/v1/x",
        "https://evil.example/api/v1/x",
        "https://api.artic.edu/admin",
        "https://api.artic.edu/api/v1/../../admin",
        "https://api.artic.edu/api/v1/%2e%2e/%2e%2e/admin",
        "ftp://api.artic.edu/api/v1/x",
    ],
)
def test_only_a_museums_own_addresses_are_allowed(address: str) -> None:
    hosts = ("https://api.artic.edu/api/v1/",)
    assert is_allowed(httpx.URL("https://api.artic.edu/api/v1/x"), hosts)
    assert is_allowed("https://api.artic.edu/api/v1/x", hosts)
    assert not is_allowed(httpx.URL(address), hosts)
    assert not is_allowed(address, hosts)


def test_retry_after_is_a_number_or_a_date() -> None:
    assert read_retry_after("7") == 7
    assert read_retry_after("soon") is None
    assert read_retry_after("") is None
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 60 < (read_retry_after(then) or 0) <= 100


def test_retry_after_is_told_by_the_museums_clock() -> None:
    """With this machine's, which was an hour slow, it was to be asked again in an hour."""
    sent, then = "Sat, 28 Nov 2026 12:00:00 GMT", "Sat, 28 Nov 2026 12:00:05 GMT"
    assert read_retry_after(then, sent) == 5


def test_what_a_record_says_cannot_rewrite_the_screen(stand_in: StandIn, chicago: Museum) -> None:
    record = {"id": 5, "title": "<i>A\x1b[2J</i>\nB\u202e" + "x" * 5000, "is_public_domain": "yes"}
    stand_in.always["/artworks/5"] = as_json({"data": record})
    work = chicago.get("5")
    assert work.title.startswith("A [2J B x")
    assert len(work.title) == 500
    assert work.licence == ""


def test_old_answers_and_those_beyond_the_size_go(
    stand_in: StandIn, chicago: Museum, tmp_path: Path
) -> None:
    cache = chicago.kept_pictures
    cache.most_bytes = 250
    for number in range(5):
        cache.write(str(number), bytes(100))
        path = cache.path(str(number))
        then = time.time() - 1000 + number
        os.utime(path, (then, then))
    cache.trim()
    assert [cache.find(str(n)) is not None for n in range(5)] == [False, False, False, True, True]


def test_a_cache_that_is_written_again_and_again_stays_near_its_size(tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "answers", 32_000, 3600.0)
    for number in range(1000):
        cache.write(str(number), bytes(100))
    kept = sum(path.stat().st_size for path in stored(tmp_path))
    assert 32_000 - 100 <= kept <= 32_000 + 2100
    assert cache.find("999") is not None


def test_a_folder_that_cannot_be_written_is_no_obstacle(stand_in: StandIn, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file in the place of the folder")
    assert len(search(open_museums(tmp_path / "home")["chicago"])) == 5


def test_a_withheld_work_is_never_fetched(
    stand_in: StandIn, chicago: Museum, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match="not offered"):
        write_picture(chicago, chicago.get("7"), tmp_path / "work.png")
    assert not any("iiif" in address for address in stand_in.requests)
