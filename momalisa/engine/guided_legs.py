"""Frames on legs from or to works of art, guided by both ends.

After DiffMorpher (Zhang et al. 2024). While a frame has much noise, the ends of its leg run along
in its batch at the same level, and each self-attention layer of the UNet's upper blocks reads the
ends' tokens, mixed, in place of the frame's own. Between two works each channel of its latents gets
in the end the mean and deviation between theirs (AdaIN; Huang & Belongie 2017), which keeps their
colours. Networks whose attention cannot be reached have AdaIN alone.

So the largest step between two frames on the way to a prompt is 2.2 times the mean in place of 3.2
(trials: `tests/bench/README.md`).
"""

from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor

from momalisa.engine.attention import reading
from momalisa.engine.conditioning import Conditioning, concatenate
from momalisa.engine.noise_schedule import Level
from momalisa.engine.picture_settings import GUIDED_FROM
from momalisa.engine.runner import ModelRunner


@dataclass(frozen=True)
class Ends:
    """The two ends of a leg, of which one is a work at least."""

    clean: Tensor
    """(2, c, h, w)."""
    noise: Tensor
    """A work's inverted, or that of a seed, at full level; (2, c, h, w)."""
    texts: Conditioning
    """Two rows."""
    are_works: bool
    """Whether both are."""

    def at(self, level: Level) -> Tensor:
        """Their latents (2, c, h, w) with as much noise as a level has."""
        return level.signal * self.clean + level.noise * self.noise


class MixedTokens:
    """Lets the last row but two read the last two, mixed, in the upper blocks."""

    def __init__(self, share: float) -> None:
        self._share = share
        """That of the leg's end."""

    def read(self, own: Tensor, *, is_upper: bool) -> Tensor | None:
        """The layer's own but for that row."""
        if not is_upper:
            return None
        start, end = own[-2:]
        read = own.clone()
        read[-3] = torch.lerp(start, end, self._share)
        return read


class Guide:
    """Predictions and latents of a frame at `t`, guided by the ends of its leg, if there are any.

    `attention.attach` was called for the network, unless its attention cannot be reached.
    """

    def __init__(self, runner: ModelRunner, ends: Ends | None, t: float) -> None:
        self.samples = 0
        """Rows that were predicted for the ends."""
        self._runner, self._ends, self._t = runner, ends, t

    def predict(self, latents: Tensor, time: Tensor, texts: Conditioning, level: Level) -> Tensor:
        """The predictions for rows, of which the last one reads the ends under much noise."""
        model, ends = self._runner.model, self._ends
        if ends is None or not model.attends or level.angle < GUIDED_FROM * pi / 2.0:
            return self._runner.predict(latents, time, texts)
        beside = ends.at(level).to(latents)
        both = concatenate([texts, ends.texts.to(model.device, model.dtype)])
        self.samples += len(beside)
        with reading(MixedTokens(self._t)):
            found = model.predict(torch.cat([latents, beside]), time, both)
        return found[: len(latents)]

    def finish(self, clean: Tensor) -> Tensor:
        """Clean latents (1, c, h, w), between works with the statistics between theirs."""
        if self._ends is None or not self._ends.are_works:
            return clean
        (mean, deviation), (means, deviations) = map(_statistics, (clean, self._ends.clean))
        between = [
            torch.lerp(ends[:1], ends[1:], self._t).to(clean) for ends in (means, deviations)
        ]
        return (clean - mean) / deviation * between[1] + between[0]


def _statistics(latents: Tensor) -> tuple[Tensor, Tensor]:
    """The mean and the deviation of each channel."""
    deviation, mean = torch.std_mean(latents, (2, 3), keepdim=True)
    return mean, deviation.clamp_min(1e-5)
