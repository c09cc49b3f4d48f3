"""The app as a curator has it: `streamlit run`, its worker, and a real Chromium."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from momalisa.settings import CHECKOUT

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@dataclass
class House:
    """A running app, with what its history holds."""

    url: str
    home: Path
    pid: int
    """The server's."""
    environment: dict[str, str]
    """The server's, for what works beside it."""

    def walks(self) -> list[tuple[str, str]]:
        """Title and state of every walk."""
        return self.ask("SELECT title, state FROM walks ORDER BY created_at")

    def ask(self, question: str) -> list[tuple[str, str]]:
        """The rows that answer a question in SQL."""
        with closing(sqlite3.connect(self.home / "momalisa.db")) as history:
            return history.execute(question).fetchall()


@contextmanager
def running(
    home: Path, *, environment: Mapping[str, str] | None = None, port: int = 0
) -> Iterator[House]:
    """Start the app at home in `home`, on a free port if none is named; end it as Ctrl-C would."""
    port = port or free_port()
    told = {"MOMALISA_HOME": str(home), "MOMALISA_WORKER": "local", **(environment or {})}
    surroundings = os.environ | told
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    with (home / "server.log").open("ab") as log:
        server = subprocess.Popen(
            [*command, "--server.headless=true", f"--server.port={port}"],
            cwd=CHECKOUT,
            env=surroundings,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        wait_for(f"http://localhost:{port}/_stcore/health")
        yield House(f"http://localhost:{port}", home, server.pid, surroundings)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(url: str, seconds: float = 30.0) -> None:
    """Return once the address answers; raises TimeoutError."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError), urllib.request.urlopen(url):
            return
        time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, headless."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()
