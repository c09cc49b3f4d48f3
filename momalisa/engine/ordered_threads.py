"""Maps a function over values in threads, in their order, with few results at a time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Value = TypeVar("Value")
Result = TypeVar("Result")


def map_in_threads(
    function: Callable[[Value], Result], values: Iterable[Value], threads: int
) -> Iterator[Result]:
    """Yield the results for values in their order; the next few are computed meanwhile.

    Unlike an executor's `map` it holds no more than twice as many of them as there are threads.
    Raises what the function raises.
    """
    with ThreadPoolExecutor(threads) as pool:
        pending: deque[Future[Result]] = deque()
        for value in values:
            pending.append(pool.submit(function, value))
            if len(pending) >= 2 * threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
