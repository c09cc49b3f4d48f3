"""A worker's process: how it begins, which signals end it, and that it ends with its parent."""

import logging
import os
import signal
import threading
from contextlib import suppress
from pathlib import Path

from db.session import migrate
from momalisa.settings import Settings
from momalisa.worker.supervisor import SUPERVISED
from momalisa.worker.worker import Worker

log = logging.getLogger(__name__)


def run(settings: Settings, *, once: bool = False) -> None:
    """Be a worker process, until SIGTERM or SIGINT; with `once`, until the queue is empty."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("momalisa").setLevel(logging.INFO)
    migrate(settings.database)
    run_process(Worker(settings), once=once)


def run_process(worker: Worker, *, once: bool = False) -> None:
    """Run `worker` as what this process is for: signals end it, and so does a lost parent."""
    supervised = os.environ.get(SUPERVISED) == "1"
    worker.last_resort = _leave
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: _asked_to_end(worker, number))
    if supervised:
        threading.Thread(target=_watch_parent, args=(worker,), daemon=True).start()
        _step_back()
    log.info("%s works", worker.name)
    worker.run(once=once)
    log.info("%s ends", worker.name)


def _step_back() -> None:
    """Let the pages stay quick while a film is made on the same cores."""
    if hasattr(os, "nice"):
        os.nice(5)
    with suppress(OSError):  # Linux weighs sessions against each other, and this is one of its own.
        Path("/proc/self/autogroup").write_text("5")


def _asked_to_end(worker: Worker, number: int) -> None:
    worker.stop()
    # Asked twice: end at once.
    signal.signal(number, signal.SIG_DFL)


def _watch_parent(worker: Worker) -> None:
    """End with the process that holds the other end of standard input, however it ends."""
    # Not sys.stdin: a thread blocked in there makes the interpreter's own end fail.
    while os.read(0, 4096):
        pass
    worker.stop()


def _leave() -> None:
    """The renderer did not stop in time; its walk is given back already."""
    logging.shutdown()
    os._exit(1)
