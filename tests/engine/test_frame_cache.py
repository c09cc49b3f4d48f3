"""The frame cache: what a frame's key depends on, and that files are complete or absent."""

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from momalisa.engine.frame_cache import IN_USE, FrameCache, frame_key
from momalisa.settings import CHECKOUT
from momalisa.spec import Place
from tests.support.walks import walk_spec

KEY = "ab" + "0" * 62


spec = partial(walk_spec, "square", "sea", "city")


def key(place: Place = Place(0, 0.5), model: str = "m", **changes: Any) -> str:  # noqa: B008
    return frame_key(spec(**changes), place, model)


@pytest.mark.parametrize(
    "change",
    [{"steps": 9}, {"guidance": 5}, {"negative": "x"}, {"size": 320}, {"interpolation": "slerp"}],
)
def test_key_changes_with_what_determines_the_pixels(change: dict[str, Any]) -> None:
    assert key(**change) != key()


@pytest.mark.parametrize(
    "change",
    [{"pacing": "ease"}, {"frames": 99}, {"fps": 3}, {"loop": "boomerang"}, {"strength": 0.1}],
)
def test_key_does_not_depend_on_pacing_or_film(change: dict[str, Any]) -> None:
    assert key(**change) == key()


def test_key_changes_with_place_and_model() -> None:
    assert len({key(), key(Place(1, 0.5)), key(Place(0, 0.25)), key(model="other")}) == 4


def test_key_tells_shapes_apart_and_squares_as_ever() -> None:
    place = Place(0, 0.5)
    keys = {frame_key(walk_spec(size=size), place, "m") for size in (192, "192x320", "320x192")}
    assert len(keys) == 3
    assert frame_key(walk_spec(size="192x192"), place, "m") in keys


def test_a_joint_is_one_frame_from_both_sides() -> None:
    assert key(Place(0, 1.0)) == key(Place(1, 0.0))
    assert key(Place(0, 1.0), interpolation="slerp") == key(Place(0, 1.0))


def test_a_frame_is_read_back_unchanged(tmp_path: Path) -> None:
    cache = FrameCache(tmp_path)
    frame = np.random.default_rng(0).integers(0, 256, (8, 6, 3), np.uint8)
    assert cache.get(KEY) is None
    cache.put(KEY, frame)
    found = cache.get(KEY)
    assert found is not None
    assert np.array_equal(found, frame)
    assert not list(tmp_path.rglob("*.part"))


def test_a_damaged_frame_counts_as_missing(tmp_path: Path) -> None:
    cache = FrameCache(tmp_path)
    cache.put(KEY, np.zeros((8, 8, 3), np.uint8))
    cache.path(KEY).write_bytes(cache.path(KEY).read_bytes()[:40])
    assert cache.get(KEY) is None
    assert not cache.path(KEY).exists()


@pytest.mark.parametrize("damage", [b"", bytes(200)])
def test_damaged_latents_count_as_missing(tmp_path: Path, damage: bytes) -> None:
    cache = FrameCache(tmp_path)
    cache.put(KEY, np.zeros((8, 8, 3), np.uint8), np.zeros((4, 2, 2), np.float16))
    assert cache.has_latents(KEY)
    cache.path(KEY).with_suffix(".npy").write_bytes(damage)
    assert not cache.has_latents(KEY)
    with pytest.raises(FileNotFoundError):
        cache.latents(KEY)
    assert cache.get(KEY) is not None


def test_reading_a_frame_marks_its_latents_as_used(tmp_path: Path) -> None:
    cache = FrameCache(tmp_path)
    cache.put(KEY, np.zeros((8, 8, 3), np.uint8), np.zeros((4, 2, 2), np.float16))
    files = [cache.path(KEY), cache.path(KEY).with_suffix(".npy")]
    for file in files:
        os.utime(file, (1, 1))
    cache.get(KEY)
    assert all(file.stat().st_mtime > 1 for file in files)


def test_partial_files_of_a_killed_process_are_trimmed(tmp_path: Path) -> None:
    cache = FrameCache(tmp_path, limit_bytes=0)
    cache.path(KEY).parent.mkdir(parents=True)
    cache.path(KEY).with_name("tmp1234.part").write_bytes(b"half")
    assert cache.trim() == 1


def test_frames_in_use_stay_however_many_they_are(tmp_path: Path) -> None:
    """One worker's trimming dropped the frames of another one's walk, which failed at its end."""
    frame = np.zeros((8, 8, 3), np.uint8)
    before, read, written = (f"{n:02d}" + "0" * 62 for n in range(3))
    mine, other = FrameCache(tmp_path), FrameCache(tmp_path, limit_bytes=0)
    for name in (before, read):
        mine.put(name, frame)
        os.utime(mine.path(name), (1, 1))
    with mine.keep_used():
        mine.get(read)
        mine.put(written, frame)
        for _ in range(2):
            other.trim()
            found = [mine.path(name).exists() for name in (before, read, written)]
            assert found == [False, True, True]
    other.trim()
    assert not mine.path(written).exists()


def test_process_that_died_keeps_nothing(tmp_path: Path) -> None:
    code = f"""
import os
import subprocess
import sys
from pathlib import Path
from momalisa.engine.frame_cache import FrameCache
with FrameCache(Path({str(tmp_path)!r})).keep_used():
    os._exit(0)
"""
    subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, check=True)
    cache = FrameCache(tmp_path, limit_bytes=0)
    assert list((tmp_path / IN_USE).iterdir())
    cache.put(KEY, np.zeros((8, 8, 3), np.uint8))
    assert cache.trim() == 1
    assert not list((tmp_path / IN_USE).iterdir())


def test_least_recently_used_goes_first(tmp_path: Path) -> None:
    frame = np.zeros((8, 8, 3), np.uint8)
    keys = [f"{n:02d}" + "0" * 62 for n in range(4)]
    cache = FrameCache(tmp_path)
    for number, name in enumerate(keys):
        cache.put(name, frame)
        os.utime(cache.path(name), (number, number))
    cache.get(keys[0])
    cache.limit_bytes = 2 * cache.path(keys[0]).stat().st_size
    assert cache.trim() == 2
    assert [cache.path(name).exists() for name in keys] == [True, False, False, True]
