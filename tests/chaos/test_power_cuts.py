"""What was told is on the disk: power cuts at random moments lose nothing of it."""

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

from momalisa.settings import CHECKOUT
from tests.chaos import power_cuts
from tests.support.power_cuts import Disk, record_calls

PROGRAMS = {
    "a file of a storage": "LocalStorage(home / 'a' / 'store').put('b/c.gif', data, 'image/gif')",
    "a record that is replaced": (
        "store = LocalStorage(home / 'a' / 'store')\n"
        "store.put('b/walk.json', b'old', 'application/json')\n"
        "store.replace('b/walk.json', data, 'application/json', previous=b'old')"
    ),
    "a film beside others": "write_atomically(home / 'film.gif', data, synced=True)",
    "a backup of the history": (
        "url = f'sqlite:///{home}/b/history.db'\nmigrate(url)\nbackup(url, home / 'history.backup')"
    ),
    "a history that is restored in the place of a damaged one": (
        "url, copy = f'sqlite:///{home}/b/history.db', home / 'history.backup'\n"
        "migrate(url)\nbackup(url, copy)\nget_engine(url).dispose()\n"
        "(home / 'b' / 'history.db').write_bytes(copy.read_bytes()[:8192] + bytes(8192))\n"
        "restore(copy, url)"
    ),
}
PRELUDE = """
import os, sys
from pathlib import Path
from db.backup import backup, restore
from db.session import get_engine, migrate
from momalisa.files import write_atomically
from momalisa.storage import LocalStorage
home, data = Path(sys.argv[1]), bytes(range(256)) * 40
"""
STORED = {"a file of a storage": "a/store/b/c.gif", "a film beside others": "film.gif"}
STORED |= {"a record that is replaced": "a/store/b/walk.json"}
STORED |= {"a backup of the history": "history.backup"}
STORED |= {"a history that is restored in the place of a damaged one": "b/history.db"}


@pytest.fixture(autouse=True)
def _strace() -> None:
    if shutil.which("strace") is None:
        sentence = "strace is not installed: apt-get install strace"
        pytest.fail(sentence) if os.environ.get("CI") else pytest.skip(sentence)


@pytest.mark.parametrize("what", PROGRAMS)
def test_what_was_written_survives_a_power_cut(what: str, tmp_path: Path) -> None:
    """The folder's own name once was not synced: the file was safe in a folder that was lost."""
    home = tmp_path / "home"
    home.mkdir()
    program = f"{PRELUDE}{PROGRAMS[what]}\nos.write(1, b'stored')\n"
    calls = record_calls([sys.executable, "-c", program, str(home)], CHECKOUT, tmp_path / "record")
    disk = Disk(home)
    for call in calls:
        disk.run(call)
        if disk.told:
            break
    assert disk.told == ["stored"]
    expected = (home / STORED[what]).read_bytes()
    for seed in range(20):
        remains = tmp_path / f"remains-{seed}"
        remains.mkdir()
        disk.write_remains(remains, random.Random(seed))
        assert (remains / STORED[what]).read_bytes() == expected


def test_no_film_and_no_number_is_lost_in_power_cuts() -> None:
    findings = power_cuts.run(4)
    assert not any(findings.counts.values()), findings
