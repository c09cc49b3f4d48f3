"""A worker's process: its start, the signals that stop it, and its end with its parent."""

import logging
import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

from db.session import migrate
from momalisa import logs
from momalisa.errors import BadInput
from momalisa.settings import Settings
from momalisa.worker.launch import SUPERVISED, TO_FILE, is_supervised
from momalisa.worker.sign_of_life import HomeLock, Pulse
from momalisa.worker.supervisor import DEVICE_BROKEN
from momalisa.worker.worker import Worker

NICENESS = 5
"""Of a worker beside the pages, once its model is loaded."""

log = logging.getLogger(__name__)


def run(settings: Settings, *, once: bool = False) -> None:
    """Run a worker until SIGTERM or SIGINT, or, with `once`, until the queue is empty.

    Raises BadInput if another worker is in this home and there is no supervisor to wait.
    """
    _configure_logs(settings)
    lock = HomeLock(settings)
    if not lock.acquire():
        if is_supervised():
            return
        raise BadInput(
            "Another worker is at work in this home. It renders the queue; "
            "please stop it first, or give this one a MOMALISA_HOME of its own."
        )
    try:
        migrate(settings.database)
        run_process(Worker(settings), once=once)
    finally:
        lock.release()


def _configure_logs(settings: Settings) -> None:
    """Log to a file for the app, else to standard error; so too if the disk takes no file."""
    file = logs.worker_log(settings) if _is_of_the_app() else None
    try:
        logs.configure_logs(settings, file=file)
    except OSError as error:
        logs.configure_logs(settings)
        log.error("The log file cannot be written: %s", error)


def _is_of_the_app() -> bool:
    return os.environ.get(SUPERVISED) == TO_FILE


def run_process(worker: Worker, *, once: bool = False) -> None:
    """Run a worker that stops at a signal or, if supervised, when the parent process ends.

    Exits with DEVICE_BROKEN if its device broke: whatever starts services then starts it anew.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: _handle_signal(worker, number))
    if is_supervised():
        threading.Thread(target=_watch_parent, args=(worker,), daemon=True).start()
    Pulse(worker.settings, lambda: worker.is_well).start()
    log.info("%s works", worker.name)
    when_ready = _lower_priority if _is_of_the_app() else None
    worker.run(once=once, force_exit=lambda: _force_exit(worker), when_ready=when_ready)
    log.info("%s ends", worker.name)
    if worker.device_broken:
        # At once: a broken driver may hang while the interpreter takes everything down.
        _exit_now(DEVICE_BROKEN)


def _lower_priority() -> None:
    """Keep the web process responsive while frames are rendered on the same cores.

    Not while the worker wakes: the first page would hardly come sooner, the first film seconds
    later.
    """
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    with suppress(OSError):  # on Linux that was this thread alone, and those that it starts
        for thread in Path("/proc/self/task").iterdir():
            os.setpriority(os.PRIO_PROCESS, int(thread.name), NICENESS)
    # Linux schedules sessions against each other, and this process is one.
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(NICENESS))


def _handle_signal(worker: Worker, number: int) -> None:
    worker.stop()
    if not is_supervised():
        # A second signal ends the process immediately. A supervisor's comes after that of a service
        # manager that signals both; it kills a worker that does not end.
        signal.signal(number, signal.SIG_DFL)


def _watch_parent(worker: Worker) -> None:
    """Stop the worker when the process at the other end of standard input has ended."""
    # Not sys.stdin: a thread that blocks on it makes the interpreter's shutdown fail.
    while os.read(0, 4096):
        pass
    worker.stop()


def _force_exit(worker: Worker) -> None:
    """Exit although the renderer has not stopped; its walk is given back already."""
    _exit_now(0 if worker.may_exit else 1)


def _exit_now(code: int) -> None:
    logging.shutdown()
    os._exit(code)
