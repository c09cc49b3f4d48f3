"""The pairs that a folder holds."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.bench.morph_pairs import read_pairs


def test_a_line_has_two_prompts_and_perhaps_one_for_the_middle(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a moon | a cat\nno pair\na sea| a tree |a ship | at sea\n")
    one, other = read_pairs(tmp_path, 10)
    assert (one.names, one.middle) == (("a moon", "a cat"), "")
    assert (other.names, other.middle) == (("a sea", "a tree"), "a ship | at sea")
    assert [stop["seed"] for pair in (one, other) for stop in pair.stops] == [100, 101, 102, 103]


def test_pictures_are_paired_within_their_folder(tmp_path: Path) -> None:
    for number, name in enumerate(("cats/1.png", "cats/0.png", "dogs/a.png", "dogs/b.png")):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(file), np.full((64, 64, 3), 40 * number, np.uint8))
    pairs = read_pairs(tmp_path, 10)
    assert [pair.names for pair in pairs] == [("0.png", "1.png"), ("a.png", "b.png")]
    for pair in pairs:
        assert [picture.digest for picture in pair.pictures] == [
            stop["image"]["digest"] for stop in pair.stops
        ]


def test_what_cannot_be_walked_is_left_out_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.txt").write_text(f"a moon | A MOON\n{'a' * 9999} | b\na cat | a dog\n")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe | a sea\n")
    for name in ("0.png", "1.png", "2.png"):
        cv2.imwrite(str(tmp_path / name), np.full((64, 64, 3), 40, np.uint8))
    cv2.imwrite(str(tmp_path / "4.png"), np.full((64, 64, 3), 80, np.uint8))
    (tmp_path / "3.png").write_bytes((tmp_path / "2.png").read_bytes()[:80])
    (tmp_path / "5.png").mkdir()
    (tmp_path / "6.txt").mkdir()
    assert [pair.names for pair in read_pairs(tmp_path, 10)] == [("a cat", "a dog")]
    said = capsys.readouterr().out
    for what in ("a moon | A MOON", "aaa | b", "b.txt", "0.png | 1.png", "3.png", "4.png"):
        assert f"{what} is left out: " in said


def test_without_a_folder_they_are_the_benchmarks_own() -> None:
    assert len(read_pairs(None, 12)) == 12
