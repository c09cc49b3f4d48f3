"""Frames of the cache in memory: those used last, and those of a film one by one."""

from collections.abc import Callable, Sequence
from threading import RLock
from typing import Any, Generic, TypeVar, overload

from numpy.typing import NDArray

from momalisa.engine.frame_cache import Frame, FrameCache

Picture = TypeVar("Picture", bound=NDArray[Any])

KEPT_BYTES = 2**25
"""Of a film's frames, in memory: it is read three times, to measure it and to encode it twice."""


class LastPictures(Generic[Picture]):
    """The pictures that were used last, by their keys: the last one, and more up to a size."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._pictures: dict[str, Picture] = {}

    def get(self, key: str) -> Picture | None:
        """A picture, or None if it is not here; several threads may ask."""
        return self._pictures.get(key)

    def keep(self, key: str, picture: Picture) -> None:
        """Keep a picture as the last one; the first ones go that are too many then."""
        self._pictures.pop(key, None)
        self._pictures[key] = picture
        # All of them have one size.
        while len(self._pictures) > max(1, self._limit_bytes // picture.nbytes):
            del self._pictures[next(iter(self._pictures))]


class CachedFrames(Sequence[Frame]):
    """A sequence of cached frames, read one by one: a long walk needs no more memory.

    The last ones stay in memory, up to KEPT_BYTES. `make_again` makes the frames that the cache has
    lost, and returns the keys of all. `on_read` is called before each frame is read, and may raise
    to stop. Several threads may read.
    """

    def __init__(
        self,
        cache: FrameCache,
        keys: Sequence[str],
        make_again: Callable[[], Sequence[str]] | None = None,
        on_read: Callable[[], None] = lambda: None,
    ) -> None:
        self._cache, self._keys = cache, keys
        self._make_again, self._on_read = make_again, on_read
        self._kept: LastPictures[Frame] = LastPictures(KEPT_BYTES)
        self._reading = RLock()

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> Frame: ...
    @overload
    def __getitem__(self, index: slice) -> "CachedFrames": ...
    def __getitem__(self, index: int | slice) -> "Frame | CachedFrames":
        """A frame, or some. Raises FileNotFoundError if the cache has dropped it."""
        if isinstance(index, slice):
            return CachedFrames(self._cache, self._keys[index])
        self._on_read()
        with self._reading:
            frame = self._read(index)
            if frame is None and self._make_again is not None:
                self._keys = self._make_again()
                frame = self._read(index)
        if frame is None:
            raise FileNotFoundError("A frame was dropped from the cache; please walk again.")
        return frame

    def _read(self, index: int) -> Frame | None:
        """A frame from memory or from the cache, which is the last one read then."""
        key = self._keys[index]
        frame = self._kept.get(key)
        if frame is None:
            frame = self._cache.get(key)
        if frame is not None:
            self._kept.keep(key, frame)
        return frame
