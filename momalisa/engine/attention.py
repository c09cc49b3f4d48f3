"""Attention interpolation: frames are painted for both ends of their leg, and attend to both.

After AID (He et al. 2024, "AID: Attention Interpolation of Text-to-Image Diffusion"), whose *outer*
form mixes what each layer answers to either end. Here what the whole network answers is mixed: in
some early steps a place is predicted for the text of the start and for that of the end, while each
self-attention layer reads its own tokens and those that this end had there at this step. Next to an
end this is what the model does by itself. Which places: `attention_legs`.

So the largest step between two frames is 1.8 times the mean where texts alone leap 5.2 (trials:
`tests/bench/README.md`).

It is attached by diffusers' own hook, the attention processors, around those that are there.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from math import pi
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from momalisa.engine.conditioning import Conditioning
from momalisa.engine.prediction_mix import Toward, mix
from momalisa.engine.sampling import Predict
from momalisa.engine.shortcuts import SLOWED, STEEPEST

UPPER = "up_blocks"
"""How the names of the layers in a network's upper blocks begin."""

Tokens = tuple[Tensor, ...]
"""What each self-attention layer read, in the order in which they are called: (n, length, d)."""
RecordTokens = Callable[[Tensor, Tensor, Conditioning], tuple[Tensor, Tokens]]
"""As `Predict`, with the tokens that led to the prediction."""
PredictBetween = Callable[[Tensor, Tensor, Conditioning, Toward, Tokens], Tensor]
"""As `Predict`, from the texts of the leg's start and end, and the tokens of both (two rows a
layer)."""


@dataclass(frozen=True)
class Between:
    """What the samples of a batch, all of one leg, need of its two ends."""

    start: Conditioning
    """The text of the leg's start, n rows."""
    toward: Toward
    """How much of the end is in the samples, and its text."""
    first: int
    """The first step that is taken for both ends."""
    steps: Sequence[Tokens]
    """The ends' tokens at each of these steps; in the others frames are sampled alone."""

    def __getitem__(self, rows: slice) -> "Between":
        """The same for a slice of the samples."""
        return Between(self.start[rows], self.toward[rows], self.first, self.steps)

    def to(self, device: torch.device, dtype: torch.dtype) -> "Between":
        """The same on a device; numbers that are no integers in that precision."""
        start, toward = self.start.to(device, dtype), self.toward.to(device, dtype)
        return Between(start, toward, self.first, self.steps)


def weigh_end(t: Tensor) -> Tensor:
    """The weight of what is predicted for a leg's end at `t` (n,): slower in the middle.

    It rises strictly from 0 to 1, and w(1 - t) = 1 - w(t).
    """
    return t + SLOWED * torch.sin(2.0 * pi * t) / (2.0 * pi)


def hasten(t: float, progress: float) -> float:
    """How far the text of a frame at `t` is on its way to the end's, in a step at that progress.

    In late steps it is that of the nearer end, nearly. It rises strictly from 0 to 1.
    """
    steepness: float = min(max(2.0 ** (4.0 * progress - 1.0), 1.0), STEEPEST)
    there: float = t**steepness
    back: float = (1.0 - t) ** steepness
    return there / (there + back)


class Pass(Protocol):
    """What the self-attention layers read in one pass through the network."""

    def read(self, own: Tensor, *, is_upper: bool) -> Tensor | None:
        """Tokens (n, length, d) to read in place of a layer's own; None for these.

        `is_upper` is true in the network's upper blocks.
        """


class _Recording:
    """Keeps the tokens that the layers read."""

    def __init__(self) -> None:
        self.tokens: list[Tensor] = []

    def read(self, own: Tensor, *, is_upper: bool) -> Tensor:
        """The layer's own."""
        self.tokens.append(own)
        return own


class _Reading:
    """Lets the layers read the tokens of one end besides their own."""

    def __init__(self, ends: Tokens, row: int) -> None:
        self._ends = iter(tokens[row : row + 1] for tokens in ends)

    def read(self, own: Tensor, *, is_upper: bool) -> Tensor:
        """Its own joined with those of the end."""
        return torch.cat([own, next(self._ends).to(own).expand_as(own)], dim=1)


_PASS: ContextVar[Pass | None] = ContextVar("attention pass", default=None)
"""What the layers read in this thread; None for nothing special."""


@contextmanager
def reading(what: Pass) -> Iterator[None]:
    """In the body, the layers of networks that were attached to read what it says."""
    token = _PASS.set(what)
    try:
        yield
    finally:
        _PASS.reset(token)


class TokenReader:
    """An attention processor around another, which reads what the pass says."""

    def __init__(self, own: Any, *, is_upper: bool) -> None:
        self.own, self.is_upper = own, is_upper

    def __call__(
        self,
        attn: nn.Module,
        hidden_states: Tensor,
        encoder_hidden_states: Tensor | None = None,
        attention_mask: Tensor | None = None,
    ) -> Any:
        """A layer's answer for tokens (n, length, d); pixels and texts are left alone."""
        what, read = _PASS.get(), encoder_hidden_states
        is_cross = read is not None or attention_mask is not None
        if what is not None and not is_cross and hidden_states.dim() == 3:
            read = what.read(hidden_states, is_upper=self.is_upper)
        return self.own(attn, hidden_states, read, attention_mask)


def attach(network: Any) -> None:
    """Put the processors around those of the network's attention layers, once."""
    network.set_attn_processor(
        {
            name: own
            if isinstance(own, TokenReader)
            else TokenReader(own, is_upper=name.startswith(UPPER))
            for name, own in network.attn_processors.items()
        }
    )


def record_tokens(predict: Predict) -> RecordTokens:
    """A model's `predict` that also returns what its attention layers read."""

    def record(latents: Tensor, time: Tensor, conditions: Conditioning) -> tuple[Tensor, Tokens]:
        what = _Recording()
        with reading(what):
            prediction = predict(latents, time, conditions)
        return prediction, tuple(what.tokens)

    return record


def predict_between(predict: Predict) -> PredictBetween:
    """A model's `predict` for both ends, whose self-attention layers read that end, and mixed."""

    def between(
        latents: Tensor, time: Tensor, start: Conditioning, toward: Toward, ends: Tokens
    ) -> Tensor:
        def predict_for(text: Conditioning, row: int) -> Tensor:
            with reading(_Reading(ends, row)):
                return predict(latents, time, text)

        return mix(predict_for(start, 0), predict_for(toward.end, 1), toward.t)

    return between
