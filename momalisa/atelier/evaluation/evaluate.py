"""Evaluates a trained model, section by section."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import torch

from momalisa.atelier.autoencoder import psnr
from momalisa.atelier.canvases import paint_batch
from momalisa.atelier.evaluation.classifier import Classifier, ClassifierConfig
from momalisa.atelier.evaluation.classifier_training import load_or_train
from momalisa.atelier.evaluation.colour import measure_colours, measure_counts
from momalisa.atelier.evaluation.manner import measure_manners, measure_places
from momalisa.atelier.evaluation.metrics import Metric
from momalisa.atelier.evaluation.picture_generator import BATCH, PictureGenerator
from momalisa.atelier.evaluation.speed_and_size import measure_speed_and_size
from momalisa.atelier.evaluation.walk_stats import measure_walks
from momalisa.atelier.recipe import HELD_OUT_SEEDS

CANVASES = 64
"""Held-out canvases for the metric of the autoencoder."""


def evaluate(
    generator: PictureGenerator, sections: Sequence[str], folder: Path, *, count: int, pairs: int
) -> Iterator[Metric]:
    """Measure the sections of a model in order, on held-out prompts and canvases.

    `count` prompts name a manner, as many name colours, half as many name a count or a place;
    `pairs` is the number of walks. The classifier is cached in `folder`.
    """
    classifier = cache(lambda: load_classifier(folder))
    half = max(2, count // 2)
    measures: dict[str, Callable[[], list[Metric]]] = {
        "autoencoder": lambda: [measure_autoencoder(generator)],
        "manner": lambda: measure_manners(generator, classifier(), count),
        "colour": lambda: measure_colours(generator, half),
        "count": lambda: measure_counts(generator, half),
        "place": lambda: measure_places(generator, classifier(), half),
        "walk": lambda: measure_walks(generator, pairs, "linear"),
        "even-walk": lambda: measure_walks(generator, pairs, "even"),
        "speed-and-size": lambda: measure_speed_and_size(generator),
    }
    return (metric for section in sections for metric in measures[section]())


def load_classifier(folder: Path) -> Classifier:
    """Load the classifier of all manners from a training folder; train it on first use."""
    return load_or_train(ClassifierConfig(), folder / "classifier.pt")


@torch.no_grad()
def measure_autoencoder(generator: PictureGenerator) -> Metric:
    """The PSNR in dB of held-out canvases through encoder and decoder."""
    model = generator.runner.model
    vae = generator.pipeline.vae
    images, _ = paint_batch(range(HELD_OUT_SEEDS, HELD_OUT_SEEDS + CANVASES), generator.size)
    parts = (part.to(model.device, model.dtype) * 2.0 - 1.0 for part in torch.split(images, BATCH))
    again = torch.cat([vae.decoder(vae.encoder(part)).float().cpu() for part in parts])
    return Metric("autoencoder: PSNR, dB", psnr(again / 2.0 + 0.5, images), bar=27.0)
