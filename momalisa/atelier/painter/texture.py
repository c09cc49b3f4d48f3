"""The surface texture of a painting: canvas weave, brush grain and uneven edges."""

from functools import lru_cache
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from momalisa.atelier.painter.facts import Finish

# For each finish: grain in grey levels, and edge warp in pixels at 256 px.
_STRENGTH: dict[Finish, tuple[float, float]] = {
    "clean": (2.2, 0.0),
    "flat": (1.6, 0.5),
    "paint": (3.0, 0.8),
    "brush": (4.2, 1.6),
}
_BANK = 4


def finish_surface(rgb: NDArray[np.uint8], finish: Finish, rng: Random) -> NDArray[np.uint8]:
    """Add surface texture to a picture (size, size, 3); its mean colour is preserved."""
    grain, warp = _STRENGTH[finish]
    size = rgb.shape[0]
    kind = rng.randrange(_BANK)
    wavy: NDArray[np.uint8] = rgb
    if warp:
        xy, fraction = _warp(size, warp, kind)
        edges = cv2.BORDER_REFLECT_101
        wavy = cv2.remap(rgb, xy, fraction, cv2.INTER_LINEAR, borderMode=edges).astype(np.uint8)
    noise = _grain(size, grain, kind)
    noise = noise[:: rng.choice((1, -1)), :: rng.choice((1, -1))]
    finished: NDArray[np.uint8] = np.clip(wavy + noise[:, :, None], 0, 255).astype(np.uint8)
    return finished


def _unit(noise: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((noise - noise.mean()) / noise.std(), np.float32)


@lru_cache(maxsize=64)
def _grain(size: int, strength: float, kind: int) -> NDArray[np.int16]:
    """Grey-level noise with zero mean: bristles in one direction, weave, slow variation."""
    rng = np.random.default_rng([size, kind])
    raw = rng.standard_normal((3, size, size), dtype=np.float32)
    bristle = max(3, size // 14) | 1
    along = (bristle, 1) if kind % 2 else (1, bristle)
    strokes = _unit(cv2.GaussianBlur(raw[0], along, 0))
    clouds = _unit(cv2.GaussianBlur(raw[1], (0, 0), size / 12))
    i = np.arange(size)
    weave = np.where((i[:, None] + i[None, :]) % 2, 0.35, -0.35)
    mixed = 0.75 * strokes + 0.3 * clouds + 0.3 * raw[2] + weave
    return np.round(strength * _unit(mixed.astype(np.float32))).astype(np.int16)


@lru_cache(maxsize=64)
def _warp(size: int, strength: float, kind: int) -> tuple[NDArray[np.int16], NDArray[np.uint16]]:
    """Fixed-point maps that shift each pixel by about `strength` pixels (at 256 px)."""
    rng = np.random.default_rng([size, kind, 7])
    raw = rng.standard_normal((2, size, size), dtype=np.float32)
    shift = [_unit(cv2.GaussianBlur(layer, (0, 0), size / 36)) for layer in raw]
    y, x = np.mgrid[0:size, 0:size].astype(np.float32)
    reach = np.float32(strength * size / 256 * 0.7)
    maps = cv2.convertMaps(x + reach * shift[0], y + reach * shift[1], cv2.CV_16SC2)
    return maps[0].astype(np.int16), maps[1].astype(np.uint16)
