"""Calls that may hang, each in a thread of its own: callers wait no longer than a deadline."""

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class DeadlineRunner:
    """Runs calls by name, one at a time for each name, so that hanging ones do not pile up.

    A hung disk or database cannot be interrupted: its thread stays until the call returns. The
    threads are daemons, so they do not hold up the end of the process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, tuple[float, Future[Any]]] = {}

    def run(self, calls: Mapping[str, Callable[[], Any]], seconds: float) -> dict[str, Future[Any]]:
        """Run the calls at once, and return their futures after at most `seconds`.

        A future that is not done belongs to a call that hangs, perhaps since an earlier run.
        """
        futures = {name: self._start(name, call) for name, call in calls.items()}
        wait(futures.values(), seconds)
        return futures

    def seconds_running(self, name: str) -> float:
        """For how long the call of that name has been running; 0 if it is not."""
        with self._lock:
            began, _ = self._running.get(name, (time.monotonic(), None))
        return time.monotonic() - began

    def _start(self, name: str, call: Callable[[], Any]) -> "Future[Any]":
        with self._lock:
            if name in self._running:
                return self._running[name][1]
            future: Future[Any] = Future()
            self._running[name] = (time.monotonic(), future)
        threading.Thread(
            target=self._call, args=(name, call, future), name=f"check {name}", daemon=True
        ).start()
        return future

    def _call(self, name: str, call: Callable[[], Any], future: "Future[Any]") -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)
        finally:
            with self._lock:
                del self._running[name]


class Recent(Generic[Value]):
    """Keeps what a call returned, and calls again when that is older than `seconds`."""

    def __init__(self, call: Callable[[], Value], seconds: float) -> None:
        self._call, self._seconds = call, seconds
        self._lock = threading.Lock()
        self._kept: tuple[float, Value] | None = None

    def get(self) -> Value:
        """The kept value, or a new one; of several threads one calls, and the others wait."""
        with self._lock:
            if self._kept is None or time.monotonic() - self._kept[0] > self._seconds:
                self._kept = (time.monotonic(), self._call())
            return self._kept[1]
