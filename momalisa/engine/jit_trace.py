"""Traces a small network, to save the time that Python takes between its operations.

The numbers are the same, for any batch and size. Of Atelier's 31 ms for two rows on one core Python
took 11, in which no other thread could go on. Recording and a rehearsal take about a second, which
a first film need not wait for: `engine.runner.WORTH_TRACING`. The few steps of a leg that attention
takes for both ends are not traced: that took five seconds, and gained nothing.

`torch.compile` would gain more, but needs a C++ compiler on every curator's machine; `torch.export`
gained little. The recording is deprecated in torch, and there in the pinned one.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from momalisa.engine.conditioning import Conditioning
from momalisa.engine.model import DiffusionModel
from momalisa.engine.sampling import Predict

CELLS = 16
"""Latent cells of a side of the picture that is recorded; the recording serves any size."""


def traced(model: DiffusionModel) -> Predict:
    """The model's `predict` from a recording of its operations."""
    form, example = _example(model)

    def predict(latents: Tensor, time: Tensor, *conditions: Tensor) -> Tensor:
        return model.predict(latents, time, form.with_tensors(conditions))

    recording = _trace(model.network, predict, example)
    return lambda latents, time, conditions: recording(latents, time, *conditions.tensors())


def _example(model: DiffusionModel) -> tuple[Conditioning, tuple[Tensor, ...]]:
    """Conditions of two rows, and with them what `predict` takes, as tensors."""
    side = CELLS * model.latent_factor
    form = model.encode([""], side, side).to(model.device, model.dtype).repeat(2)
    latents = torch.zeros(2, model.latent_channels, CELLS, CELLS).to(model.device, model.dtype)
    return form, (latents, torch.tensor(0), *form.tensors())


class _Operations(nn.Module):
    """A function of tensors alone, which is what can be traced, and the network that it calls."""

    def __init__(self, network: nn.Module, function: Callable[..., Any]) -> None:
        super().__init__()
        self.network = network  # so that its weights are the module's own
        self._function = function

    def forward(self, *tensors: Tensor) -> Any:
        """What the function returns."""
        return self._function(*tensors)


@contextmanager
def _one_thread() -> Iterator[None]:
    """In the body, operations of this thread take one core.

    Those of a small network are so short that a second thread mostly waits for the next one, and
    it does so without sleeping: beside others that work, recording took four times the work.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@_one_thread()
@torch.no_grad()
def _trace(network: nn.Module, function: Callable[..., Any], example: tuple[Tensor, ...]) -> Any:
    """A recording of a function that calls the network, to the last bit.

    Recorded as a plain function it would take a third of the time, but its weights would be
    constants, with which torch computes in another order.
    """
    module = _Operations(network, function).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        recording = torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
    # At its first call the recording is optimized, for any shape if it is not profiled before.
    profiles = torch._C._jit_set_profiling_mode(False)
    try:
        recording(*example)
    finally:
        torch._C._jit_set_profiling_mode(profiles)

    def run(*tensors: Tensor) -> Any:
        with torch.inference_mode():  # its many short operations keep no notes of each other
            return recording(*tensors)

    return run
