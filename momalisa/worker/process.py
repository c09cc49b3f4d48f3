"""A worker's process: its start, the signals that stop it, and its end with its parent."""

import logging
import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

from db.session import migrate
from momalisa import logs
from momalisa.settings import Settings
from momalisa.worker.supervisor import SUPERVISED
from momalisa.worker.worker import Worker

log = logging.getLogger(__name__)


def run(settings: Settings, *, once: bool = False) -> None:
    """Run a worker until SIGTERM or SIGINT, or, with `once`, until the queue is empty."""
    supervised = os.environ.get(SUPERVISED) == "1"
    logs.configure_logs(settings, file=logs.worker_log(settings) if supervised else None)
    migrate(settings.database)
    run_process(Worker(settings), once=once)


def run_process(worker: Worker, *, once: bool = False) -> None:
    """Run a worker that stops at a signal or, if supervised, when the parent process ends."""
    supervised = os.environ.get(SUPERVISED) == "1"
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: _handle_signal(worker, number))
    if supervised:
        threading.Thread(target=_watch_parent, args=(worker,), daemon=True).start()
        _lower_priority()
    log.info("%s works", worker.name)
    worker.run(once=once, force_exit=_force_exit)
    log.info("%s ends", worker.name)


def _lower_priority() -> None:
    """Keep the web process responsive while frames are rendered on the same cores."""
    if hasattr(os, "nice"):
        os.nice(5)
    # Linux schedules sessions against each other, and this process is one.
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text("5")


def _handle_signal(worker: Worker, number: int) -> None:
    worker.stop()
    # A second signal ends the process immediately.
    signal.signal(number, signal.SIG_DFL)


def _watch_parent(worker: Worker) -> None:
    """Stop the worker when the process at the other end of standard input has ended."""
    # Not sys.stdin: a thread that blocks on it makes the interpreter's shutdown fail.
    while os.read(0, 4096):
        pass
    worker.stop()


def _force_exit() -> None:
    """Exit although the renderer has not stopped in time; its walk is given back already."""
    logging.shutdown()
    os._exit(1)
