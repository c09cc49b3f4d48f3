"""The frame cache: finished frames on disk, found by what made them."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from momalisa.spec import Place, WalkSpec

Frame = NDArray[np.uint8]
"""A picture (height, width, 3), sRGB."""

DECIMALS = 9
"""Places closer than this are one place: curves differ in the last bits of a float."""


def frame_key(spec: WalkSpec, place: Place, model_digest: str) -> str:
    """64 hex digits for everything that decides a frame's pixels; the pacing is not part of it.

    At the end of a leg only that stop counts: walks that share a stop share its frame.
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
    }
    return hashlib.sha256(json.dumps(conditions, sort_keys=True).encode()).hexdigest()


class FrameCache:
    """A folder of PNG frames by key, the least recently used dropped beyond a limit."""

    def __init__(self, folder: Path, limit_bytes: int = 5 * 2**30) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes

    def path(self, key: str) -> Path:
        """Where the frame of that key lies, or would lie."""
        return self.folder / key[:2] / f"{key}.png"

    def get(self, key: str) -> Frame | None:
        """The frame, or None; a damaged file counts as none and is removed."""
        path = self.path(key)
        try:
            with Image.open(path) as image:
                frame = np.asarray(image.convert("RGB"))
        except FileNotFoundError:
            return None
        except (OSError, SyntaxError):
            path.unlink(missing_ok=True)
            return None
        os.utime(path)
        return frame

    def put(self, key: str, frame: Frame) -> None:
        """Keep a frame; it is there whole or not at all."""
        path = self.path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        data = BytesIO()
        Image.fromarray(frame).save(data, "PNG", compress_level=1)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as draft:
            draft.write(data.getbuffer())
        os.replace(draft.name, path)

    def trim(self) -> int:
        """Drop the frames used longest ago until the limit holds; how many went."""
        files = sorted(self._files(), key=lambda found: found[0])
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
        for path in self.folder.glob("*/*.png"):
            try:
                found = path.stat()
            except FileNotFoundError:
                continue
            yield found.st_mtime, found.st_size, path
