"""Pointillism: landscapes of small dots of pure colour."""

from functools import lru_cache
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from momalisa.atelier.painter.facts import Manner, Subject
from momalisa.atelier.painter.land import desert, landscape
from momalisa.atelier.painter.scene import Scene
from momalisa.atelier.painter.sea import seascape


@lru_cache(maxsize=4)
def _dots(size: int) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
    """The dot number of each pixel at twice the size (0 for none), and the dots' centres."""
    rng = np.random.default_rng(size)
    n = 58
    i, j = np.divmod(np.arange(n * n), n)
    grid = np.stack([j + 0.5 * (i % 2), i + 0.5], axis=1) + rng.uniform(-0.3, 0.3, (n * n, 2))
    centres = np.clip(grid / n * 2 * size, 0, 2 * size - 1).astype(np.int32)
    labels = np.zeros((2 * size, 2 * size), np.int32)
    for k in rng.permutation(n * n):
        centre = (int(centres[k, 0]), int(centres[k, 1]))
        cv2.circle(labels, centre, round(0.6 * 2 * size / n), int(k) + 1, -1)
    return labels.astype(np.intp), centres // 2


def pointillist(scene: Scene, rng: Random) -> Subject:
    """A landscape, seascape or desert in small dots of pure colour."""
    subject = rng.choice((landscape, landscape, seascape, desert))(scene, rng)
    labels, centres = _dots(scene.size)
    base = scene.pixels[centres[:, 1], centres[:, 0], :3].astype(np.float32)
    noise = np.random.default_rng(rng.getrandbits(32))
    light = noise.choice((-26, 0, 0, 22), (len(base), 1)) + noise.uniform(-12, 12, base.shape)
    ground = np.array([scene.pixels[..., :3].reshape(-1, 3).mean(axis=0)], np.float32)
    dots = np.concatenate([0.5 * ground + 110, base + light]).clip(0, 255).astype(np.uint8)
    size = (scene.size, scene.size)
    scene.pixels[:, :, :3] = cv2.resize(dots[labels], size, interpolation=cv2.INTER_AREA)
    return subject


MANNERS = {"pointillist-landscape": Manner(pointillist, "flat")}
