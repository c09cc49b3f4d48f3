"""Trains the evaluation's classifier on the painter's canvases, and caches it in a file.

It never sees a model's picture in training, so its predictions do not favour a model.
"""

import logging
from pathlib import Path

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own idiom)
from torch import Tensor
from tqdm import tqdm

from momalisa.atelier.evaluation.classifier import (
    PLACES,
    SIDE,
    Classifier,
    ClassifierConfig,
    downscale,
)
from momalisa.files import replacing

log = logging.getLogger(__name__)

LEARNING_RATE = 3e-3


def load_or_train(config: ClassifierConfig, path: Path) -> Classifier:
    """Load the classifier of `config` from `path`, or train it (minutes) and save it there."""
    classifier, digest = Classifier(config), config.digest()
    if path.exists():
        saved = torch.load(path, weights_only=True)
        if saved["digest"] == digest:
            classifier.load_state_dict(saved["weights"])
            return classifier
    log.info("training a classifier on %d canvases", config.canvases)
    classifier = train_classifier(config)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as part:
        torch.save({"digest": digest, "weights": classifier.state_dict()}, part)
    return classifier


def train_classifier(config: ClassifierConfig) -> Classifier:
    """Train a classifier from scratch; deterministic in the configuration on one machine."""
    torch.manual_seed(config.seed)
    classifier = Classifier(config)
    images, manners, places = _training_set(config)
    steps = config.epochs * -(-len(images) // config.batch)
    optimiser = torch.optim.AdamW(classifier.parameters(), lr=LEARNING_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    classifier.train()
    for _ in tqdm(range(config.epochs), desc="classifier", disable=None):
        for rows in torch.split(torch.randperm(len(images)), config.batch):
            features = classifier.features(_augment(images[rows]))
            manner, place = classifier.logits(features)
            loss = F.cross_entropy(manner, manners[rows]) + F.cross_entropy(place, places[rows])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
    _store_training_features(classifier, images)
    return classifier


def _training_set(config: ClassifierConfig) -> tuple[Tensor, Tensor, Tensor]:
    """Images (n, 3, SIDE, SIDE), and the indices (n) of their manners and places."""
    images, facts = [], []
    for seed in range(config.canvases):
        canvas = config.paint_canvas(seed, config.canvas_size)
        images.append(downscale([canvas.pixels]))
        facts.append(canvas.facts)
    manners = [config.manners.index(one.manner) for one in facts]
    places = [PLACES.index(one.place) for one in facts]
    return torch.cat(images), torch.tensor(manners), torch.tensor(places)


@torch.no_grad()
def _store_training_features(classifier: Classifier, images: Tensor) -> None:
    classifier.eval()
    parts = [classifier.features(part) for part in torch.split(images, 256)]
    classifier.training_features = torch.cat(parts)


def _augment(images: Tensor) -> Tensor:
    """Randomly mirror, shift, tint and blur images (n, 3, SIDE, SIDE), and add noise."""
    if torch.rand(()) < 0.5:
        images = images.flip(-1)
    down, right = torch.randint(-3, 4, (2,)).tolist()
    images = F.pad(images, (4, 4, 4, 4), mode="reflect")
    images = images[..., 4 + down : 4 + down + SIDE, 4 + right : 4 + right + SIDE]
    tint = 1.0 + 0.06 * torch.randn(len(images), 3, 1, 1)
    return _blur(images * tint + 0.02 * torch.randn_like(images)).clamp(0.0, 1.0)


def _blur(images: Tensor) -> Tensor:
    """Mix each image with its blurred copy, by a random share from 0 to 1."""
    taps = torch.tensor([0.25, 0.5, 0.25])
    kernel = (taps[:, None] * taps).expand(3, 1, 3, 3)
    blurred = images
    for _ in range(2):
        padded = F.pad(blurred, (1, 1, 1, 1), mode="replicate")
        blurred = F.conv2d(padded, kernel, groups=3)
    share = torch.rand(len(images), 1, 1, 1)
    return images + share * (blurred - images)
