"""The order in which a walk's frames are made: coarse to fine, so that a rough film comes soon."""

from collections import deque
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, order=True)
class Visit:
    """A place to make: its index on the walk, and those of its coarser neighbours on both sides."""

    index: int
    low: int
    high: int


def coarse_to_fine(count: int, legs: int = 1, *, closed: bool = False) -> list[Visit]:
    """Every place once: all stops first, then the middles of the legs, the quarters, and so on.

    There are `count` places on `legs` legs of equal length. The last leg of a `closed` walk ends
    at place 0.
    """
    parts = count if closed else count - 1
    joints = [leg * parts // legs for leg in range(legs + 1)]
    stops = [0, *([] if closed else joints[-1:]), *joints[1:-1]] if count > 1 else [0]
    visits = [Visit(stop, stop, stop) for stop in stops]
    gaps = deque(pairwise(joints))
    while gaps:
        low, high = gaps.popleft()
        if high - low > 1:
            middle = (low + high) // 2
            visits.append(Visit(middle, low, high % count))
            gaps.extend([(low, middle), (middle, high)])
    return visits
