"""Parts of a batch side by side on the cores of a CPU."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import accumulate, pairwise
from typing import TypeVar

import torch

T = TypeVar("T")

MOST_PARTS = 4
"""Python itself runs one thread at a time: with more than these, they would wait for it."""


class CpuBatching:
    """Splits a batch: a part for each core of a CPU, one part on any other device.

    Threads that share an operation meet after each, and a small model has thousands of short
    ones. On two cores, eight of Atelier's pictures took 0.29 s each in one part with two threads,
    and 0.18 s in two parts with one thread each.
    """

    def __init__(self, device: torch.device, *, small: bool) -> None:
        cores = torch.get_num_threads()
        self._count = min(MOST_PARTS, cores) if device.type == "cpu" else 1
        self._threads = 1 if small else cores
        self._pool = ThreadPoolExecutor(self._count) if device.type == "cpu" else None

    def run(self, work: Callable[[slice], T], rows: int) -> list[T]:
        """The results of `work` on each part of `rows` rows, in order.

        An error in any part is raised once all parts have ended.
        """
        if self._pool is None:
            return [work(slice(0, rows))]
        parts = list(self._parts(rows))
        threads = max(1, self._threads // len(parts))

        def work_in_thread(part: slice) -> T:
            torch.set_num_threads(threads)  # of this thread alone
            return work(part)

        results = [self._pool.submit(work_in_thread, part) for part in parts]
        wait(results)
        return [result.result() for result in results]

    def _parts(self, rows: int) -> Iterator[slice]:
        """Slices of about equal size, none empty."""
        count = min(self._count, rows)
        sizes = [rows // count + (number < rows % count) for number in range(count)]
        return (slice(low, high) for low, high in pairwise(accumulate(sizes, initial=0)))
