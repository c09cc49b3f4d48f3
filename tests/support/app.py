"""The running app: `streamlit run` with its worker and its database."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from momalisa.settings import CHECKOUT
from tests.support.network import kept_port, wait_for_url


@dataclass
class App:
    """A running server, and the home folder it works in."""

    url: str
    home: Path
    pid: int
    """The server's."""
    environment: dict[str, str]
    """The server's, for other processes that share its home."""

    @property
    def database(self) -> str:
        """The URL of the app's database."""
        return f"sqlite:///{self.home / 'momalisa.db'}"

    def walks(self) -> list[tuple[str, str]]:
        """Title and state of every walk."""
        return self.query("SELECT title, state FROM walks ORDER BY created_at")

    def query(self, sql: str) -> list[tuple[str, str]]:
        """Run a SELECT on the app's database."""
        with closing(sqlite3.connect(self.home / "momalisa.db")) as connection:
            return connection.execute(sql).fetchall()


@contextmanager
def running_app(
    home: Path, *, environment: Mapping[str, str] | None = None, port: int = 0
) -> Iterator[App]:
    """Start the app on a port, by default a free one; stop it with SIGTERM afterwards."""
    variables = {"MOMALISA_HOME": str(home), "MOMALISA_WORKER": "local", **(environment or {})}
    server_environment = os.environ | variables
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    with kept_port(port) as port, (home / "server.log").open("ab") as log:
        url = f"http://localhost:{port}"
        server = subprocess.Popen(
            [*command, "--server.headless=true", f"--server.port={port}"],
            cwd=CHECKOUT,
            env=server_environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for_url(f"{url}/_stcore/health", lambda: server.poll() is None)
            yield App(url, home, server.pid, server_environment)
        except ChildProcessError as error:
            error.add_note((home / "server.log").read_text()[-2000:])
            raise
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(120)
