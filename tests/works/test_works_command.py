"""The command `works` against stand-ins of the museums: what it prints, writes and refuses."""

from pathlib import Path

import pytest
from PIL import Image

from momalisa.__main__ import main
from momalisa.works.collection import MUSEUMS
from tests.support.museum_records import BARE, LOCKED
from tests.support.museum_stand_in import Answer, StandIn


def test_a_search_lists_works_with_their_licence(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["works", "search", "water lilies", "--museum", "chicago", "--limit", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert " ".join(lines[0].split()) == (
        "chicago 1 Claude Monet, Water Lilies, 1906. Public domain"
    )


def test_a_work_is_written_with_its_label(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["works", "get", "chicago", "5", "--out", "work.png"]) == 0
    printed = capsys.readouterr().out
    for part in ("Claude Monet", "1933.5", "Ryerson Collection", "Public domain", "400 × 300"):
        assert part in printed
    with Image.open(tmp_path / "work.png") as image:
        assert image.size == (400, 300)
        assert not image.getexif()


def test_what_is_not_free_or_has_no_picture_is_named_with_the_reason(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["works", "search", "water lilies", "--museum", "chicago"]) == 0
    named = [line for line in capsys.readouterr().out.splitlines() if "not offered" in line]
    assert len(named) == 2
    assert "not marked as public domain or CC0" in named[0]
    assert "no picture" in named[1]
    for number in (LOCKED, BARE):
        assert main(["works", "get", "chicago", str(number), "--out", "work.png"]) == 2
        assert "is not offered" in capsys.readouterr().err
    assert not (tmp_path / "work.png").exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["get", "chicago", "999999"], "there is no work '999999'"),
        (["get", "chicago", "../../secrets"], "there is no work"),
        (["get", "chicago", "5", "--out", "work.tiff"], "ends in .png"),
        (["get", "chicago", "5", "--out", "nowhere/work.png"], "no such folder"),
        (["get", "chicago", "5", "--size", "0"], "--size is from 1"),
        (["search", " "], "Search for"),
        (["search", "x", "--limit", "0"], "--limit is from 1"),
    ],
)
def test_a_wrong_request_is_a_sentence(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert main(["works", *arguments]) == 2
    assert sentence in capsys.readouterr().err


def test_a_search_without_result_says_so(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["works", "search", "nothing"]) == 0
    assert "No work was found" in capsys.readouterr().out


def test_a_museum_that_fails_takes_nothing_from_the_others(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    stand_in.always["api.smk.dk"] = Answer(403)
    assert main(["works", "search", "water lilies", "--limit", "2"]) == 1
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 2 * (len(MUSEUMS) - 1)
    assert "SMK, National Gallery of Denmark: it refuses" in printed.err


def test_a_search_asks_all_museums(stand_in: StandIn, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["works", "search", "water lilies", "--limit", "1"]) == 0
    keys = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert keys == [museum.key for museum in MUSEUMS]


def test_a_disk_that_is_full_is_a_sentence(
    stand_in: StandIn, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "home").write_text("not a folder")
    assert main(["works", "get", "smk", "KMS5"]) == 1
    assert "cannot be used" in capsys.readouterr().err
