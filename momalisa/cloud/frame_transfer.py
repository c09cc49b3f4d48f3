"""A painted walk on its way: as PNGs and figures, and at the end as a stored film.

For those who paint in one place and film in another: the container and its client, and the two
steps of the pipeline.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image

from momalisa.engine.frame_cache import Frame
from momalisa.errors import BadInput
from momalisa.render import RenderedFrames, record_key
from momalisa.result import RenderStats
from momalisa.spec import WalkSpec
from momalisa.storage import Storage, check_key

FRAMES = "frames"
"""The folder of a store for the frames of answers; they may be deleted after a while."""


def from_figures(told: Mapping[str, Any], frames: list[Frame]) -> RenderedFrames:
    """The painted walk that told these figures. Raises ValueError on other figures."""
    if missing := RenderStats.model_fields.keys() - told.keys():
        raise ValueError(f"without {min(missing)}")
    return RenderedFrames(frames, RenderStats.model_validate(told))


def from_png(data: bytes) -> Frame:
    """The frame of a PNG. Raises ValueError when it is none."""
    try:
        with Image.open(BytesIO(data), formats=["PNG"]) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError) as error:
        raise ValueError("no PNG") from error


def lasting_id(spec: WalkSpec, model_digest: str) -> str:
    """An id that follows from the film: the same walk by the same weights has the same."""
    return hashlib.sha256(f"{spec.digest()} {model_digest}".encode()).hexdigest()[:32]


def keep_frames(frames: Sequence[bytes], walk_id: str, film: str, storage: Storage) -> list[str]:
    """Store PNGs; their keys. They lie apart from the films, whose folders hold nothing else.

    `film` is their `lasting_id`: whoever gives one id to two walks gets the frames of each.
    """
    folder = f"{FRAMES}/{walk_id}/{film}"
    keys = [check_key(f"{folder}/{number:04d}.png") for number in range(len(frames))]
    for key, data in zip(keys, frames, strict=True):
        if not storage.exists(key):
            storage.put(key, data, "image/png")
    return keys


def refuse_another(spec: WalkSpec, walk_id: str, storage: Storage) -> None:
    """Raise BadInput if another walk's film is stored under that id."""
    key = record_key(walk_id)
    if storage.exists(key) and json.loads(storage.get(key)).get("digest") != spec.digest():
        raise BadInput(f"Another walk is stored as “{walk_id}” already. Please choose another id.")
