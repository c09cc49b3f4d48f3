"""Metrics of colours and counts, measured by CIELAB distance without a classifier."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from momalisa.atelier.evaluation.eval_prompts import EvalPrompt, colour_prompts, count_prompts
from momalisa.atelier.evaluation.metrics import Metric, compare
from momalisa.atelier.evaluation.picture_generator import PictureGenerator
from momalisa.atelier.painter import COLOURS
from momalisa.engine.frame_cache import Frame

NEAR = 22.0
"""CIELAB distance below which a pixel has a named colour."""
GROUND_SHARE, INK_SHARE = 0.25, 0.01
"""The minimal shares of pixels of a named ground and of any other named colour."""
AREA_SHARE = 0.003
"""The minimal share of pixels of an area that is counted."""


def colour_share(colour: str, picture: Frame) -> float:
    """The share of a picture's pixels that have a named colour, from 0 to 1."""
    return float(_colour_mask(colour, picture).mean())


def count_areas(colour: str, picture: Frame) -> int:
    """Count the connected areas of a named colour in a picture."""
    mask = _colour_mask(colour, picture).astype(np.uint8)
    separate = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    _, _, components, _ = cv2.connectedComponentsWithStats(separate)
    areas = components[1:, cv2.CC_STAT_AREA]
    return int((areas >= AREA_SHARE * mask.size).sum())


def _colour_mask(colour: str, picture: Frame) -> NDArray[np.bool_]:
    """Pixels (h, w) of a slightly blurred picture that have a named colour."""
    smooth = cv2.GaussianBlur(picture, (0, 0), picture.shape[0] / 128)
    target = _to_lab(np.array([[COLOURS[colour]]], np.uint8))[0, 0]
    mask: NDArray[np.bool_] = np.linalg.norm(_to_lab(smooth) - target, axis=-1) < NEAR
    return mask


def _to_lab(picture: Frame) -> NDArray[np.float32]:
    lab: NDArray[np.float32] = cv2.cvtColor(picture.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    return lab


def has_ground(prompt: EvalPrompt, picture: Frame) -> bool:
    """Whether a picture has the ground that the prompt names, if it names one."""
    return not prompt.ground or colour_share(prompt.ground, picture) >= GROUND_SHARE


def has_colours(prompt: EvalPrompt, picture: Frame) -> bool:
    """Whether a picture has every colour that the prompt names, the ground's excepted."""
    return all(colour_share(colour, picture) >= INK_SHARE for colour in prompt.colours)


def has_all_colours(prompt: EvalPrompt, picture: Frame) -> bool:
    """Whether a picture has every colour that the prompt names."""
    return has_ground(prompt, picture) and has_colours(prompt, picture)


def measure_colours(generator: PictureGenerator, count: int) -> list[Metric]:
    """Metrics of `count` prompts that name one colour and `count` that name two."""
    one = colour_prompts(count, generator.size, grounded=False)
    two = colour_prompts(count, generator.size, grounded=True)
    pictures = generator.generate([prompt.text for prompt in one + two])
    plain, grounded = pictures[:count], pictures[count:]
    return [
        compare("colour: one named", has_all_colours, one, plain, _canvases(one)),
        compare("colour: two named, the ground", has_ground, two, grounded, _canvases(two)),
        compare("colour: two named, the shape", has_colours, two, grounded, _canvases(two)),
        compare("colour: two named, both", has_all_colours, two, grounded, _canvases(two)),
        compare(
            "colour: one or two named, all there",
            has_all_colours,
            one + two,
            pictures,
            _canvases(one + two),
            bar=0.9,
            note=f"CIELAB < {NEAR:g}; ground {GROUND_SHARE:.0%}, shape {INK_SHARE:.0%} of pixels",
        ),
    ]


def measure_counts(generator: PictureGenerator, count: int) -> list[Metric]:
    """The metric of `count` prompts of one to five equal shapes."""
    prompts = count_prompts(count, generator.size)
    counts = _count_shapes(prompts, generator.generate([prompt.text for prompt in prompts]))
    best = _count_shapes(prompts, _canvases(prompts))
    return [compare("count: as many as named", _is_count, prompts, counts, best)]


def _count_shapes(prompts: Sequence[EvalPrompt], pictures: Sequence[Frame]) -> list[int]:
    pairs = zip(prompts, pictures, strict=True)
    return [count_areas(prompt.colours[0], picture) for prompt, picture in pairs]


def _is_count(prompt: EvalPrompt, number: int) -> bool:
    return number == prompt.count


def _canvases(prompts: Sequence[EvalPrompt]) -> list[Frame]:
    return [prompt.canvas for prompt in prompts]
