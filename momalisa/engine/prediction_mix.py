"""The interpolation "predictions": the model predicts for both ends of a leg, and they are mixed.

Between two texts it needs none: what is between them may be of another length, or mean nothing to
the model. It takes two predictions a step in place of one.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from momalisa.engine.conditioning import Conditioning
from momalisa.engine.sampling import Predict


@dataclass(frozen=True)
class Toward:
    """Where on their leg the samples of a batch are, and the text of the leg's end for each."""

    t: Tensor
    """(n,), in (0, 1)."""
    end: Conditioning
    """n rows."""

    def __getitem__(self, rows: slice) -> "Toward":
        """The same for a slice of the samples."""
        return Toward(self.t[rows], self.end[rows])

    def to(self, device: torch.device, dtype: torch.dtype) -> "Toward":
        """The same on a device; numbers that are no integers in that precision."""
        return Toward(self.t.to(device, dtype), self.end.to(device, dtype))


def mix_predictions(predict: Predict, toward: Toward) -> Predict:
    """A model's `predict` for samples whose conditions are those of their leg's start."""

    def mixed(latents: Tensor, time: Tensor, conditions: Conditioning) -> Tensor:
        start, end = (predict(latents, time, text) for text in (conditions, toward.end))
        return mix(start, end, toward.t)

    return mixed


def mix(start: Tensor, end: Tensor, t: Tensor) -> Tensor:
    """Predictions (n, c, h, w) mixed on the line, each at its `t` (n,)."""
    weight = t.reshape(-1, 1, 1, 1)
    return (1.0 - weight) * start + weight * end
