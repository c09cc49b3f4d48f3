"""A small UNet without the time that Python takes between its operations."""

import warnings

import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn


class Predict(nn.Module):
    """A UNet as a function: latents (n, c, h, w), time (), words (n, tokens, width) in."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.unet = unet

    def forward(self, latents: Tensor, at: Tensor, words: Tensor) -> Tensor:
        """The prediction, of the latents' shape."""
        return self.unet(latents, at, words, return_dict=False)[0]  # type: ignore[no-any-return]


@torch.no_grad()
def traced(predict: Predict, words: Tensor) -> nn.Module:
    """The same numbers from a recording of the operations, for any batch and size.

    Of Atelier's 31 ms for two rows on one core Python took 11, in which no other lane could go
    on. Recording and two rehearsals take a second. `words` (1, tokens, width) are any text's.

    `torch.compile` would gain more, but needs a C++ compiler on every curator's machine;
    `torch.export` gained little. The recording is deprecated in torch, and there in the pinned one.
    """
    config = predict.unet.config
    sides = (config.sample_size, config.sample_size)
    example = torch.zeros(2, config.in_channels, *sides), torch.tensor(0), words.repeat(2, 1, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        recording = torch.jit.trace(predict.eval(), example, check_trace=False)  # type: ignore[no-untyped-call]
    for _ in range(2):
        recording(*example)
    return recording  # type: ignore[no-any-return]
