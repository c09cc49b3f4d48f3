"""Wait for what another thread or process does."""

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")

PATIENCE = 180.0
"""Seconds: on a busy machine a process takes more than thirty until it works."""


def wait_until(condition: Callable[[], Value], seconds: float = PATIENCE) -> Value:
    """Poll a condition and return its first true value. Raises TimeoutError.

    At first often, then less, so that those who are waited for have the processor.
    """
    began = time.monotonic()
    deadline = began + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"still false after {seconds:.0f} s")
        time.sleep(0.02 if time.monotonic() < began + 1.0 else 0.05)
    return value
