"""LPIPS, PPL and FID as papers on morphs count them, by networks that a user has at hand.

They are TorchScript files as StyleGAN's metrics load them: `vgg16.pt`, which embeds pictures so
that their squared distance is LPIPS, and `inception-2015-12-05.pt`, whose features FID compares.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from momalisa.engine.frame_cache import Frame

AT_ONCE = 16
"""Pictures in a batch."""

Features = NDArray[np.float64]


@dataclass(frozen=True)
class Networks:
    """What is at hand; None for what is not."""

    lpips: Path | None = None
    inception: Path | None = None

    def measure(self, films: Sequence[Sequence[Frame]]) -> dict[str, float]:
        """The figures of some films, those of single ones as means.

        `LPIPS` is the sum over the steps from frame to frame, `PPL` their mean with the step's
        length squared in the denominator, `FID` that of all frames between to all ends.
        """
        figures: dict[str, float] = {}
        if self.lpips:
            network = _load(self.lpips)
            steps = [measure_lpips(_embed(network, film, "return_lpips")) for film in films]
            figures["LPIPS"] = float(np.mean([of_film.sum() for of_film in steps]))
            figures["PPL"] = float(np.mean([s.mean() * len(s) ** 2 for s in steps]))
        if self.inception:
            network = _load(self.inception)
            ends = [frame for film in films for frame in (film[0], film[-1])]
            between = [frame for film in films for frame in film[1:-1]]
            sides = (_embed(network, some, "return_features") for some in (ends, between))
            figures["FID"] = frechet_distance(*sides)
        return figures


def _load(file: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated, and there in the pinned torch
        return torch.jit.load(str(file)).eval()  # type: ignore[no-untyped-call]


@torch.no_grad()
def _embed(network: Any, frames: Sequence[Frame], which: str) -> Features:
    """Embeddings (n, d) of pictures, which these networks take as levels up to 255."""
    pictures = torch.from_numpy(np.stack(list(frames))).permute(0, 3, 1, 2)
    parts: list[Tensor] = [
        network(part, **{which: True}) for part in torch.split(pictures, AT_ONCE)
    ]
    embedded: Features = torch.cat(parts).double().numpy()
    return embedded


def measure_lpips(embedded: Features) -> Features:
    """The squared distances (n - 1,) of neighbours among embeddings (n, d)."""
    distances: Features = (np.diff(embedded, axis=0) ** 2).sum(axis=1)
    return distances


def frechet_distance(ones: Features, others: Features) -> float:
    """The distance of two normal distributions with the means and covariances of features.

    (n, d) and (m, d), of two rows each at least.
    """
    first, second = (
        np.cov(some, rowvar=False).reshape(some.shape[1], -1) for some in (ones, others)
    )
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(values.clip(0.0))) @ vectors.T
    mixed = np.sqrt(np.linalg.eigvalsh(root @ second @ root).clip(0.0)).sum()
    apart = ((ones.mean(axis=0) - others.mean(axis=0)) ** 2).sum()
    return float(apart + np.trace(first) + np.trace(second) - 2.0 * mixed)
