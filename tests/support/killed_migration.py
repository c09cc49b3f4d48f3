"""A migration that is killed in the middle, in a process of its own."""

import itertools
import multiprocessing
import os
import signal
from typing import Any

from sqlalchemy import Engine, event

from db.session import migrate

# Not by `fork`: the process of the tests has threads, which Python 3.12 warns of.
_processes = multiprocessing.get_context("forkserver")


def run_killed_migration(url: str, statements: int) -> int | None:
    """Migrate in a process that is killed before its nth statement that is no SELECT.

    Returns its exit code: minus the signal's number.
    """
    process = _processes.Process(target=_migrate_and_die, args=(url, statements))
    process.start()
    process.join()
    return process.exitcode


def _migrate_and_die(url: str, statements: int) -> None:
    left = itertools.count(statements - 1, -1)

    def count(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "SELECT" not in statement and next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", count)
    migrate(url)
