"""Laws of backups: complete or absent, and nothing is overwritten."""

import os
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from subprocess import run
from sys import executable

import pytest

from db import deletions, walks
from db.backup import backup, restore
from db.error_messages import Damaged, HistoryError, Locked, NotRestorable, TooNew
from db.session import get_engine, migrate, reading, sqlite_file, writing
from tests.db.test_migrations import SCHEMAS
from tests.support.databases import PostgreSQL, SQLite
from tests.support.mounts import may_mount
from tests.support.walks import enqueue_walk


@pytest.fixture
def history(files: SQLite) -> str:
    url = files.fresh()
    enqueue_walk(url, title="first")
    return url


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "copy.db"


def titles(url: str) -> list[str]:
    with reading(url) as session:
        found = [walk.title for walk in walks.list_active(session=session)]
    get_engine(url).dispose()
    return found


def beside(url: str) -> list[str]:
    file = sqlite_file(url)
    assert file is not None
    return sorted(one.name for one in file.parent.iterdir())


def test_backup_comes_back(history: str, copy: Path) -> None:
    backup(history, copy)
    enqueue_walk(history, title="second")
    get_engine(history).dispose()
    kept = restore(copy, history)
    assert titles(history) == ["first"]
    assert titles(f"sqlite:///{kept}") == ["first", "second"]
    assert copy.exists()


def test_restored_history_gives_no_number_again_and_brings_no_walk_back(
    history: str, copy: Path
) -> None:
    """The numbers given since the backup were given twice; deleted walks were there again."""
    first, gone = enqueue_walk(history, title="kept"), enqueue_walk(history, title="gone")
    backup(history, copy)
    given = enqueue_walk(history, title="later").accession
    with writing(history) as session:
        assert walks.cancel(session=session, walk_id=gone.id)
        assert walks.delete(session=session, walk_id=gone.id)
    get_engine(history).dispose()
    restore(copy, history)
    assert titles(history) == ["first", "kept"]
    assert enqueue_walk(history).accession > given
    with reading(history) as session:
        assert deletions.is_deleted(session=session, walk_id=gone.id)
        assert walks.get(session=session, walk_id=first.id)


def test_backup_is_one_whole_file_while_others_write(history: str, copy: Path) -> None:
    enough = threading.Event()

    def write() -> None:
        while not enough.is_set():
            enqueue_walk(history, title="more")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        backup(history, copy)
    finally:
        enough.set()
        writer.join()
    assert [one.name for one in copy.parent.iterdir()] == [copy.name]
    assert titles(f"sqlite:///{copy}")[0] == "first"


def test_backup_overwrites_nothing(history: str, copy: Path) -> None:
    copy.write_text("precious")
    with pytest.raises(NotRestorable, match="exists already"):
        backup(history, copy)
    assert copy.read_text() == "precious"


def test_damaged_history_gives_no_backup(history: str, copy: Path) -> None:
    spoil(history)
    with pytest.raises(Damaged):
        backup(history, copy)
    assert list(copy.parent.iterdir()) == []


def test_nothing_gives_no_backup(files: SQLite, copy: Path) -> None:
    with pytest.raises(NotRestorable, match="no history"):
        backup(files.blank(), copy)


def test_backup_needs_its_folder(history: str, copy: Path) -> None:
    with pytest.raises(NotRestorable, match="no folder"):
        backup(history, copy / "there" / "copy.db")


DISKS = {
    "full": ("-o size=16k", "The disk of {folder} is full"),
    "without room for a name": ("-o nr_inodes=1", "No file can be made in {folder}"),
}


