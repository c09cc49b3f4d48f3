"""Colours and things in a picture, found without a classifier: by CIELAB distance."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from momalisa.atelier.evaluation.eval_prompts import Commission, of_colours, of_counts
from momalisa.atelier.evaluation.figures import Figure, compared
from momalisa.atelier.evaluation.sampler import Sampler
from momalisa.atelier.painter import COLOURS
from momalisa.engine.frame_cache import Frame

NEAR = 22.0
"""CIELAB distance within which a pixel counts as of a named colour."""
GROUND_SHARE, INK_SHARE = 0.25, 0.01
"""The least share of a picture's pixels that a named ground and any other named colour take."""
THING_SHARE = 0.003
"""The least share of a picture's pixels that counts as a thing."""


def share_of(colour: str, picture: Frame) -> float:
    """The share of a picture's pixels that are near a named colour, after a little smoothing."""
    return float(_near(colour, picture).mean())


def things(colour: str, picture: Frame) -> int:
    """How many separate areas of a named colour a picture has."""
    mask = _near(colour, picture).astype(np.uint8)
    apart = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    _, _, figures, _ = cv2.connectedComponentsWithStats(apart)
    areas = figures[1:, cv2.CC_STAT_AREA]
    return int((areas >= THING_SHARE * mask.size).sum())


def _near(colour: str, picture: Frame) -> NDArray[np.bool_]:
    smooth = cv2.GaussianBlur(picture, (0, 0), picture.shape[0] / 128)
    wanted = _lab(np.array([[COLOURS[colour]]], np.uint8))[0, 0]
    near: NDArray[np.bool_] = np.linalg.norm(_lab(smooth) - wanted, axis=-1) < NEAR
    return near


def _lab(picture: Frame) -> NDArray[np.float32]:
    lab: NDArray[np.float32] = cv2.cvtColor(picture.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    return lab


def has_ground(asked: Commission, picture: Frame) -> bool:
    """Whether the ground that the prompt names, if any, is there."""
    return not asked.ground or share_of(asked.ground, picture) >= GROUND_SHARE


def has_colours(asked: Commission, picture: Frame) -> bool:
    """Whether every colour that the prompt names beside the ground is there."""
    return all(share_of(colour, picture) >= INK_SHARE for colour in asked.colours)


def has_all(asked: Commission, picture: Frame) -> bool:
    """Whether every colour that the prompt names is there."""
    return has_ground(asked, picture) and has_colours(asked, picture)


def judge_colours(sampler: Sampler, count: int) -> list[Figure]:
    """`count` prompts that name one colour and `count` that name two."""
    one = of_colours(count, sampler.size, grounded=False)
    two = of_colours(count, sampler.size, grounded=True)
    shown = sampler.paint([asked.prompt for asked in one + two])
    alone, grounded = shown[:count], shown[count:]
    return [
        compared("colour: one named", has_all, one, alone, _canvases(one)),
        compared("colour: two named, the ground", has_ground, two, grounded, _canvases(two)),
        compared("colour: two named, the shape", has_colours, two, grounded, _canvases(two)),
        compared("colour: two named, both", has_all, two, grounded, _canvases(two)),
        compared(
            "colour: one or two named, all there",
            has_all,
            one + two,
            shown,
            _canvases(one + two),
            bar=0.9,
            note=f"CIELAB < {NEAR:g}; ground {GROUND_SHARE:.0%}, shape {INK_SHARE:.0%} of pixels",
        ),
    ]


def judge_counts(sampler: Sampler, count: int) -> list[Figure]:
    """`count` prompts of one to five equal shapes."""
    asked = of_counts(count, sampler.size)
    shown = sampler.paint([one.prompt for one in asked])
    counted, best = (
        [things(one.colours[0], picture) for one, picture in zip(asked, pictures, strict=True)]
        for pictures in (shown, _canvases(asked))
    )
    return [compared("count: as many as named", _is_count, asked, counted, best)]


def _is_count(asked: Commission, number: int) -> bool:
    return number == asked.count


def _canvases(asked: Sequence[Commission]) -> list[Frame]:
    return [one.canvas for one in asked]
