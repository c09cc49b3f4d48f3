"""A small image classifier of manners and places, whose features also measure similarity."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (torch's own idiom)
from torch import Tensor, nn

from momalisa.atelier.painter import MANNERS, Canvas, draw_manner, paint
from momalisa.engine.frame_cache import Frame

PLACES = ("", "sea", "mountains", "hills", "field", "desert", "forest", "city", "village")
SIDE = 64
"""Input size in pixels: manners are visible at that size, and slight blur is not."""
WIDTHS = (24, 48, 96, 144)
FEATURES = 96
LOGIT_SCALE = 12.0
"""Factor for features before the heads: unit features alone would limit the logits."""


@dataclass(frozen=True)
class ClassifierConfig:
    """How a classifier is trained: on the canvases of the seeds 0, 1, 2, ..."""

    manners: tuple[str, ...] = MANNERS
    canvases: int = 6_000
    canvas_size: int = 128
    """Pixels of a canvas's side."""
    epochs: int = 12
    batch: int = 64
    seed: int = 0

    def paint_canvas(self, seed: int, size: int) -> Canvas:
        """Paint the training canvas of a seed; by default, the denoiser is trained on it too."""
        return paint(draw_manner(seed, self.manners), seed, size)

    def digest(self) -> str:
        """A digest that changes with the configuration, the architecture and the painter."""
        digest = hashlib.sha256(repr((self, SIDE, WIDTHS, FEATURES)).encode())
        for manner in self.manners:
            digest.update(paint(manner, 0, SIDE).pixels.tobytes())
        return digest.hexdigest()


@dataclass(frozen=True)
class Predictions:
    """The classifier's output for n pictures."""

    manners: list[str]
    places: list[str]
    features: Tensor
    """(n, FEATURES), each of length 1."""


class Classifier(nn.Module):
    """A convolutional network with pooled features and a linear head each for manner and place."""

    training_features: Tensor
    """The features (n, FEATURES) of the training canvases."""

    def __init__(self, config: ClassifierConfig) -> None:
        super().__init__()
        self.config = config
        self.body = nn.Sequential(*_body())
        self.projection = nn.Linear(2 * WIDTHS[-1], FEATURES)
        self.manner_head = nn.Linear(FEATURES, len(config.manners))
        self.place_head = nn.Linear(FEATURES, len(PLACES))
        self.register_buffer("training_features", torch.zeros(config.canvases, FEATURES))

    def features(self, images: Tensor) -> Tensor:
        """Features (n, FEATURES) of length 1 of images (n, 3, SIDE, SIDE) in [0, 1]."""
        cells = self.body(images * 2.0 - 1.0).flatten(2)
        return F.normalize(self.projection(torch.cat([cells.mean(-1), cells.amax(-1)], 1)))

    def logits(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, manners) and (n, places) of features (n, FEATURES)."""
        return self.manner_head(features * LOGIT_SCALE), self.place_head(features * LOGIT_SCALE)

    @torch.no_grad()
    def predict(self, pictures: Sequence[Frame]) -> Predictions:
        """Classify pictures of any size."""
        self.eval()
        features = self.features(downscale(pictures))
        manners, places = self.logits(features)
        return Predictions(
            [self.config.manners[i] for i in manners.argmax(1).tolist()],
            [PLACES[i] for i in places.argmax(1).tolist()],
            features,
        )


def _body() -> list[nn.Module]:
    """Build the convolutions: each level halves the picture, from the second on with one more."""
    layers: list[nn.Module] = []
    for before, width in pairwise((3, *WIDTHS)):
        layers += _convolution(before, width, stride=2)
        layers += _convolution(width, width, stride=1) if before > 3 else []
    return layers


def _convolution(before: int, width: int, *, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(before, width, 3, stride=stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(width), nn.ReLU()]


def downscale(pictures: Sequence[Frame]) -> Tensor:
    """Resize pictures to images (n, 3, SIDE, SIDE) in [0, 1] by area averaging."""
    small = [cv2.resize(p, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for p in pictures]
    return torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).float() / 255.0
