"""Traces a small network, to save the time that Python takes between its operations."""

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from momalisa.engine.conditioning import Conditioning
from momalisa.engine.model import DiffusionModel
from momalisa.engine.sampling import Predict

CELLS = 16
"""Latent cells of a side of the picture that is recorded; the recording serves any size."""


class _Prediction(nn.Module):
    """A model's prediction as a function of tensors alone, which is what can be traced."""

    def __init__(self, model: DiffusionModel, form: Conditioning) -> None:
        super().__init__()
        self.network = model.network  # so that its weights are the module's own
        self._predict, self._form = model.predict, form

    def forward(self, latents: Tensor, time: Tensor, *conditions: Tensor) -> Tensor:
        """The prediction, of the latents' shape."""
        return self._predict(latents, time, self._form.with_tensors(conditions))


@torch.no_grad()
def traced(model: DiffusionModel) -> Predict:
    """The model's `predict` from a recording of its operations, for any batch and size.

    The numbers are the same. Of Atelier's 31 ms for two rows on one core Python took 11, in which
    no other thread could go on. Recording and two rehearsals take a second.

    `torch.compile` would gain more, but needs a C++ compiler on every curator's machine;
    `torch.export` gained little. The recording is deprecated in torch, and there in the pinned one.
    """
    side = CELLS * model.latent_factor
    form = model.encode([""], side, side).to(model.device, model.dtype).repeat(2)
    latents = torch.zeros(2, model.latent_channels, CELLS, CELLS).to(model.device, model.dtype)
    example: Any = latents, torch.tensor(0), *form.tensors()
    module = _Prediction(model, form).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        recording = torch.jit.trace(module, example, check_trace=False)  # type: ignore[no-untyped-call]
    for _ in range(2):
        recording(*example)

    def predict(latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        return recording(latents, time, *conditioning.tensors())  # type: ignore[no-any-return]

    return predict
