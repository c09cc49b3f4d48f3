"""Laws of connections and migrations."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from db.models import Base, Walk
from db.session import HERE, engine_for, migrate, reading, writing

ROOT = HERE.parent
Ask = Callable[..., Walk]


def tables(url: str) -> set[str]:
    return set(inspect(engine_for(url)).get_table_names())


@pytest.fixture
def blank(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/blank.db"


def test_blank_file_becomes_the_models(blank: str) -> None:
    migrate(blank)
    with engine_for(blank).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_migrating_again_keeps_the_rows(url: str, ask: Ask) -> None:
    walk = ask()
    migrate(url)
    with reading(url) as session:
        assert session.get_one(Walk, walk.id).title == walk.title


def test_down_leaves_nothing_and_up_works_again(blank: str) -> None:
    migrate(blank)
    config = Config(str(HERE / "alembic.ini"))
    with engine_for(blank).begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert tables(blank) == {"alembic_version"}
    migrate(blank)
    assert tables(blank) == {"alembic_version", "walks", "workers", "accessions"}


def test_processes_may_migrate_at_once(blank: str) -> None:
    code = "import sys; from db.session import migrate; migrate(sys.argv[1])"
    started = [
        subprocess.Popen([sys.executable, "-c", code, blank], cwd=ROOT, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    assert [one.communicate()[1].decode() for one in started] == ["", ""]
    assert [one.returncode for one in started] == [0, 0]
    assert "walks" in tables(blank)


def test_failed_migration_leaves_the_file_as_it_was(
    blank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tear(*_: object) -> None:
        raise RuntimeError("torn")

    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.create_index", tear)
        with pytest.raises(RuntimeError, match="torn"):
            migrate(blank)
    assert tables(blank) == set()
    migrate(blank)


def test_error_rolls_back(url: str, ask: Ask) -> None:
    walk = ask()

    def half_a_change() -> None:
        with writing(url) as session:
            session.get_one(Walk, walk.id).title = "changed"
            session.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        half_a_change()
    with reading(url) as session:
        assert session.get_one(Walk, walk.id).title == walk.title


def test_reading_changes_nothing(url: str, ask: Ask) -> None:
    walk = ask()
    with reading(url) as session:
        session.get_one(Walk, walk.id).title = "changed"
        session.flush()
    with reading(url) as session:
        assert session.get_one(Walk, walk.id).title == walk.title


def test_second_writer_waits_for_the_first(url: str, ask: Ask) -> None:
    """A transaction that read before it wrote failed at once with "database is locked"."""
    walk = ask()
    inside = threading.Event()

    def first() -> None:
        with writing(url) as session:
            row = session.get_one(Walk, walk.id)
            inside.set()
            time.sleep(0.2)  # holds the lock while the other one asks for it
            row.steps += 1

    other = threading.Thread(target=first)
    other.start()
    inside.wait()
    with writing(url) as session:
        session.get_one(Walk, walk.id).steps += 1
    other.join()
    with reading(url) as session:
        assert session.get_one(Walk, walk.id).steps == walk.steps + 2


def test_reader_sees_one_state_while_others_write(url: str, ask: Ask) -> None:
    walk = ask()
    with reading(url) as session:
        assert session.get_one(Walk, walk.id).steps == 16
        with writing(url) as other:
            other.get_one(Walk, walk.id).steps = 20
        session.expire_all()
        assert session.get_one(Walk, walk.id).steps == 16


def test_sqlite_is_set_up_to_last(url: str) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    with reading(url) as session:
        values = [session.scalar(text(f"PRAGMA {name}")) for name in names]
    assert values == ["wal", 1, 1, 15_000]


def test_one_engine_a_database(url: str, blank: str) -> None:
    assert engine_for(url) is engine_for(url)
    assert engine_for(url) is not engine_for(blank)


def test_db_knows_nothing_of_the_rest() -> None:
    code = (
        "import sys, db.walks, db.queue, db.session;"
        "print([m for m in sys.modules if m.split('.')[0] in ('momalisa', 'torch', 'streamlit')])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True
    )
    assert found.stdout.strip() == "[]"
