"""Starts a worker's process, for the app or for the command; imports little, so that it is early.

What a worker loads takes longest of all, so the app's starts before the app has loaded what it
needs itself: `launch_early`. `worker.supervisor.Supervisor` then keeps it running.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO

from momalisa.errors import BadInput
from momalisa.logs import worker_log
from momalisa.settings import CHECKOUT, Settings, settings

COMMAND = (sys.executable, "-m", "momalisa", "worker")
SUPERVISED = "MOMALISA_SUPERVISED"
"""Set for a worker that stops when the process that holds its standard input ends.

One of these two, which say where its log goes:
"""
TO_FILE, TO_TERMINAL = "1", "terminal"

log = logging.getLogger(__name__)


def launch_early(script: str) -> "subprocess.Popen[bytes] | None":
    """Start the app's worker where `script` is what is run, not only imported.

    None otherwise, and where a look at the history must come before: in one that homes share,
    another worker may be at work. A wrong setting ends the app with its sentence.
    """
    if Path(sys.argv[0]).resolve() != Path(script).resolve():
        return None
    try:
        chosen = settings()
        if chosen.worker == "external" or chosen.database_url:
            return None
        return launch(chosen)
    except BadInput as error:  # of a setting: its sentence would stand below forty lines of a trace
        raise SystemExit(str(error)) from None
    except OSError:  # told where the app starts as a whole
        return None


def launch(
    chosen: Settings, command: Sequence[str] = COMMAND, *, by_hand: bool = False
) -> "subprocess.Popen[bytes]":
    """Start a process that works with these settings, and ends with this one.

    Its log goes to a file, or `by_hand` where this process's goes. Raises OSError.
    """
    with _open_output(chosen, by_hand=by_hand) as output:
        return subprocess.Popen(
            command,
            env=os.environ | _environment(chosen, by_hand=by_hand),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            # Only this process handles Ctrl-C in the terminal.
            start_new_session=True,
        )


def is_supervised() -> bool:
    """Whether a supervisor started this process."""
    return SUPERVISED in os.environ


def _open_output(chosen: Settings, *, by_hand: bool) -> AbstractContextManager[IO[bytes] | None]:
    """The worker's log file; None where its output goes where this process's goes.

    So it does where the disk takes no file.
    """
    if by_hand:
        return nullcontext()
    file = worker_log(chosen)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return file.open("ab")
    except OSError as error:
        log.error("The worker's log file cannot be written: %s", error)
        return nullcontext()


def _environment(chosen: Settings, *, by_hand: bool) -> dict[str, str]:
    """The settings as environment variables of the worker."""
    # A setting without a value is left out: as text it would be the name of a folder.
    given = chosen.model_dump(mode="json", exclude_none=True)
    values = given | {"home": chosen.home.resolve()}
    variables = {f"MOMALISA_{name.upper()}": str(value) for name, value in values.items()}
    # It keeps the working directory, so that relative paths mean the same.
    path = os.pathsep.join([str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])])
    log_goes = TO_TERMINAL if by_hand else TO_FILE
    return variables | {SUPERVISED: log_goes, "PYTHONPATH": path}
