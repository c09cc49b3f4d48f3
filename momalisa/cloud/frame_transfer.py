"""Transfers rendered frames between processes as PNGs with statistics.

Used where frames are rendered in one process and encoded as a film in another: between the
container and its client, and between two tasks of the pipeline.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np

from momalisa.engine.frame_cache import Frame
from momalisa.errors import BadInput
from momalisa.film.encode import encode_png
from momalisa.film.pixel_budget import FRAME_PIXELS, open_picture
from momalisa.render import RenderedFrames, record_key
from momalisa.result import RenderStats
from momalisa.spec import WalkSpec
from momalisa.storage import Storage, check_key

FRAMES_FOLDER = "frames"
"""The folder of a store for frames in transfer; they can be deleted after some days."""


def from_stats(stats: Mapping[str, Any], frames: list[Frame]) -> RenderedFrames:
    """Combine frames with their statistics. Raises ValueError if a statistic is missing or bad."""
    if missing := RenderStats.model_fields.keys() - stats.keys():
        raise ValueError(f"without {min(missing)}")
    return RenderedFrames(frames, RenderStats.model_validate(stats))


def decode_png(data: bytes) -> Frame:
    """Decode a PNG to a frame (h, w, 3). Raises ValueError if it is damaged or too large."""
    try:
        with open_picture(BytesIO(data), ("PNG",), FRAME_PIXELS) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError) as error:
        raise ValueError("no PNG") from error


def content_id(spec: WalkSpec, model_digest: str) -> str:
    """A deterministic id of a film: a digest of its spec and the model's weights."""
    return hashlib.sha256(f"{spec.digest()} {model_digest}".encode()).hexdigest()[:32]


def store_frames(
    frames: Sequence[Frame], walk_id: str, film_id: str, storage: Storage
) -> list[str]:
    """Store frames as PNGs, one by one, in a folder of the walk, and return their keys.

    `film_id` is the film's `content_id`, so that two walks with one `walk_id` do not share keys.
    """
    folder = f"{FRAMES_FOLDER}/{walk_id}/{film_id}"
    keys = [check_key(f"{folder}/{number:04d}.png") for number in range(len(frames))]
    for key, frame in zip(keys, frames, strict=True):
        if not storage.exists(key):
            storage.put(key, encode_png(frame), "image/png")
    return keys


def check_walk_id(spec: WalkSpec, walk_id: str, storage: Storage) -> None:
    """Raise BadInput if a film of a different spec is stored under this id."""
    key = record_key(walk_id)
    if storage.exists(key) and json.loads(storage.get(key)).get("digest") != spec.digest():
        raise BadInput(f"Another walk is stored as “{walk_id}” already. Please choose another id.")
