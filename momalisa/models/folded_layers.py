"""Computes the last layers of a tiny decoder as one, where nothing but linear ones follow.

`AutoencoderTiny` enlarges and convolves several times at the end, at the full size of the picture,
and where a stage has no blocks nothing comes in between: that is one convolution of the small
layers, which computes all pixels of a cell at once. Of Atelier's decoder it saves two fifths of the
operations, of its preview decoder more than half. Numbers differ by rounding alone.
"""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle

EDGE = 2
"""Cells at a picture's edge that are computed layer by layer: each layer pads with zeros there."""
_CELLS = 7
"""Cells of the side of a picture on which layers are tried."""
_REACH = 1
"""Cells to each side that a pixel may depend on."""


class FoldedLayers(nn.Module):
    """Layers that are linear but for their padding, computed by one convolution but for the edge.

    The convolution gives the pixels of a cell, `scale` to a side, as channels.
    """

    def __init__(self, layers: nn.Sequential, convolution: nn.Conv2d, scale: int) -> None:
        super().__init__()
        self.layers, self.convolution, self.scale = layers, convolution, scale

    def forward(self, cells: Tensor) -> Tensor:
        """Pictures (n, c, h * scale, w * scale) of cells (n, c, h, w)."""
        if min(cells.shape[-2:]) <= 2 * EDGE:
            picture: Tensor = self.layers(cells)
            return picture
        picture = pixel_shuffle(self.convolution(cells), self.scale)
        for axis in (-2, -1):
            self._replace_edges(picture, cells, axis)
        return picture

    def _replace_edges(self, picture: Tensor, cells: Tensor, axis: int) -> None:
        """Replace the first and the last row (or column) of cells in a picture."""
        ends = (cells.narrow(axis, start, EDGE) for start in (0, cells.shape[axis] - EDGE))
        first, last = self.layers(torch.cat(list(ends))).chunk(2)
        rows = self.scale
        picture.narrow(axis, 0, rows).copy_(first.narrow(axis, 0, rows))
        start = picture.shape[axis] - rows
        inner = last.shape[axis] - rows
        picture.narrow(axis, start, rows).copy_(last.narrow(axis, inner, rows))


def fold_last_layers(decoder: Any) -> None:
    """Let the decoder of an `AutoencoderTiny` compute its last layers as one, where that is less.

    That is so in single precision, where they enlarge and convolve more than once.
    """
    layers = list(decoder.layers)
    last = len(layers)
    while last and _is_linear(layers[last - 1]):
        last -= 1
    run = nn.Sequential(*layers[last:])
    if sum(isinstance(layer, nn.Conv2d) for layer in run) < 2:
        return
    if folded := _fold(run):
        decoder.layers = nn.Sequential(*layers[:last], folded)


def _is_linear(layer: nn.Module) -> bool:
    if isinstance(layer, nn.Upsample):
        return layer.mode == "nearest" and layer.scale_factor == 2
    return (
        isinstance(layer, nn.Conv2d)
        and layer.weight.dtype == torch.float32
        and (layer.kernel_size, layer.stride) == ((3, 3), (1, 1))
        and (layer.padding, layer.dilation, layer.groups) == ((1, 1), (1, 1), 1)
        and layer.padding_mode == "zeros"
    )


@torch.no_grad()
def _fold(layers: nn.Sequential) -> FoldedLayers | None:
    """One convolution for all layers; None if a pixel depends on more than neighbouring cells."""
    exact = deepcopy(layers).double()
    first = next(layer for layer in layers if isinstance(layer, nn.Conv2d))
    channels, middle = first.in_channels, _CELLS // 2
    impulses = torch.zeros(channels + 1, channels, _CELLS, _CELLS, dtype=torch.float64)
    for channel in range(channels):
        impulses[channel, channel, middle, middle] = 1.0
    answers = exact(impulses.to(first.weight.device))
    scale, colours = answers.shape[-1] // _CELLS, answers.shape[1]
    by_cell = answers.reshape(-1, colours, _CELLS, scale, _CELLS, scale)
    bias = by_cell[-1, :, middle, :, middle, :]
    kernel = by_cell[:-1] - bias[None, :, None, :, None, :]
    near = slice(middle - _REACH, middle + _REACH + 1)
    inner = kernel[:, :, near, :, near, :]
    if scale == 1 or inner.abs().sum() < kernel[:, :, 1:-1, :, 1:-1, :].abs().sum():
        return None
    # A cell answers to an impulse in its neighbour on the other side of the kernel's middle.
    weight = inner.flip(2, 4).permute(1, 3, 5, 0, 2, 4)
    convolution = nn.Conv2d(channels, colours * scale**2, 2 * _REACH + 1, padding=_REACH)
    convolution.weight.data = weight.reshape(convolution.weight.shape).float()
    convolution.bias.data = bias.reshape(-1).float()  # type: ignore[union-attr]
    convolution.to(first.weight.device)
    return FoldedLayers(layers, convolution, scale)
