"""A file is written completely, or the old one stays."""

from pathlib import Path

import pytest

from momalisa.files import replacing, write_atomically


def test_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    for data in (b"one", b"two"):
        write_atomically(path, data)
        assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


def write_half(path: Path) -> None:
    with replacing(path) as part:
        part.write_bytes(b"half of the n")
        raise RuntimeError


def test_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "film.gif"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError):
        write_half(path)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
