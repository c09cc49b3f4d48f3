"""The frame cache: finished frames on disk, addressed by a digest of what determines them."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import NamedTuple, overload

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from momalisa.engine.shortcuts import SETTINGS
from momalisa.files import write_atomically
from momalisa.settings import Settings
from momalisa.spec import Place, WalkSpec

Frame = NDArray[np.uint8]
"""A picture (height, width, 3), sRGB."""
Latents = NDArray[np.float16]

DECIMALS = 9
"""Digits after the point that tell two places apart: curves differ in a float's last bits."""


def frame_key(spec: WalkSpec, place: Place, model_digest: str) -> str:
    """64 hex digits of everything that determines a frame's pixels; the pacing is not part of it.

    At an end of a leg only that stop counts, so that walks share the frames of their stops.
    """
    start, end = spec.legs[place.leg]
    t = round(place.t, DECIMALS)
    stops = {0.0: [start], 1.0: [end]}.get(t, [start, end])
    conditions = {
        "model": model_digest,
        "stops": [stop.model_dump() for stop in stops],
        "t": t if len(stops) == 2 else 0.0,
        "interpolation": spec.interpolation if len(stops) == 2 else "",
        "steps": spec.steps,
        "guidance": spec.guidance if spec.guided else 1.0,
        "negative": spec.negative if spec.guided else "",
        "size": spec.size,
        "shortcuts": {name: SETTINGS[name] for name in spec.shortcuts & SETTINGS.keys()},
    }
    return hashlib.sha256(json.dumps(conditions, sort_keys=True).encode()).hexdigest()


def seed_of(key: str) -> int:
    """The seed of the noise that a frame's scheduler draws, where it draws any."""
    return int(key[:15], 16)


class LatentMixture(NamedTuple):
    """A frame decoded from a mixture of the latents of two others, given by their keys."""

    low: str
    high: str
    weight: float
    """0 at `low`, 1 at `high`."""
    rough: bool = False
    """Decoded at half its size, in a quarter of the time."""

    @property
    def key(self) -> str:
        """64 hex digits of what determines its pixels."""
        weight = round(self.weight, DECIMALS)
        text = f"{self.low} {self.high} {weight} {self.rough}"
        return hashlib.sha256(text.encode()).hexdigest()


class FrameCache:
    """A folder of PNG frames by key; beyond a size limit the least recently used are deleted.

    Next to a frame it keeps the clean latents that the frame was decoded from, in half precision.
    """

    def __init__(self, folder: Path, limit_bytes: int = 5 * 10**9) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes

    def path(self, key: str) -> Path:
        """The path of the frame with that key, whether it exists or not."""
        return self.folder / key[:2] / f"{key}.png"

    def get(self, key: str) -> Frame | None:
        """The frame, or None if it is not cached; a damaged file is removed."""
        path = self.path(key)
        try:
            with Image.open(path) as image:
                frame = np.asarray(image.convert("RGB"))
        except FileNotFoundError:
            return None
        except (OSError, SyntaxError, ValueError):
            path.unlink(missing_ok=True)
            return None
        for used in (path, path.with_suffix(".npy")):
            with suppress(FileNotFoundError):
                os.utime(used)
        return frame

    def latents(self, key: str) -> Latents:
        """The latents (c, h, w) of a frame.

        Raises FileNotFoundError if they are not cached; a damaged file is removed.
        """
        path = self.path(key).with_suffix(".npy")
        try:
            latents: Latents = np.load(path)
        except (EOFError, ValueError) as error:
            path.unlink(missing_ok=True)
            raise FileNotFoundError(f"{path} was damaged; please walk again.") from error
        return latents

    def has_latents(self, key: str) -> bool:
        """Whether a frame's latents are cached and can be read."""
        with suppress(FileNotFoundError):
            self.latents(key)
            return True
        return False

    def put(self, key: str, frame: Frame, latents: Latents | None = None) -> None:
        """Cache a frame, its latents first; each file is written atomically."""
        path, data = self.path(key), BytesIO()
        path.parent.mkdir(parents=True, exist_ok=True)
        if latents is not None:
            array = BytesIO()
            np.save(array, latents)
            write_atomically(path.with_suffix(".npy"), array.getbuffer())
        Image.fromarray(frame).save(data, "PNG", compress_level=1)
        write_atomically(path, data.getbuffer())

    def discard(self, keys: Iterable[str]) -> None:
        """Delete frames and their latents, where they are cached."""
        for path in map(self.path, keys):
            path.unlink(missing_ok=True)
            path.with_suffix(".npy").unlink(missing_ok=True)

    def trim(self) -> int:
        """Delete the least recently used files until the limit holds; returns how many."""
        files = sorted(self._files(), key=lambda file: file[0])
        excess = sum(size for _, size, _ in files) - self.limit_bytes
        dropped = 0
        for _, size, path in files:
            if excess <= 0:
                break
            path.unlink(missing_ok=True)
            excess -= size
            dropped += 1
        return dropped

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for path in self.folder.glob("*/*"):
            if path.suffix not in (".png", ".npy", ".part"):
                continue
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            yield status.st_mtime, status.st_size, path


def open_frame_cache(settings: Settings) -> FrameCache:
    """The frame cache of this machine, where and as large as the settings say."""
    return FrameCache(settings.frame_cache, int(settings.cache_gb * 1e9))


class CachedFrames(Sequence[Frame]):
    """A sequence of cached frames, read one by one: a long walk needs no more memory."""

    def __init__(self, cache: FrameCache, keys: Sequence[str]) -> None:
        self._cache, self._keys = cache, keys

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
        frame = self._cache.get(self._keys[index])
        if frame is None:
            raise FileNotFoundError("A frame was dropped from the cache; please walk again.")
        return frame
