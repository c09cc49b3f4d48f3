"""The changes between cached frames: as perceived, each frame read once while memory lasts."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from momalisa.engine import frame_changes, perception
from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.frame_changes import FrameChanges

KEYS = [f"{number:064x}" for number in range(6)]


class CountingCache(FrameCache):
    """Counts how often each frame is read."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.reads = dict.fromkeys(KEYS, 0)

    def get(self, key: str) -> Frame | None:
        """The frame, counted."""
        self.reads[key] += 1
        return super().get(key)


@pytest.fixture
def cache(tmp_path: Path) -> CountingCache:
    """A cache of six frames of noise."""
    found = CountingCache(tmp_path)
    random = np.random.default_rng(1)
    for key in KEYS:
        found.put(key, random.integers(0, 256, (16, 24, 3), np.uint8))
    return found


def expected(cache: FrameCache, one: str, other: str) -> float:
    """The perceived distance of two cached frames."""
    first, second = cache.get(one), cache.get(other)
    assert first is not None
    assert second is not None
    return perception.distance(first, second)


def test_changes_are_the_perceived_distances_in_whatever_order(cache: CountingCache) -> None:
    changes = FrameChanges(cache)
    changes.measure([*KEYS[:3], *KEYS[4:]])
    changes.measure([*KEYS, KEYS[0]])  # a loop, in part known
    for one, other in [*pairwise([*KEYS, KEYS[0]]), (KEYS[2], KEYS[4]), (KEYS[5], KEYS[1])]:
        assert changes.between(one, other) == expected(cache, one, other)


def test_a_frame_is_read_once(cache: CountingCache) -> None:
    changes = FrameChanges(cache)
    changes.measure([KEYS[0], KEYS[3], KEYS[5]])
    changes.measure(KEYS)
    changes.between(KEYS[1], KEYS[4])
    assert cache.reads == dict.fromkeys(KEYS, 1)


def test_a_frame_that_left_memory_is_read_again(
    cache: CountingCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frame_changes, "KEPT_BYTES", 2 * 16 * 24 * 3 * 4)  # two frames
    changes = FrameChanges(cache)
    changes.measure(KEYS)
    again = changes.between(KEYS[0], KEYS[5])
    assert cache.reads[KEYS[0]] == 2
    assert cache.reads[KEYS[5]] == 1
    assert again == expected(cache, KEYS[0], KEYS[5])


def test_a_dropped_frame_is_an_error_and_its_neighbours_stay_measured(
    cache: CountingCache,
) -> None:
    changes = FrameChanges(cache)
    cache.discard([KEYS[2]])
    with pytest.raises(FileNotFoundError, match="walk again"):
        changes.measure(KEYS)
    assert changes.between(KEYS[0], KEYS[1]) == expected(cache, KEYS[0], KEYS[1])
