"""Memorisation: how similar a model's pictures are to canvases of its training set."""

import torch
from torch import Tensor

from momalisa.atelier.evaluation.classifier import Classifier
from momalisa.atelier.evaluation.metrics import Metric

REPAINTED = 86
"""Training canvases that are painted again, for the score of a model that only copies."""


def measure_memorisation(
    classifier: Classifier, pictures: Tensor, held_out: Tensor, size: int
) -> Metric:
    """Distance from pictures to the nearest training canvas, relative to held-out canvases.

    1 or more means no memorisation. `pictures` and `held_out` are features (n, FEATURES) of a
    model's pictures and of canvases for the same prompts.
    """
    training = classifier.training_features
    copies = [classifier.config.paint_canvas(seed, size).pixels for seed in range(REPAINTED)]
    copy_distance = median_nearest_distance(classifier.predict(copies).features, training)
    distance = median_nearest_distance(pictures, training)
    reference = median_nearest_distance(held_out, training)
    return Metric(
        "nearest known canvas, in a canvas's distance",
        distance / reference,
        1.0,
        copy_distance / reference,
        1.0,
        note=f"of {len(training):,} canvases; chance: known canvases painted again",
    )


def median_nearest_distance(features: Tensor, others: Tensor) -> float:
    """The median distance from features (n, d) to the nearest of `others` (m, d)."""
    return float(torch.cdist(features, others).amin(1).median())
