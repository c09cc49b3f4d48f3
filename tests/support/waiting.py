"""Waiting for what another thread or process does."""

import time
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


def until(true: Callable[[], Answer], seconds: float = 30.0) -> Answer:
    """The first answer that counts as true. Raises TimeoutError when there was none in time."""
    deadline = time.monotonic() + seconds
    while not (answer := true()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s in vain")
        time.sleep(0.02)
    return answer
