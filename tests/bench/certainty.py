"""How certain a classifier is of one manner, at frames between a walk's ends."""

from collections.abc import Sequence
from itertools import accumulate
from statistics import fmean

import torch

from momalisa.atelier.evaluation.classifier import Classifier, downscale
from momalisa.engine.frame_cache import Frame
from momalisa.ui.compare.tally import sign_test


@torch.no_grad()
def measure_certainties(classifier: Classifier, frames: Sequence[Frame]) -> list[float]:
    """The probability of each frame's likeliest manner."""
    classifier.eval()
    manners, _ = classifier.logits(classifier.features(downscale(frames)))
    likeliest: list[float] = manners.softmax(1).amax(1).tolist()
    return likeliest


def mean_in_middle(values: Sequence[float]) -> float:
    """The mean over the middle third of the frames."""
    third = len(values) // 3
    return fmean(values[third : len(values) - third])


def mean_of_cut(values: Sequence[float]) -> float:
    """The mean over the middle third of a film that cuts from its first picture to its last.

    A control for `mean_in_middle`: such a film has no picture in between, so it is as certain as
    its two ends are, which each fill half of its frames.
    """
    half = len(values) // 2
    return mean_in_middle([values[0]] * half + [values[-1]] * (len(values) - half))


def mean_halfway(values: Sequence[float], steps: Sequence[float]) -> float | None:
    """The mean over the frames in the middle third of the way, in perceived distances.

    `steps` are those from frame to frame. None for a film that leaps over this third: its frames
    in the middle show one of its ends.
    """
    way = list(accumulate(steps, initial=0.0))
    low, high = way[-1] / 3.0, way[-1] * 2.0 / 3.0
    halfway = [value for value, at in zip(values, way, strict=True) if low <= at <= high]
    return fmean(halfway) if halfway else None


def compare(ones: Sequence[float | None], others: Sequence[float | None]) -> tuple[int, int, float]:
    """On how many pairs one way has more than another, of how many with both, and by what chance.

    The last is the two-sided probability of such a share or a clearer one by the sign test.
    """
    both = [(a, b) for a, b in zip(ones, others, strict=True) if a is not None and b is not None]
    more, fewer = sum(a > b for a, b in both), sum(a < b for a, b in both)
    return more, len(both), sign_test(more, fewer)
