"""A small classifier that names the manners and places of pictures, and tells how near they lie."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

import cv2
import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (torch's own idiom)
from torch import Tensor, nn

from momalisa.atelier.painter import MANNERS, Canvas, paint
from momalisa.engine.frame_cache import Frame

PLACES = ("", "sea", "mountains", "hills", "field", "desert", "forest", "city", "village")
SIDE = 64
"""Pixels it looks at: manners show at that size, and a little softness does not."""
WIDTHS = (24, 48, 96, 144)
FEATURES = 96
CONFIDENCE = 12.0
"""Features have length 1; logits need more room than that to be sure of anything."""


@dataclass(frozen=True)
class Schooling:
    """What a connoisseur learns from: canvases of the seeds 0, 1, 2, ... of a training."""

    manners: tuple[str, ...] = MANNERS
    canvases: int = 6_000
    painted: int = 128
    """Pixels of a canvas's side."""
    rounds: int = 12
    batch: int = 64
    seed: int = 0

    def canvas(self, seed: int, size: int) -> Canvas:
        """The canvas of a seed: for all manners the one that training sees."""
        return paint(Random(seed).choice(self.manners), seed, size)

    def key(self) -> str:
        """Changes with the schooling and with the painter's hand."""
        hand = hashlib.sha256(repr((self, SIDE, WIDTHS, FEATURES)).encode())
        for manner in self.manners:
            hand.update(paint(manner, 0, SIDE).pixels.tobytes())
        return hand.hexdigest()


@dataclass(frozen=True)
class Opinion:
    """What a connoisseur sees in some pictures, one entry a picture."""

    manners: list[str]
    places: list[str]
    features: Tensor
    """(n, FEATURES), each of length 1."""


class Connoisseur(nn.Module):
    """Four strided convolutions, pooled to features; a linear head each for manner and place."""

    known: Tensor
    """The features (n, FEATURES) of the canvases it learned from."""

    def __init__(self, schooling: Schooling) -> None:
        super().__init__()
        self.schooling = schooling
        self.body = nn.Sequential(*_body())
        self.mind = nn.Linear(2 * WIDTHS[-1], FEATURES)
        self.manner = nn.Linear(FEATURES, len(schooling.manners))
        self.place = nn.Linear(FEATURES, len(PLACES))
        self.register_buffer("known", torch.zeros(schooling.canvases, FEATURES))

    def features(self, images: Tensor) -> Tensor:
        """Features (n, FEATURES) of length 1 of images (n, 3, SIDE, SIDE) in [0, 1]."""
        cells = self.body(images * 2.0 - 1.0).flatten(2)
        return F.normalize(self.mind(torch.cat([cells.mean(-1), cells.amax(-1)], 1)))

    def verdict(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """The logits of manners and places, from features."""
        return self.manner(features * CONFIDENCE), self.place(features * CONFIDENCE)

    @torch.no_grad()
    def look(self, pictures: Sequence[Frame]) -> Opinion:
        """Name the manner and the place of pictures of any size."""
        self.eval()
        images = small(pictures)
        features = self.features(images)
        manners, places = self.verdict(features)
        return Opinion(
            [self.schooling.manners[i] for i in manners.argmax(1).tolist()],
            [PLACES[i] for i in places.argmax(1).tolist()],
            features,
        )


def _body() -> list[nn.Module]:
    """At half the size each: one convolution on the way down, and from the second on one more."""
    layers: list[nn.Module] = []
    for before, width in pairwise((3, *WIDTHS)):
        layers += _convolution(before, width, stride=2)
        layers += _convolution(width, width, stride=1) if before > 3 else []
    return layers


def _convolution(before: int, width: int, *, stride: int) -> list[nn.Module]:
    convolution = nn.Conv2d(before, width, 3, stride=stride, padding=1, bias=False)
    return [convolution, nn.BatchNorm2d(width), nn.ReLU()]


def small(pictures: Sequence[Frame]) -> Tensor:
    """Pictures as images (n, 3, SIDE, SIDE) in [0, 1], each pixel the mean of an area."""
    shrunk = [cv2.resize(p, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for p in pictures]
    return torch.from_numpy(np.stack(shrunk)).permute(0, 3, 1, 2).float() / 255.0
