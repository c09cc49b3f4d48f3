"""The frame cache: finished frames on disk, addressed by a digest of what determines them."""

import hashlib
import json
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import NDArray
from PIL import Image

from momalisa.engine.picture_settings import GUIDED, PICTURES
from momalisa.engine.shortcuts import SETTINGS
from momalisa.files import write_atomically
from momalisa.spec import Place, Stop, WalkSpec

if TYPE_CHECKING:
    from momalisa.settings import Settings

Frame = NDArray[np.uint8]
"""A picture (height, width, 3), sRGB."""
Latents = NDArray[np.float16]

IN_USE = "in-use"
"""The folder of locks that running walks hold."""
CLOCK_LAG = 1.0
"""Seconds by which a file's time may lag behind the clock."""
DECIMALS = 9
"""Digits after the point that tell two places apart: curves differ in a float's last bits."""


def frame_key(spec: WalkSpec, place: Place, model_digest: str) -> str:
    """64 hex digits of everything that determines a frame's pixels; the pacing is not part of it.

    At an end of a leg only that stop counts, so that walks share the frames of their stops.
    """
    stops, t, interpolation = _stops_at(spec, place)
    conditions = {
        "model": model_digest,
        "stops": [stop.content for stop in stops],
        "t": t,
        "interpolation": interpolation,
        "steps": spec.steps,
        "guidance": spec.guidance if spec.guided else 1.0,
        "negative": spec.negative if spec.guided else "",
        "size": spec.size,
        "shortcuts": {name: SETTINGS[name] for name in spec.shortcuts & SETTINGS.keys()},
    }
    if spec.height != spec.size:
        conditions["height"] = spec.height
    if spec.prompt_weights:
        conditions["prompt_weights"] = True
    if any(stop.image for stop in stops):
        conditions["pictures"] = PICTURES
        if len(stops) == 2:
            conditions["guided"] = GUIDED
    if loras := _weights_at(spec, place):
        conditions["loras"] = loras
    if conditions["interpolation"] == "attention":
        # With a single step, frames go by their texts alone.
        conditions["attention"] = SETTINGS["attention"] if spec.steps > 1 else ()
        if spec.middle:
            conditions["middle"] = spec.middle
    return hashlib.sha256(json.dumps(conditions, sort_keys=True).encode()).hexdigest()


def _stops_at(spec: WalkSpec, place: Place) -> tuple[list[Stop], float, str]:
    """The stops that count at a place, t between them, and how they are mixed."""
    start, end = spec.legs[place.leg]
    t = round(place.t, DECIMALS)
    if t not in (0.0, 1.0):
        return [start, end], t, spec.interpolation
    stop = end if t else start
    while stop.between is not None:  # a frame of another walk
        frame, t = stop.between, round(stop.between.t, DECIMALS)
        if t not in (0.0, 1.0):
            return [frame.start, frame.end], t, frame.interpolation
        stop = frame.end if t else frame.start
    return [stop], 0.0, ""


def _weights_at(spec: WalkSpec, place: Place) -> list[list[str | float]]:
    """The digests of the LoRAs in use at a place, with their weights at the stops that count.

    Where these are the same it is one weight, as at a stop.
    """
    start, end = spec.lora_weights(place.leg)
    ends = {0.0: [start], 1.0: [end]}.get(round(place.t, DECIMALS), [start, end])
    weights = [list(dict.fromkeys(of_ends)) for of_ends in zip(*ends, strict=True)]
    named = zip((lora.digest for lora in spec.loras), weights, strict=True)
    return sorted([digest, *of_ends] for digest, of_ends in named if any(of_ends))


def seed_of(key: str) -> int:
    """A frame's own seed, by which films of earlier releases drew the noise that steps added."""
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
    Several processes may share it: frames that a walk uses are not deleted (`keep_used`).
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
            self.put_latents(key, latents)
        Image.fromarray(frame).save(data, "PNG", compress_level=1)
        write_atomically(path, data.getbuffer())

    def put_file(self, digest: str, data: bytes) -> None:
        """Keep the picture of a stop, a WebP, by its digest; it goes as frames do."""
        path = self.path(digest).with_suffix(".webp")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, data)

    def get_file(self, digest: str) -> bytes | None:
        """The picture of a stop, or None if it is not here; a damaged file is removed."""
        path = self.path(digest).with_suffix(".webp")
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        if hashlib.sha256(data).hexdigest() != digest:
            path.unlink(missing_ok=True)
            return None
        with suppress(FileNotFoundError):
            os.utime(path)
        return data

    def discard_files(self, digests: Iterable[str]) -> None:
        """Delete pictures of stops, where they are here, and the noise that was found for them."""
        for digest in digests:
            path = self.path(digest)
            path.with_suffix(".webp").unlink(missing_ok=True)
            for noise in path.parent.glob(f"{digest}-*.npy"):
                noise.unlink(missing_ok=True)

    def put_latents(self, key: str, latents: Latents) -> None:
        """Cache latents without a frame."""
        path, array = self.path(key).with_suffix(".npy"), BytesIO()
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(array, latents)
        write_atomically(path, array.getbuffer())

    def discard(self, keys: Iterable[str]) -> None:
        """Delete frames and their latents, where they are cached."""
        for path in map(self.path, keys):
            path.unlink(missing_ok=True)
            path.with_suffix(".npy").unlink(missing_ok=True)

    @contextmanager
    def keep_used(self) -> Iterator[None]:
        """In the body, keep every frame that is written or read from now on, in any process."""
        folder = self.folder / IN_USE
        folder.mkdir(parents=True, exist_ok=True)
        # The time stands in the name, since a look at the lock changes the file's own. File systems
        # may lag behind the clock.
        path = folder / f"{time.time() - CLOCK_LAG:.3f}-{secrets.token_hex(8)}.lock"
        # A lock, not a file alone: it ends with its process, however that ends.
        lock = FileLock(path)
        with suppress(NotImplementedError):  # without locks, what is lost is made again
            lock.acquire()
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            lock.release()

    def trim(self) -> int:
        """Delete the least recently used files until the limit holds; returns how many.

        Those that are in use stay, and so the cache may exceed its limit for a while.
        """
        files = sorted(self._files(), key=lambda file: file[0])
        excess = sum(size for _, size, _ in files) - self.limit_bytes
        first_used = min(self._uses(), default=float("inf"))
        dropped = 0
        for used_at, size, path in files:
            if excess <= 0 or used_at >= first_used:
                break
            path.unlink(missing_ok=True)
            excess -= size
            dropped += 1
        return dropped

    def _uses(self) -> Iterator[float]:
        """When each `keep_used` that still holds began; what a dead process left is deleted."""
        for path in (self.folder / IN_USE).glob("*.lock"):
            try:
                with FileLock(path, timeout=0):
                    path.unlink(missing_ok=True)
            except (Timeout, NotImplementedError):
                yield float(path.name.partition("-")[0])

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        for path in self.folder.glob("*/*"):
            if path.suffix not in (".png", ".npy", ".webp", ".part"):
                continue
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            yield status.st_mtime, status.st_size, path


def open_frame_cache(settings: "Settings") -> FrameCache:
    """The frame cache of this machine, where and as large as the settings say."""
    return FrameCache(settings.frame_cache, int(settings.cache_gb * 1e9))
