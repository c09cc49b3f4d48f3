"""Databases for tests: SQLite files, and a PostgreSQL server that ends with this process."""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from db.models import Base
from db.session import get_engine, migrate

# English collation on purpose: bytewise order must be asked for explicitly.
_CLUSTER = (
    *("--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8"),
    *("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en"),
)
_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class Databases(Protocol):
    """Creates databases."""

    def blank(self) -> str:
        """Create a database without a schema; returns its URL."""

    def fresh(self) -> str:
        """Create a database with the newest schema and no rows; returns its URL."""

    def reuse(self) -> str:
        """Empty the database of the last call and return its URL; the first call creates one.

        For tests that run one after another: the engine keeps the statements that it compiled.
        """


class SQLite:
    """SQLite files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()

    def blank(self) -> str:
        """Name a file that does not exist, in a folder that does not exist."""
        return f"sqlite:///{self._folder}/{next(self._numbers)}/history.db"

    def fresh(self) -> str:
        """Copy a migrated file."""
        url = self.blank()
        create_sqlite(url)
        return url

    def reuse(self) -> str:
        """Copy a migrated file to where the last one was."""
        folder = self._folder / "reused"
        shutil.rmtree(folder, ignore_errors=True)
        url = f"sqlite:///{folder}/history.db"
        create_sqlite(url)
        return url


class PostgreSQL:
    """Databases of a server that listens on a Unix socket in a folder."""

    def __init__(self, folder: Path) -> None:
        self._url = f"postgresql+psycopg://postgres@/{{}}?host={folder}"
        self._numbers = itertools.count()
        self._newest = self._last = ""

    def blank(self) -> str:
        """Create an empty database."""
        return self._create("template0")

    def fresh(self) -> str:
        """Create a copy of a migrated database."""
        if not self._newest:
            url = self.blank()
            _migrate(url)
            self._newest = str(make_url(url).database)
        return self._create(self._newest)

    def reuse(self) -> str:
        """Delete all rows, and end connections that another process left open."""
        if not self._last:
            self._last = self.fresh()
            return self._last
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
        with self.server().connect() as connection:
            connection.execute(text(others), {"name": make_url(self._last).database})
        with get_engine(self._last).begin() as connection:
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(table.delete())
        return self._last

    def _create(self, template: str) -> str:
        name = f"history_{next(self._numbers)}"
        with self.server().connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        return self._url.format(name)

    def server(self) -> Engine:
        """An engine for commands to the server."""
        url = self._url.format("postgres")
        return create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)


def postgresql_programs() -> Path | None:
    """Find the folder of Debian's newest PostgreSQL server programs, if installed."""
    folders = Path("/usr/lib/postgresql").glob("*/bin")
    return max(folders, key=lambda folder: int(folder.parent.name), default=None)


@contextmanager
def running_postgresql(programs: Path) -> Iterator[PostgreSQL]:
    """Run a server in a new folder for the length of a block."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    # PostgreSQL does not run as root.
    as_server: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL}
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_server |= {"user": "postgres", "group": "postgres", "extra_groups": []}
    data = folder / "data"
    subprocess.run([programs / "initdb", "-D", data, *_CLUSTER], check=True, **as_server)
    settings = [
        f"-c{setting}"
        for setting in (*_FAST, "listen_addresses=", f"unix_socket_directories={folder}")
    ]
    server = subprocess.Popen(
        ["setpriv", "--pdeathsig", "QUIT", programs / "postgres", "-D", data, *settings],
        stderr=subprocess.DEVNULL,
        **as_server,
    )
    try:
        databases = PostgreSQL(folder)
        _wait_for_connection(databases.server())
        yield databases
    finally:
        server.send_signal(signal.SIGQUIT)  # no checkpoint: the data is discarded
        server.wait(30)
        shutil.rmtree(folder)


def create_sqlite(url: str) -> None:
    """Create a SQLite file with the newest schema: `migrate` for a new one, but much faster."""
    path = Path(str(make_url(url).database))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_migrated_sqlite())


@cache
def _migrated_sqlite() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.db"
        _migrate(f"sqlite:///{path}")
        return path.read_bytes()


def _migrate(url: str) -> None:
    migrate(url)
    # No connection may be open while it is copied.
    get_engine(url).dispose()


def _wait_for_connection(server: Engine, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            return server.connect().close()
        except OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
