"""Local storage on a failing disk: a StorageError and no partial file."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from momalisa.errors import NotStored, StorageError
from momalisa.settings import CHECKOUT
from momalisa.storage import LocalStorage
from tests.support.storage_emulator import AWKWARD_KEY


def test_full_disk_is_a_storage_error_and_leaves_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StorageError, match="No space left"):
        LocalStorage(tmp_path).put(AWKWARD_KEY, b"film", "image/gif")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_disk_without_hard_links_never_overwrites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    storage = LocalStorage(tmp_path)
    storage.put(AWKWARD_KEY, b"film", "image/gif")
    storage.put(AWKWARD_KEY, b"film", "image/gif")
    with pytest.raises(StorageError, match="never overwritten"):
        storage.put(AWKWARD_KEY, b"other", "image/gif")
    assert [stored.key for stored in storage.list()] == [AWKWARD_KEY]


def test_what_a_killed_process_left_goes_with_the_last_file(tmp_path: Path) -> None:
    """A deleted film was still there as a hidden file, half or whole."""
    storage, folder = LocalStorage(tmp_path), tmp_path / "saved_predictions" / "w1"
    for name in ("film.gif", "walk.json"):
        storage.put(f"saved_predictions/w1/{name}", b"film", "image/gif")
    (folder / ".0123456789abcdef.part").write_bytes(b"film")
    storage.delete("saved_predictions/w1/film.gif")
    assert len(list(folder.iterdir())) == 2, "another process may be writing it"
    storage.delete("saved_predictions/w1/walk.json")
    assert not folder.exists()


@pytest.mark.parametrize("path", ["store", "store/films", "store/films/saved_predictions"])
def test_file_in_the_place_of_a_folder_is_not_an_empty_storage(tmp_path: Path, path: str) -> None:
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_bytes(b"no folder")
    with pytest.raises(StorageError, match="is not a folder"):
        list(LocalStorage(tmp_path / "store/films").list("saved_predictions/"))


@pytest.mark.parametrize("seconds", [-(10**11), 10**15])
def test_file_of_a_time_that_no_calendar_has_is_listed(tmp_path: Path, seconds: int) -> None:
    LocalStorage(tmp_path).put(AWKWARD_KEY, b"film", "image/gif")
    os.utime(tmp_path / AWKWARD_KEY, (seconds, seconds))
    assert [stored.key for stored in LocalStorage(tmp_path).list()] == [AWKWARD_KEY]


RESTRICTIONS = {
    "a limit on file size": "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))",
    "a folder without write permission": "os.setuid(65_534)",
}


@pytest.mark.parametrize("restriction", RESTRICTIONS)
def test_refused_write_is_a_storage_error_and_leaves_no_file(
    tmp_path: Path, restriction: str
) -> None:
    """Runs in a subprocess, because the restriction cannot be lifted again."""
    if "setuid" in RESTRICTIONS[restriction] and os.geteuid() != 0:
        pytest.skip("only root can change its user")
    code = f"""
import os, resource, signal
from pathlib import Path
from momalisa.storage import LocalStorage
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
{RESTRICTIONS[restriction]}
LocalStorage(Path({str(tmp_path)!r})).put("a/b.gif", bytes(100_000), "image/gif")
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert "did not take or give a/b.gif" in done.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_unreadable_folder_is_not_listed_as_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage = LocalStorage(tmp_path)
    storage.put(AWKWARD_KEY, b"film", "image/gif")

    def refuse(_path: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(StorageError, match="Input/output error"):
        list(storage.list())


def test_folder_is_not_a_file(tmp_path: Path) -> None:
    storage = LocalStorage(tmp_path)
    storage.put("a/b.gif", b"film", "image/gif")
    with pytest.raises(NotStored):
        storage.get("a")
    with pytest.raises(StorageError):
        storage.put("a/b.gif/c.gif", b"film", "image/gif")
    assert not storage.exists("a")


def test_what_is_no_file_is_neither_listed_nor_read(tmp_path: Path) -> None:
    """A link to /dev/zero took all memory of `sync`, and a named pipe let it wait for ever."""
    storage = LocalStorage(tmp_path)
    storage.put(AWKWARD_KEY, b"film", "image/gif")
    folder = (tmp_path / AWKWARD_KEY).parent
    os.mkfifo(folder / "pipe.json")
    for device in ("null", "zero"):
        (folder / f"{device}.json").symlink_to(f"/dev/{device}")
    assert [stored.key for stored in storage.list()] == [AWKWARD_KEY]
    for name in ("null.json", "pipe.json", "zero.json"):
        with pytest.raises(NotStored):
            storage.get(str(Path(AWKWARD_KEY).with_name(name)))


def test_folder_that_is_a_link_is_listed_and_one_that_leads_back_is_not(tmp_path: Path) -> None:
    """A film on another disk was told to be lost, and missing in a history that was rebuilt."""
    storage, disk = LocalStorage(tmp_path / "store"), LocalStorage(tmp_path / "disk")
    disk.put("w1/film.gif", b"gif", "image/gif")
    storage.put("films/w2/film.gif", b"gif", "image/gif")
    (storage.root / "films/w1").symlink_to(disk.root / "w1")
    (storage.root / "films/w2/back").symlink_to(storage.root)
    keys = [stored.key for stored in storage.list("films/")]
    assert keys == ["films/w1/film.gif", "films/w2/film.gif"]
