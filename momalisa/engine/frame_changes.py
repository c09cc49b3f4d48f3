"""The perceived changes between cached frames: each is measured once, several side by side."""

from collections.abc import Sequence
from itertools import chain, groupby, pairwise

from momalisa.engine import perception
from momalisa.engine.cached_frames import LastPictures
from momalisa.engine.frame_cache import FrameCache
from momalisa.engine.ordered_threads import map_in_threads
from momalisa.engine.perception import Field

THREADS = 2
"""Threads that read frames and turn them into OKLab, while this one compares them."""
KEPT_BYTES = 2**26
"""Of frames in OKLab, in memory: those of 80 frames of 256 × 256. A survey needs most again."""


class FrameChanges:
    """The perceived changes between frames of a cache, by their keys.

    Raises FileNotFoundError for frames that the cache has dropped.
    """

    def __init__(self, cache: FrameCache) -> None:
        self._cache = cache
        self._known: dict[tuple[str, str], float] = {}
        self._kept: LastPictures[Field] = LastPictures(KEPT_BYTES)

    def between(self, one: str, other: str) -> float:
        """The change from one frame to another."""
        if (one, other) not in self._known:
            self.measure((one, other))
        return self._known[one, other]

    def measure(self, keys: Sequence[str]) -> None:
        """Measure the changes from each of these frames to the next, where they are not known."""
        gaps = dict.fromkeys(gap for gap in pairwise(keys) if gap not in self._known)
        ends = [key for key, _same in groupby(chain.from_iterable(gaps))]
        before = None
        for key, field in zip(ends, map_in_threads(self._read, ends, THREADS), strict=True):
            if before and (gap := (before[0], key)) in gaps:
                self._known[gap] = perception.distance_in_oklab(before[1], field)
            self._kept.keep(key, field)
            before = key, field

    def _read(self, key: str) -> Field:
        """A frame in OKLab, from memory or from the cache."""
        kept = self._kept.get(key)
        if kept is not None:
            return kept
        frame = self._cache.get(key)
        if frame is None:
            raise FileNotFoundError("A frame was dropped from the cache; please walk again.")
        return perception.oklab(frame)
