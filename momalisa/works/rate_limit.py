"""Keeps requests as slow as a museum asks."""

import time
from collections import deque
from collections.abc import Callable
from threading import Lock


class RateLimit:
    """At most so many requests in any stretch of so many seconds, from all threads together."""

    def __init__(
        self,
        requests: int,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.seconds = seconds
        self._times: deque[float] = deque(maxlen=requests)
        self._lock = Lock()
        self._clock, self._sleep = clock, sleep

    def wait(self, longest: float) -> float:
        """Wait for one's turn and return 0; if that takes longer, return how long, at once."""
        with self._lock:
            now = turn = self._clock()
            if len(self._times) == self._times.maxlen:
                turn = max(now, self._times[0] + self.seconds)
            if turn - now > longest:
                return turn - now
            self._times.append(turn)
        if turn > now:
            self._sleep(turn - now)
        return 0.0
