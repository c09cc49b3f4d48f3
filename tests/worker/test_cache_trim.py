"""The frame cache is trimmed whatever ends a walk, and after stills."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from db.models import State
from momalisa.errors import BadInput, Cancelled
from momalisa.settings import Settings
from momalisa.worker import housekeeping
from tests.support.stub_worker import (
    LOG,
    StubRenderer,
    read_still,
    request_still,
    running_worker,
    stub_worker,
)
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk, read_walk


@pytest.fixture
def small_cache(settings: Settings) -> Settings:
    """Settings with a cache of 2 kB, a few of the stub's frames."""
    return settings.model_copy(update={"cache_gb": 2e-6})


def cached_bytes(settings: Settings) -> int:
    """Bytes of the frames in the cache, while a worker may be taking some out of it."""
    total = 0
    for path in settings.frame_cache.rglob("*.png"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


@pytest.mark.parametrize("error", [BadInput("no"), Cancelled("called off"), RuntimeError("a bug")])
def test_a_walk_that_ends_badly_leaves_no_full_cache(
    small_cache: Settings, error: Exception
) -> None:
    def fail_at_the_end(*given: Any, **how: Any) -> None:
        StubRenderer(small_cache.home / LOG)(*given, **how)
        assert cached_bytes(small_cache) > 2000
        raise error

    walk = enqueue_walk(small_cache.database, frames=100)
    with running_worker(small_cache, render=fail_at_the_end):
        wait_until(lambda: read_walk(small_cache.database, walk).error)
        wait_until(lambda: cached_bytes(small_cache) <= 2000)


def test_frames_of_a_worker_that_died_are_trimmed_by_the_next(small_cache: Settings) -> None:
    for number in range(40):
        file = Path(small_cache.frame_cache, "ab", f"{number:064}.png")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(100))
    stub_worker(small_cache).run(once=True)
    assert cached_bytes(small_cache) <= 2000


def test_stills_do_not_fill_the_cache(
    small_cache: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "TRIM_SECONDS", 0.2)
    with running_worker(small_cache):
        for t in range(1, 40):
            still_id = request_still(small_cache.database, t / 40)
        wait_until(lambda: read_still(small_cache.database, still_id).state is State.DONE)
        wait_until(lambda: cached_bytes(small_cache) <= 2000)
