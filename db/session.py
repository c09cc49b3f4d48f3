"""Engines, transactions and migrations of the history database.

Driver errors are translated to the exceptions of `db.error_messages` here and in `db.backup`.
"""

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import NoSuchModuleError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from db.dialect import let_one_in
from db.error_messages import (
    NoDriver,
    NoFolder,
    NotUpgraded,
    OnNetworkDisk,
    TooNew,
    translate_errors,
)
from db.file_system import find_network_file_system
from db.files import create_folder

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(__file__).resolve().parent
BUSY_SECONDS = 15
SECRETS = ("password", "passfile", "sslpassword", "sslkey")  # of a URL's query
_WRITES = "history_writes"  # execution option of transactions that write
_MIGRATION_LOCK_ID = 0x4D4F4D41  # PostgreSQL's advisory lock for migrations: "MOMA"
_migration_lock = threading.Lock()

log = logging.getLogger(__name__)


def get_engine(url: str) -> Engine:
    """Return this process's engine for `url`; creates the folder of a SQLite file."""
    # The process id is part of the cache key: a connection must not cross a fork.
    return _cached_engine(url, os.getpid())


@lru_cache(maxsize=8)
def _cached_engine(url: str, _pid: int) -> Engine:
    # Streamlit serves each session in a separate thread.
    return _create_engine(url, pool_size=5, max_overflow=60)


def _create_engine(url: str, *, foreign_keys: bool = True, **options: Any) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        try:
            engine = create_engine(parsed, **options)
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            raise NoDriver.at(describe_location(url)) from error
        event.listen(engine, "connect", _drop_nul_characters)
        event.listen(engine, "connect", _commit_durably)
        return engine
    if parsed.database:
        _refuse_network_disk(url, Path(parsed.database))
        try:
            create_folder(Path(parsed.database).parent)
        except OSError as error:
            raise NoFolder.at(describe_location(url)) from error
    engine = create_engine(parsed, connect_args={"timeout": BUSY_SECONDS}, **options)

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        # The driver would send BEGIN late and never BEGIN IMMEDIATE: `_begin` does it instead.
        connection.isolation_level = None
        _use_write_ahead_log(connection)
        # NORMAL would lose the last commits in a power cut: walks that were told done, numbers that
        # were given, while their files stay.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA foreign_keys = {'ON' if foreign_keys else 'OFF'}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A transaction that reads first and then writes fails immediately if another one wrote in
        # between, whatever the busy timeout; taking the write lock first makes it wait.
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Let a SQLite file write its log ahead; waits while another program writes a new file.

    SQLite's own timeout does not hold for this switch: of two programs that make it at once, one
    is told at once that the file is locked.
    """
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)
        else:
            return


def _drop_nul_characters(connection: Any, _record: object) -> None:
    """Remove NUL characters from texts sent to PostgreSQL, whose driver would raise on them."""
    from psycopg.types.string import StrDumperUnknown

    class Dumper(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", ""))

    connection.adapters.register_dumper(str, Dumper)


def _refuse_network_disk(url: str, file: Path) -> None:
    if find_network_file_system(file):
        raise OnNetworkDisk.at(describe_location(url))


def _commit_durably(connection: Any, _record: object) -> None:
    """Turn PostgreSQL's `synchronous_commit` on for this session where the server has it off."""
    connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) "
        "WHERE current_setting('synchronous_commit') = 'off'"
    )
    connection.commit()  # a rollback would undo the setting


@contextmanager
def writing(url: str) -> Iterator[Session]:
    """Open a write transaction: committed at the end of the block, rolled back on an error.

    Waits up to 15 s for other writers. Raises HistoryError when the history cannot be written.
    Rows can still be read after the block.
    """
    with translate_errors(describe_location(url)):
        engine = get_engine(url).execution_options(**{_WRITES: True})
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session


@contextmanager
def reading(url: str) -> Iterator[Session]:
    """Open a read transaction on one snapshot of the history; changes are rolled back.

    Raises HistoryError when the history cannot be read.
    """
    with translate_errors(describe_location(url)):
        engine = get_engine(url)
        if engine.dialect.name == "postgresql":
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with Session(engine, expire_on_commit=False) as session:
            yield session


def sqlite_file(url: str) -> Path | None:
    """Return the file of a SQLite history; None for one on a server or in memory."""
    parsed = make_url(url)
    sqlite = parsed.get_backend_name() == "sqlite"
    on_disk = sqlite and parsed.database not in (None, "", ":memory:")
    return Path(str(parsed.database)) if on_disk else None


def describe_location(url: str) -> str:
    """Return the history's file, or its URL without the password."""
    if file := sqlite_file(url):
        return str(file)
    return make_url(url).difference_update_query(SECRETS).render_as_string(hide_password=True)


def migrate(url: str) -> None:
    """Migrate the database to the newest schema, also an empty or missing one.

    Safe when several processes start at once: a database lock lets one of them migrate. If the
    process is killed, the transaction is rolled back. An up-to-date database is only read. Raises
    HistoryError.
    """
    # Alembic takes 0.3 s to import, and its context is global to the process.
    from alembic import command

    found, newest = _read_revision(url), list_revisions()[0]
    if found == newest:
        return
    if found is not None:
        log.info("The history is brought up to date, from schema %s to %s", found, newest)
    config = alembic_config()
    with migration_transaction(url) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def require_newest_schema(url: str) -> None:
    """Raise NotUpgraded or TooNew for a schema of another version; changes nothing."""
    if _read_revision(url) != list_revisions()[0]:
        raise NotUpgraded.at(describe_location(url))


@lru_cache(maxsize=1)
def list_revisions() -> tuple[str, ...]:
    """Return the schema revisions that this version knows, newest first."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(alembic_config())
    return tuple(script.revision for script in scripts.walk_revisions())


def alembic_config() -> "Config":
    """Return the Alembic configuration of the migrations."""
    from alembic.config import Config

    return Config(str(HERE / "alembic.ini"))


def _read_revision(url: str) -> str | None:
    """Return the database's schema revision, None if empty; raises TooNew on an unknown one."""
    from alembic.migration import MigrationContext

    with reading(url) as session:
        context = MigrationContext.configure(session.connection())
        revision: str | None = context.get_current_revision()
    if revision not in (None, *list_revisions()):
        raise TooNew.at(describe_location(url))
    return revision


@contextmanager
def migration_transaction(url: str) -> Iterator[Connection]:
    """Open the transaction of a migration, one at a time, in which tables may be rebuilt."""
    # Foreign keys off: Alembic rebuilds a changed table, and dropping the old one would delete
    # the rows that refer to it.
    engine = _create_engine(url, foreign_keys=False, poolclass=NullPool)
    locking = engine.execution_options(**{_WRITES: True})
    with _migration_lock, translate_errors(describe_location(url)), locking.begin() as connection:
        let_one_in(connection, _MIGRATION_LOCK_ID)
        yield connection
