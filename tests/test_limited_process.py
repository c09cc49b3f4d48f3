"""What a child process may do: answer, refuse, and nothing beyond its limits."""

import sys
import time
from typing import Any

import pytest

from momalisa import limited_process
from momalisa.errors import BadInput, Cancelled

HERE = "tests.test_limited_process"
MEGABYTE = 2**20


def add(left: int, right: int) -> int:
    print("a library that prints")
    return left + right


def refuse() -> None:
    raise BadInput("This is “not” read.")


def allocate(megabytes: int) -> int:
    return len(bytearray(megabytes * MEGABYTE))


def measure(text: str) -> int:
    time.sleep(0.5)
    return len(text)


def hang() -> None:
    time.sleep(60)


def crash() -> None:
    sys.exit(11)


def call(
    function: str, memory: int = 64 * MEGABYTE, seconds: float = 60, **arguments: Any
) -> object:
    return limited_process.call(f"{HERE}:{function}", memory=memory, seconds=seconds, **arguments)


def test_the_result_comes_back_whatever_is_printed() -> None:
    assert call("add", left=1, right=2) == 3


def test_bad_input_comes_back_with_its_sentence() -> None:
    with pytest.raises(BadInput, match="This is “not” read"):
        call("refuse")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits a process's memory")
def test_more_memory_than_allowed_is_refused() -> None:
    assert call("allocate", megabytes=32) == 32 * MEGABYTE
    with pytest.raises(BadInput, match="memory or time"):
        call("allocate", megabytes=1000)


def test_a_process_that_hangs_is_ended() -> None:
    start = time.monotonic()
    with pytest.raises(BadInput, match="memory or time"):
        call("hang", seconds=3)
    assert time.monotonic() - start < 50


def test_a_process_that_crashes_is_bad_input() -> None:
    with pytest.raises(BadInput):
        call("crash")


def test_a_process_that_nobody_waits_for_is_ended() -> None:
    start = time.monotonic()
    with pytest.raises(Cancelled):
        limited_process.call(
            f"{HERE}:hang", memory=64 * MEGABYTE, seconds=300, stopped=lambda: True
        )
    assert time.monotonic() - start < 30


def test_more_arguments_than_a_pipe_holds_arrive_in_time() -> None:
    text = "x" * 2**20
    answer = limited_process.call(f"{HERE}:measure", memory=64 * MEGABYTE, seconds=60, text=text)
    assert answer == len(text)
