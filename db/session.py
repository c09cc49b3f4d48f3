"""Connections: one engine per database and process, and the two kinds of transaction."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

HERE = Path(__file__).resolve().parent
BUSY_SECONDS = 15
_WRITES = "history_writes"
_MIGRATION = 0x4D4F4D41  # PostgreSQL's advisory lock for migrations: "MOMA"
_one_migration = threading.Lock()


def engine_for(url: str) -> Engine:
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
        return create_engine(place, **options)
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


@contextmanager
def writing(url: str) -> Iterator[Session]:
    """A transaction that writes: committed at the end, rolled back on an error.

    Waits up to 15 s for other writers, then raises sqlalchemy.exc.OperationalError.
    Rows stay readable after it.
    """
    engine = engine_for(url).execution_options(**{_WRITES: True})
    with Session(engine, expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def reading(url: str) -> Iterator[Session]:
    """A transaction that only reads, one state of the history; what it changes is dropped."""
    with Session(engine_for(url), expire_on_commit=False) as session:
        yield session


def migrate(url: str) -> None:
    """Bring the database to the newest schema; also from nothing.

    Safe when many processes start at once: one does the work, under the database's own lock.
    """
    # Alembic takes 0.3 s to import, and its context is one per process.
    from alembic import command
    from alembic.config import Config

    config = Config(str(HERE / "alembic.ini"))
    # Keys off: Alembic rebuilds a changed table, and dropping the old one would delete children.
    engine = _new_engine(url, foreign_keys=False, poolclass=NullPool).execution_options(
        **{_WRITES: True}
    )
    with _one_migration, engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
