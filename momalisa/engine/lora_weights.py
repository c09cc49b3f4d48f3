"""LoRAs whose weight differs from sample to sample of a batch.

A LoRA adds to a layer's output what two small matrices make of its input, times a weight. Here the
weight is a vector, one number a sample, so that frames along a leg are sampled as one batch. It is
attached by a hook on the second matrix, in every layer that has one.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn

Weights = Mapping[str, Tensor]
"""A weight for each sample (n,), by the LoRA's digest."""

_WEIGHTS: ContextVar[Weights] = ContextVar("LoRA weights", default={})  # noqa: B039
"""Those of the batch that this thread is computing; a LoRA that is not in it has no effect."""


@contextmanager
def weighed(weights: Weights) -> Iterator[None]:
    """In the body, passes through the network have these weights.

    A pass may have several rows a sample, as with guidance: all samples, then all again.
    """
    token = _WEIGHTS.set(weights)
    try:
        yield
    finally:
        _WEIGHTS.reset(token)


def attach(module: nn.Module, digest: str) -> int:
    """Let the weights act on the LoRA of that name in a module; the number of its layers."""
    layers = [
        matrices[digest]
        for layer in module.modules()
        if isinstance(matrices := getattr(layer, "lora_B", None), nn.ModuleDict)
        and digest in matrices
    ]
    for layer in layers:
        layer.register_forward_hook(_Hook(digest))
    return len(layers)


class _Hook:
    """Multiplies what a LoRA adds to a layer's output by the weight of each sample."""

    def __init__(self, digest: str) -> None:
        self._digest = digest

    def __call__(self, _module: nn.Module, _inputs: Any, output: Tensor) -> Tensor:
        weights = _WEIGHTS.get().get(self._digest)
        if weights is None:
            return torch.zeros_like(output)
        # One row for all samples, as of a time they share, gets one for each here.
        factors = weights.to(output).repeat(max(1, len(output) // len(weights)))
        return output * factors.reshape(-1, *[1] * (output.dim() - 1))


def mix_weights(
    digests: Sequence[str], ends: Sequence[tuple[Sequence[float], Sequence[float]]], t: Tensor
) -> Weights:
    """The weights of samples at `t` (n,) between the weights at both ends of their legs."""
    starts, stops = (torch.tensor([end[side] for end in ends]) for side in (0, 1))
    at = t.reshape(-1, 1).to(starts)
    mixed = (1.0 - at) * starts + at * stops
    return {digest: mixed[:, number] for number, digest in enumerate(digests)}


def passes_of_one_weight(rows: int) -> Iterator[slice]:
    """Slices of a batch's rows for networks that lay the tokens of all samples into one matrix.

    Their layers do not tell samples apart, so that those of different weights need passes of their
    own; in the body of each pass its weights hold. One slice where all samples have the same.
    """
    weights = _WEIGHTS.get()
    if all((weight == weight[0]).all() for weight in weights.values()):
        yield slice(rows)
        return
    for row in range(rows):
        own = {digest: weight[row % len(weight)][None] for digest, weight in weights.items()}
        with weighed(own):
            yield slice(row, row + 1)


def take_rows(weights: Weights, rows: slice) -> Weights:
    """The weights of a slice of the samples."""
    return {digest: weight[rows] for digest, weight in weights.items()}
