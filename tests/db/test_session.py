"""Laws of transactions and engines."""

import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from db.models import Walk
from db.session import HERE, get_engine, reading, writing
from tests.support.databases import PostgreSQL, SQLite

ROOT = HERE.parent
EnqueueWalk = Callable[..., Walk]


def test_error_rolls_back(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()

    def half_a_change() -> None:
        with writing(url) as session:
            session.get_one(Walk, walk.id).title = "changed"
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_a_change()
    with reading(url) as session:
        assert session.get_one(Walk, walk.id).title == walk.title


def test_reading_changes_nothing(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    with reading(url) as session:
        session.get_one(Walk, walk.id).title = "changed"
        session.flush()
    with reading(url) as session:
        assert session.get_one(Walk, walk.id).title == walk.title


def test_a_new_file_is_opened_while_another_program_writes_it(tmp_path: Path) -> None:
    """An app and its worker that started on a new file failed at times, "database is locked"."""
    file = tmp_path / "new.db"
    with closing(sqlite3.connect(file, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE written (number)")
        ending = threading.Timer(0.3, lambda: other.execute("COMMIT"))
        ending.start()
        with reading(f"sqlite:///{file}") as session:
            assert session.execute(text("SELECT count(*) FROM written")).scalar() == 0
            assert session.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        ending.join()


def test_second_writer_waits_for_the_first(url: str, enqueue_walk: EnqueueWalk) -> None:
    """A transaction that read before it wrote failed at once with "database is locked"."""
    walk = enqueue_walk()
    inside = threading.Event()

    def first() -> None:
        with writing(url) as session:
            row = session.get_one(Walk, walk.id, with_for_update=True)
            inside.set()
            time.sleep(0.2)  # holds the lock while the other one asks for it
            row.steps += 1

    other = threading.Thread(target=first)
    other.start()
    inside.wait()
    with writing(url) as session:
        session.get_one(Walk, walk.id, with_for_update=True).steps += 1
    other.join()
    with reading(url) as session:
        assert session.get_one(Walk, walk.id).steps == walk.steps + 2


def test_reader_sees_one_state_while_others_write(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    with reading(url) as session:
        assert session.get_one(Walk, walk.id).steps == 16
        with writing(url) as other:
            other.get_one(Walk, walk.id).steps = 20
        session.expire_all()
        assert session.get_one(Walk, walk.id).steps == 16


def test_sqlite_is_set_up_to_last(files: SQLite) -> None:
    url = files.fresh()
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    with reading(url) as session:
        values = [session.scalar(text(f"PRAGMA {name}")) for name in names]
    assert values == ["wal", 2, 1, 15_000]


def test_postgresql_commits_durably_although_the_server_does_not(server: PostgreSQL) -> None:
    """The tests' server has `synchronous_commit=off`, as a hurried administrator may."""
    url = server.fresh()
    for _ in range(2):
        with suppress(RuntimeError), writing(url) as session:
            assert session.scalar(text("SHOW synchronous_commit")) == "on"
            raise RuntimeError  # a rollback does not undo it
    get_engine(url).dispose()


def test_one_engine_a_database(url: str, blank: str) -> None:
    assert get_engine(url) is get_engine(url)
    assert get_engine(url) is not get_engine(blank)


def test_db_knows_nothing_of_the_rest() -> None:
    code = (
        "import sys, db.walks, db.queue, db.session;"
        "print([m for m in sys.modules if m.split('.')[0] in ('momalisa', 'torch', 'streamlit')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert found.stdout.strip() == "[]"
