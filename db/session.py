"""Connections: one engine per database and process, and the two kinds of transaction.

This is the one place where the driver's errors become those of `db.error_messages`.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import NoSuchModuleError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from db.error_messages import NoDriver, TooNew, translate_errors

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(__file__).resolve().parent
BUSY_SECONDS = 15
_WRITES = "history_writes"
_MIGRATION = 0x4D4F4D41  # PostgreSQL's advisory lock for migrations: "MOMA"
_one_migration = threading.Lock()


def get_engine(url: str) -> Engine:
    """The engine of this process for `url`; makes the folder of a SQLite file."""
    # The process's id is part of the key: a connection must not cross a fork.
    return _engine(url, os.getpid())


@lru_cache(maxsize=8)
def _engine(url: str, _pid: int) -> Engine:
    # Streamlit serves every reader from a thread of its own.
    return _new_engine(url, pool_size=5, max_overflow=60)


def _new_engine(url: str, *, foreign_keys: bool = True, **options: Any) -> Engine:
    place = make_url(url)
    if place.get_backend_name() != "sqlite":
        try:
            engine = create_engine(place, **options)
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            raise NoDriver.at(describe_location(url)) from error
        event.listen(engine, "connect", _leave_out_nul)
        return engine
    if place.database:
        Path(place.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(place, connect_args={"timeout": BUSY_SECONDS}, **options)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own BEGIN would come late and never IMMEDIATE: `_begin` sends it instead.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and writes later fails at once when another one wrote
        # in between, whatever the busy timeout; taking the write lock first makes it wait.
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _leave_out_nul(connection: Any, _record: object) -> None:
    """PostgreSQL's texts hold no NUL and its driver raises at one; so an odd URL finds nothing."""
    from psycopg.types.string import StrDumperUnknown

    class Dumper(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", ""))

    connection.adapters.register_dumper(str, Dumper)


@contextmanager
def writing(url: str) -> Iterator[Session]:
    """A transaction that writes: committed at the end, rolled back on an error.

    Waits up to 15 s for other writers. Raises HistoryError when the history cannot be written.
    Rows stay readable after it.
    """
    with translate_errors(describe_location(url)):
        engine = get_engine(url).execution_options(**{_WRITES: True})
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session


@contextmanager
def reading(url: str) -> Iterator[Session]:
    """A transaction that only reads, one state of the history; what it changes is dropped.

    Raises HistoryError when the history cannot be read.
    """
    with translate_errors(describe_location(url)):
        engine = get_engine(url)
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with Session(engine, expire_on_commit=False) as session:
            yield session


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite history; None for one on a server or in memory."""
    place = make_url(url)
    on_disk = place.get_backend_name() == "sqlite" and place.database not in (None, "", ":memory:")
    return Path(str(place.database)) if on_disk else None


def describe_location(url: str) -> str:
    """Where the history is, as one may say it aloud: no password."""
    return str(sqlite_file(url) or make_url(url).render_as_string(hide_password=True))


def migrate(url: str) -> None:
    """Bring the database to the newest schema; also from nothing.

    Safe when many processes start at once: one does the work, under the database's own lock.
    Killed in the middle, it leaves the database as it was. A database that is up to date is only
    read. Raises HistoryError.
    """
    # Alembic takes 0.3 s to import, and its context is one per process.
    from alembic import command

    if _revision(url) == list_revisions()[0]:
        return
    config = _alembic()
    with migration_transaction(url) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def list_revisions() -> list[str]:
    """The schemas that this version knows, the newest first."""
    from alembic.script import ScriptDirectory

    return [one.revision for one in ScriptDirectory.from_config(_alembic()).walk_revisions()]


def _alembic() -> "Config":
    from alembic.config import Config

    return Config(str(HERE / "alembic.ini"))


def _revision(url: str) -> str | None:
    """The database's schema; None for a blank one. Raises TooNew when nobody here knows it."""
    from alembic.migration import MigrationContext

    with reading(url) as session:
        context = MigrationContext.configure(session.connection())
        revision: str | None = context.get_current_revision()
    if revision not in (None, *list_revisions()):
        raise TooNew.at(describe_location(url))
    return revision


@contextmanager
def migration_transaction(url: str) -> Iterator[Connection]:
    """A transaction that may rebuild tables, one at a time. Raises HistoryError."""
    # Keys off: Alembic rebuilds a changed table, and dropping the old one would delete children.
    engine = _new_engine(url, foreign_keys=False, poolclass=NullPool)
    locking = engine.execution_options(**{_WRITES: True})
    with _one_migration, translate_errors(describe_location(url)), locking.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION})
        yield connection
