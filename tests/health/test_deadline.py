"""Calls that hang hold up nobody, and do not pile up."""

import threading

from momalisa.health.deadline import DeadlineRunner, Recent
from tests.support.waiting import wait_until


def test_a_call_that_hangs_does_not_hold_up_the_others_nor_the_caller() -> None:
    release, runner = threading.Event(), DeadlineRunner()
    try:
        futures = runner.run({"hung": release.wait, "quick": lambda: 1}, seconds=1.0)
        assert futures["quick"].result(timeout=30) == 1
        assert not futures["hung"].done()
        assert runner.seconds_running("hung") > 0
    finally:
        release.set()


def test_a_call_that_hangs_is_not_started_again() -> None:
    release, runner, calls = threading.Event(), DeadlineRunner(), []

    def hang() -> None:
        calls.append(1)
        release.wait()

    try:
        first = runner.run({"hung": hang}, seconds=0.01)["hung"]
        wait_until(lambda: calls)
        assert runner.run({"hung": hang}, seconds=0.01)["hung"] is first
        assert len(calls) == 1
    finally:
        release.set()
    wait_until(lambda: runner.seconds_running("hung") < 0.001)
    assert runner.run({"hung": hang}, seconds=30)["hung"].done()
    assert len(calls) == 2


def test_an_error_is_the_futures() -> None:
    def fail() -> None:
        raise OSError("gone")

    assert str(DeadlineRunner().run({"a": fail}, seconds=30)["a"].exception()) == "gone"


def test_a_recent_value_is_kept() -> None:
    numbers = iter(range(10))
    kept, anew = Recent(lambda: next(numbers), 1000), Recent(lambda: next(numbers), -1)
    assert kept.get() == kept.get()
    assert anew.get() != anew.get()
