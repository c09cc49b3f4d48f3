"""Laws of migrations: from an empty database and every earlier schema, up and down."""

import signal
import sqlite3
import subprocess
import sys
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.engine import make_url

from db import curation, walks
from db.error_messages import TooNew
from db.models import Base, Walk
from db.session import (
    HERE,
    alembic_config,
    get_engine,
    list_revisions,
    migrate,
    migration_transaction,
    reading,
    writing,
)
from tests.support.killed_migration import run_killed_migration

ROOT = HERE.parent
SCHEMAS = Path(__file__).parent / "schemas"
EARLIER = list_revisions()[1:]
TABLES = {"walks", "workers", "accessions", "tags", "votes", "stills"}
TABLES |= {"deletions", "stop_pictures", "credits", "alembic_version"}
KEPT = "id, accession, state, created_at, finished_at, title, parent, bytes, star, notes"
MIGRATE = """
import sys
from alembic import command
from db.session import migrate
print("ready", flush=True)
sys.stdin.readline()
migrate(sys.argv[1])
"""
PIPES: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)


def tables(url: str) -> set[str]:
    found = inspect(get_engine(url)).get_table_names()
    return {name for name in found if not name.startswith("walk_words")}


def kept(url: str) -> list[Any]:
    with reading(url) as session:
        return list(session.execute(text(f"SELECT {KEPT} FROM walks ORDER BY id")).all())


def revision_of(url: str) -> str:
    with reading(url) as session:
        return str(session.scalar(text("SELECT version_num FROM alembic_version")))


def go_down(url: str, revision: str) -> None:
    config = alembic_config()
    with migration_transaction(url) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def reflected(_object: object, name: str | None, *_: object) -> bool:
    """Whether alembic can compare it: not what one of the databases alone has, or cannot tell."""
    alone = ("ix_walks_done_model", "ix_walks_done_pacing")
    unseen = ("walk_words", "ix_walks_words", "ix_walks_done_evenness", *alone)
    return not (name or "").startswith(unseen)


def differences(url: str) -> list[Any]:
    """Where a database is not what the models say."""
    with get_engine(url).connect() as connection, warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*expression-based index")
        context = MigrationContext.configure(connection, opts={"include_object": reflected})
        return list(compare_metadata(context, Base.metadata))


@pytest.fixture(params=EARLIER)
def earlier(request: pytest.FixtureRequest, blank: str) -> str:
    """A database as an earlier version left it, with three walks in it."""
    kind = make_url(blank).get_backend_name()
    script = (SCHEMAS / f"{request.param}.{kind}.sql").read_text()
    if kind == "sqlite":
        file = Path(str(make_url(blank).database))
        file.parent.mkdir()
        with closing(sqlite3.connect(file)) as old:
            old.executescript(script)
    else:
        with get_engine(blank).begin() as connection:
            connection.exec_driver_sql(script)
    return blank


def test_blank_database_becomes_the_models(blank: str) -> None:
    migrate(blank)
    assert differences(blank) == []


def test_earlier_schema_becomes_the_same_and_keeps_its_rows(earlier: str) -> None:
    before = kept(earlier)
    migrate(earlier)
    assert kept(earlier) == before
    assert differences(earlier) == []


def test_earlier_rows_are_found_and_new_ones_too(earlier: str) -> None:
    migrate(earlier)
    with writing(earlier) as session:
        assert [w.id for w in walks.list_page(session=session, search="CAFE nacht")] == [
            "parent0000000000"
        ]
        curation.set_tags(session=session, walk_id="parent0000000000", tags=["blue"])
        assert walks.count(session=session, search="blue") == 1
        child = session.get_one(Walk, "child00000000000")
        assert (child.parent, child.waiting, child.troubles) == ("parent0000000000", False, [])


def test_down_and_up_again_keeps_the_rows(earlier: str) -> None:
    before, revision, had = kept(earlier), revision_of(earlier), tables(earlier)
    migrate(earlier)
    with writing(earlier) as session:
        curation.set_tags(session=session, walk_id="parent0000000000", tags=["blue"])
    go_down(earlier, revision)
    assert kept(earlier) == before
    assert tables(earlier) == had
    migrate(earlier)
    assert kept(earlier) == before
    with reading(earlier) as session:
        assert walks.count(session=session, search="nacht") == 1


def test_down_to_nothing_leaves_nothing(blank: str) -> None:
    migrate(blank)
    go_down(blank, "base")
    assert tables(blank) == {"alembic_version"}
    migrate(blank)
    assert tables(blank) == TABLES


@pytest.mark.parametrize("earlier", [min(EARLIER)], indirect=True)
def test_processes_may_migrate_at_once(earlier: str) -> None:
    before = kept(earlier)
    started = [
        subprocess.Popen([sys.executable, "-c", MIGRATE, earlier], cwd=ROOT, text=True, **PIPES)
        for _ in range(3)
    ]
    assert [one.stdout.readline() for one in started if one.stdout] == ["ready\n"] * 3
    for one in started:
        assert one.stdin
        one.stdin.write("go\n")
        one.stdin.flush()
    assert [one.communicate()[1] for one in started] == [""] * 3
    assert [one.returncode for one in started] == [0] * 3
    assert kept(earlier) == before
    assert tables(earlier) == TABLES


@pytest.mark.parametrize(
    ("earlier", "statement"),
    [("0001", 3), ("0001", 12), ("0001", 20), ("0002", 3), ("0002", 5), ("0003", 4), ("0003", 12)],
    indirect=["earlier"],
)
def test_killed_in_the_middle_leaves_the_earlier_schema(earlier: str, statement: int) -> None:
    before, had = kept(earlier), tables(earlier)
    get_engine(earlier).dispose()
    assert run_killed_migration(earlier, statement) == -signal.SIGKILL
    assert tables(earlier) == had
    assert kept(earlier) == before
    migrate(earlier)
    assert kept(earlier) == before


def test_failed_migration_leaves_the_database_as_it_was(
    earlier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tear(*_: object, **__: object) -> None:
        raise RuntimeError("torn")

    had = tables(earlier)
    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.create_table", tear)
        with pytest.raises(RuntimeError, match="torn"):
            migrate(earlier)
    assert tables(earlier) == had
    migrate(earlier)


def test_schema_of_a_later_version_is_left_alone(url: str) -> None:
    with writing(url) as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(TooNew, match="newer MOMA Lisa"):
        migrate(url)
    assert revision_of(url) == "9999"
