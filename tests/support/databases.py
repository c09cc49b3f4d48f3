"""Databases to test on: SQLite files, and a PostgreSQL server that ends with the tests."""

import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from db.session import engine_for, migrate

# ICU's English order on purpose: what must be sorted bytewise has to say so.
_CLUSTER = (
    *("--username=postgres", "--auth=trust", "--no-sync", "--encoding=UTF8"),
    *("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en"),
)
_QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class Databases(Protocol):
    """Where new databases come from."""

    def blank(self) -> str:
        """The URL of a database that holds nothing."""

    def fresh(self) -> str:
        """The URL of a database with the newest schema and no rows."""


class SQLite:
    """Databases in the files of a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count()
        self._newest = folder / "newest.db"

    def blank(self) -> str:
        """A file that is not there yet, in a folder that is not there yet."""
        return f"sqlite:///{self._folder}/{next(self._numbers)}/history.db"

    def fresh(self) -> str:
        """A copy of a migrated file."""
        if not self._newest.exists():
            _migrate(f"sqlite:///{self._newest}")
        url = self.blank()
        copy = Path(str(make_url(url).database))
        copy.parent.mkdir()
        shutil.copyfile(self._newest, copy)
        return url


class PostgreSQL:
    """Databases of a server that listens on a Unix socket in a folder."""

    def __init__(self, folder: Path) -> None:
        self._url = f"postgresql+psycopg://postgres@/{{}}?host={folder}"
        self._numbers = itertools.count()
        self._newest = ""

    def blank(self) -> str:
        """A new database."""
        return self._create("template0")

    def fresh(self) -> str:
        """A copy of a migrated database."""
        if not self._newest:
            url = self.blank()
            _migrate(url)
            self._newest = str(make_url(url).database)
        return self._create(self._newest)

    def _create(self, template: str) -> str:
        name = f"history_{next(self._numbers)}"
        with self.server().connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        return self._url.format(name)

    def server(self) -> Engine:
        """For commands to the server itself."""
        url = self._url.format("postgres")
        return create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)


def programs() -> Path | None:
    """The folder of Debian's newest PostgreSQL server programs, if they are installed."""
    found = Path("/usr/lib/postgresql").glob("*/bin")
    return max(found, key=lambda folder: int(folder.parent.name), default=None)


@contextmanager
def postgresql(programs: Path) -> Iterator[PostgreSQL]:
    """A server of its own in a new folder; it ends with the block, and with this process."""
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
        for setting in (*_QUICK, "listen_addresses=", f"unix_socket_directories={folder}")
    ]
    server = subprocess.Popen(
        ["setpriv", "--pdeathsig", "QUIT", programs / "postgres", "-D", data, *settings],
        stderr=subprocess.DEVNULL,
        **as_server,
    )
    try:
        databases = PostgreSQL(folder)
        _wait(databases.server())
        yield databases
    finally:
        server.send_signal(signal.SIGQUIT)  # nothing in it is worth a checkpoint
        server.wait(30)
        shutil.rmtree(folder)


def _migrate(url: str) -> None:
    migrate(url)
    # Nobody may have it open while it is copied.
    engine_for(url).dispose()


def _wait(server: Engine, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            return server.connect().close()
        except OperationalError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
