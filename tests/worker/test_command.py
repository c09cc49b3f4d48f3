"""`python -m momalisa worker`, started by hand: it goes on until it is stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from db import worker_registry
from db.models import WorkerHeartbeat
from db.session import reading, writing
from momalisa.settings import CHECKOUT, Settings
from momalisa.worker.sign_of_life import HomeLock
from tests.support.waiting import wait_until

ENDS = 60.0
"""Seconds for a start or an end on a machine that is busy."""


@contextmanager
def command(settings: Settings, **variables: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run the command with an endpoint, so that no model is loaded; its log goes to a file."""
    environment = {"MOMALISA_HOME": str(settings.home), "MOMALISA_ENDPOINT": "nowhere"}
    with terminal(settings).open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "momalisa", "worker"],
            cwd=CHECKOUT,
            env=os.environ | environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


def terminal(settings: Settings) -> Path:
    """What the command wrote to its terminal."""
    return settings.home / "terminal.txt"


def others(settings: Settings) -> list[WorkerHeartbeat]:
    """The living workers but "elsewhere"."""
    with reading(settings.database) as session:
        alive = worker_registry.list_alive(session=session)
    return [worker for worker in alive if worker.name != "elsewhere"]


def worker_of(settings: Settings) -> int:
    """The pid of the command's worker, once it works."""
    return wait_until(lambda: others(settings), ENDS)[0].pid


def test_a_worker_that_dies_is_started_again(settings: Settings) -> None:
    """It ended for good after a hang or a broken device."""
    with writing(settings.database) as session:
        worker_registry.record_heartbeat(session=session, name="elsewhere", pid=1, host="another")
    with command(settings, MOMALISA_WORKER="external") as process:
        first = worker_of(settings)
        assert first != process.pid
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: {one.pid for one in others(settings)} - {first}, ENDS)
        assert process.poll() is None
        text = terminal(settings).read_text()
    assert "exit code -9" in text
    assert text.count("works\n") == 2, "the worker's own log is in the terminal, too"
    assert not (settings.home / "logs").exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_command_and_its_worker(settings: Settings, number: int) -> None:
    with command(settings) as process:
        worker_of(settings)
        process.send_signal(number)
        assert process.wait(ENDS) == 0
        assert others(settings) == []
    assert HomeLock(settings).acquire()


def test_a_service_manager_that_signals_both_ends_them_in_good_order(settings: Settings) -> None:
    """As systemd does: the second signal, which the command sends, must not cut the end short."""
    with command(settings) as process:
        worker = worker_of(settings)
        os.kill(worker, signal.SIGTERM)
        process.terminate()
        assert process.wait(ENDS) == 0
    assert others(settings) == []
    assert "ends\n" in terminal(settings).read_text()


def test_a_killed_command_leaves_no_worker(settings: Settings) -> None:
    with command(settings) as process:
        worker_of(settings)
        process.kill()
        wait_until(lambda: not others(settings), ENDS)


def test_it_waits_while_another_worker_has_the_home_and_says_so(settings: Settings) -> None:
    lock = HomeLock(settings)
    assert lock.acquire()
    with command(settings) as process:
        wait_until(lambda: "Another worker" in terminal(settings).read_text(), ENDS)
        assert process.poll() is None
        assert others(settings) == []
        lock.release()
        worker_of(settings)
    assert terminal(settings).read_text().count("Another worker") == 1
