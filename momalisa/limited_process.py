"""Calls a function in a child process with limits of memory and time.

For data from outside: what fills the memory, hangs or crashes is the child alone. The limit of
memory holds on Linux; that of time everywhere.
"""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from momalisa.errors import BadInput, Cancelled

TOO_MUCH = "This file asks for more memory or time than reading it may take here."
_BAD_INPUT = 3
_POLL_SECONDS = 0.1
_CHECKOUT = Path(__file__).resolve().parent.parent
_OWN_MEMORY = 96 * 2**20
"""Bytes for the interpreter, the libraries and the stacks of their threads."""

log = logging.getLogger(__name__)


def _never() -> bool:
    return False


def call(
    function: str,
    *,
    memory: int,
    seconds: float,
    stopped: Callable[[], bool] = _never,
    **arguments: Any,
) -> Any:
    """Call a function, named as `package.module:function`, and return its result.

    Arguments and result are values of JSON. The function may use `memory` bytes and `seconds`.
    Raises BadInput with the function's own sentence, or TOO_MUCH where a limit was reached or the
    process crashed; Cancelled once `stopped()` is true, which ends the process.
    """
    code, output, errors = _run(function, memory, seconds, stopped, json.dumps(arguments).encode())
    if code == _BAD_INPUT:
        raise BadInput(output.decode())
    if code:
        last_line = errors.decode(errors="replace").strip().rpartition("\n")[2]
        log.warning("%s ended with %d: %s", function, code, last_line)
        raise BadInput(TOO_MUCH)
    return json.loads(output)


def _run(
    function: str, memory: int, seconds: float, stopped: Callable[[], bool], data: bytes
) -> tuple[int, bytes, bytes]:
    """Run the process; returns its exit code, output and errors. Raises as `call` does."""
    # From a file: a `communicate` that was interrupted does not go on sending.
    with TemporaryFile() as arguments:
        arguments.write(data)
        arguments.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, function, str(memory), str(round(seconds))],
            stdin=arguments,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=_CHECKOUT,
            env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
    end = time.monotonic() + seconds
    with process:
        try:
            while True:
                with suppress(subprocess.TimeoutExpired):
                    output, errors = process.communicate(timeout=_POLL_SECONDS)
                    return process.returncode, output, errors
                if stopped():
                    raise Cancelled("Nobody waits for this any more.")
                if time.monotonic() > end:
                    raise BadInput(TOO_MUCH)
        finally:
            process.kill()


def main(function: str, memory: str, seconds: str) -> int:
    """Read the arguments, call the function and write its result; return the exit code."""
    arguments = json.load(sys.stdin)
    # Libraries that print must not write into the answer.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answer:
        os.dup2(2, 1)
        _limit(int(memory), int(seconds))
        module, _, name = function.partition(":")
        try:
            result = getattr(import_module(module), name)(**arguments)
        except BadInput as error:
            if isinstance(error.__cause__, MemoryError):
                raise
            answer.write(str(error))
            return _BAD_INPUT
        json.dump(result, answer)
    return 0


def _limit(memory: int, seconds: int) -> None:
    """Limit this process's memory, and its processor time in case its parent is gone."""
    with suppress(ImportError):  # Windows has no such limits
        import resource

        # Data, not address space: threads and libraries reserve much that they never use.
        data = _OWN_MEMORY + memory
        cores = os.cpu_count() or 1
        for limit, value in (
            (resource.RLIMIT_DATA, data),
            (resource.RLIMIT_CPU, max(1, seconds * cores)),
            (resource.RLIMIT_CORE, 0),
        ):
            with suppress(OSError, ValueError):  # a lower limit holds already
                resource.setrlimit(limit, (value, value))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
