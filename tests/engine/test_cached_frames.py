"""Frames of the cache in memory."""

from pathlib import Path

import numpy as np

from momalisa.engine.cached_frames import CachedFrames, LastPictures
from momalisa.engine.frame_cache import Frame, FrameCache


def test_pictures_stay_by_their_last_use_and_the_last_one_always() -> None:
    frame = np.zeros((8, 8, 3), np.uint8)
    two, none = (LastPictures[Frame](room * frame.nbytes) for room in (2, 0))
    for key in ("a", "b", "a", "c"):
        two.keep(key, frame)
        none.keep(key, frame)
    assert [key for key in "abc" if two.get(key) is frame] == ["a", "c"]
    assert [key for key in "abc" if none.get(key) is frame] == ["c"]


def test_frames_that_fit_into_memory_are_read_once(tmp_path: Path) -> None:
    """Each was decoded six times to measure and to encode a film."""
    cache, keys = FrameCache(tmp_path), [f"{number:064x}" for number in range(3)]
    for name in keys:
        cache.put(name, np.full((8, 8, 3), 9, np.uint8))
    frames = CachedFrames(cache, keys)
    whole = list(frames)
    cache.discard(keys)
    np.testing.assert_array_equal(list(frames), whole)