@pytest.mark.parametrize("command", ["backup", "restore"])
@pytest.mark.parametrize("disk", DISKS)
@pytest.mark.skipif(not may_mount(), reason="no file systems can be mounted here")
def test_a_disk_that_takes_no_copy_is_named(
    disk: str, command: str, history: str, copy: Path, tmp_path: Path
) -> None:
    """The sentence named the disk that was read, where there was room."""
    file = sqlite_file(history)
    assert file is not None
    folder = tmp_path / "disk"
    folder.mkdir()
    backup(history, copy)
    name = folder / "copy.db" if command == "backup" else copy
    file = file if command == "backup" else folder / "history.db"
    options, sentence = DISKS[disk]
    script = f'mount -t tmpfs {options} none "$1" && exec "$2" -m momalisa "$3" "$4"'
    told = run(
        ["unshare", "-rm", "sh", "-c", script, "sh", str(folder), executable, command, str(name)],
        env=os.environ
        | {"MOMALISA_DATABASE_URL": f"sqlite:///{file}", "MOMALISA_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode
    assert sentence.format(folder=folder) in told.stderr
    assert len(told.stderr.splitlines()) == 1
    assert titles(history) == ["first"]


@pytest.mark.skipif(not may_mount(), reason="no file systems can be mounted here")
def test_a_home_on_a_full_disk_can_be_saved(history: str, copy: Path, tmp_path: Path) -> None:
    """The backup was whole, and the command failed, as it could not note that it made one."""
    home = tmp_path / "home"
    home.mkdir()
    script = 'mount -t tmpfs -o nr_inodes=1 full "$1" && exec "$2" -m momalisa backup "$3"'
    told = run(
        ["unshare", "-rm", "sh", "-c", script, "sh", str(home), executable, str(copy)],
        env=os.environ | {"MOMALISA_DATABASE_URL": history, "MOMALISA_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "whole and checked" in told.stdout
    assert "doctor" in told.stderr
    assert titles(f"sqlite:///{copy}") == ["first"]


def test_restore_refuses_while_another_has_it_open(history: str, copy: Path) -> None:
    backup(history, copy)
    with reading(history) as session:
        walks.list_active(session=session)
    before = beside(history)
    with pytest.raises(Locked):
        restore(copy, history)
    assert beside(history) == before
    assert titles(history) == ["first"]


def test_nobody_opens_the_history_while_it_is_restored(
    history: str, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An app that started meanwhile left its write-ahead log on the new file, which broke it."""
    file = sqlite_file(history)
    backup(history, copy)
    for number in range(50):
        enqueue_walk(history, title=f"since the backup {number}")
    get_engine(history).dispose()
    # Another process: SQLite's locks are between processes.
    write = (
        "import sqlite3, sys, os; history = sqlite3.connect(sys.argv[1], timeout=0);"
        "history.execute('PRAGMA journal_mode = WAL');"
        "history.execute('UPDATE walks SET title = title || hex(randomblob(2000))');"
        "history.commit(); os._exit(0)"
    )
    tries = []

    def carry_over(previous: Path, new: Path) -> None:
        tries.append(run([executable, "-c", write, str(file)], capture_output=True, text=True))

    monkeypatch.setattr("db.backup._carry_over", carry_over)
    restore(copy, history)
    [attempt] = tries
    assert "locked" in attempt.stderr
    with closing(sqlite3.connect(str(file))) as restored:
        assert restored.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert titles(history) == ["first"]


def test_restore_needs_no_present_history(history: str, files: SQLite, copy: Path) -> None:
    backup(history, copy)
    other = files.blank()
    assert restore(copy, other) is None
    assert titles(other) == ["first"]


def test_what_is_left_of_a_history_moved_away_does_not_come_back(history: str, copy: Path) -> None:
    backup(history, copy)
    file = sqlite_file(history)
    assert file is not None
    with closing(sqlite3.connect(file)) as killed:
        enqueue_walk(history, title="second")
        left = file.with_name(f"{file.name}-wal").read_bytes()
        killed.execute("SELECT 1")
    get_engine(history).dispose()
    file.unlink()
    file.with_name(f"{file.name}-wal").write_bytes(left)
    assert restore(copy, history) is None
    assert titles(history) == ["first"]


def test_damaged_history_is_kept_as_it_is_and_replaced(history: str, copy: Path) -> None:
    backup(history, copy)
    broken = spoil(history)
    kept = restore(copy, history)
    assert kept is not None
    assert kept.read_bytes()[8192:] == broken[8192:]
    assert titles(history) == ["first"]


def test_old_backup_gets_the_newest_schema(files: SQLite, copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as old:
        old.executescript((SCHEMAS / "0001.sqlite.sql").read_text())
    url = files.blank()
    restore(copy, url)
    migrate(url)
    assert titles(url) == ["Café → sea"]


def test_restoring_a_backup_of_the_previous_release_brings_no_deleted_walk_back(
    files: SQLite, copy: Path
) -> None:
    """Its schema has no table of deletions: the restored history forgot them silently."""
    with closing(sqlite3.connect(copy)) as old:
        old.executescript((SCHEMAS / "0003.sqlite.sql").read_text())
    url = files.blank()
    restore(copy, url)
    migrate(url)
    with writing(url) as session:
        gone = walks.list_page(session=session, limit=10)[0].id
        assert walks.delete(session=session, walk_id=gone)
    get_engine(url).dispose()
    restore(copy, url)
    with reading(url) as session:
        assert walks.get(session=session, walk_id=gone) is None
        assert deletions.is_deleted(session=session, walk_id=gone)
    get_engine(url).dispose()
    assert not [name for name in beside(url) if name.startswith(".")]


def unknown(copy: Path) -> None:
    with closing(sqlite3.connect(copy)) as file, file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")


def foreign(copy: Path) -> None:
    copy.unlink()
    with closing(sqlite3.connect(copy)) as file:
        file.execute("CREATE TABLE recipes (name)")


def torn(copy: Path) -> None:
    copy.write_bytes(copy.read_bytes()[:-5000])


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (unknown, TooNew),
        (foreign, NotRestorable),
        (torn, NotRestorable),
        (Path.unlink, NotRestorable),
    ],
)
def test_what_is_no_backup_changes_nothing(
    history: str, copy: Path, change: Callable[[Path], None], error: type[HistoryError]
) -> None:
    backup(history, copy)
    change(copy)
    get_engine(history).dispose()
    before = beside(history)
    with pytest.raises(error):
        restore(copy, history)
    assert beside(history) == before
    assert titles(history) == ["first"]


def test_server_has_its_own_command(server: PostgreSQL, copy: Path) -> None:
    url = server.fresh()
    with pytest.raises(NotRestorable, match="pg_dump"):
        backup(url, copy)
    with pytest.raises(NotRestorable, match="pg_restore"):
        restore(copy, url)


def test_commands_say_what_they_did(
    history: str, copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from momalisa.__main__ import main
    from momalisa.settings import settings

    monkeypatch.setenv("MOMALISA_DATABASE_URL", history)
    settings.cache_clear()
    assert main(["backup", str(copy)]) == 0
    assert main(["backup", str(copy)]) == 1
    get_engine(history).dispose()
    assert main(["restore", str(copy)]) == 0
    settings.cache_clear()
    said = capsys.readouterr()
    assert "whole and checked" in said.out
    assert "before-restore" in said.out
    assert "exists already" in said.err


def spoil(url: str) -> bytes:
    """Write over the middle of the history."""
    get_engine(url).dispose()
    file = sqlite_file(url)
    assert file is not None
    whole = file.read_bytes()
    broken = whole[:8192] + b"\xff" * 8192 + whole[16384:]
    file.write_bytes(broken)
    return broken
