"""The last layers of a tiny decoder, computed as one: the same pictures, in less time."""

from copy import deepcopy
from typing import Any

import pytest
import torch
from diffusers import AutoencoderTiny
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from momalisa.models.folded_layers import FoldedLayers, fold_last_layers
from momalisa.models.registry import load

CHANNELS = 4
ROUNDING = 1e-4
"""Of numbers in [-1, 1]: a hundredth of what two levels of 255 are apart."""
sizes = pytest.mark.parametrize("size", [(16, 16), (5, 9), (4, 4), (3, 8), (1, 1)])
blocks = pytest.mark.parametrize("blocks", [(1, 0), (2, 1, 0), (1, 0, 0)])


def new_decoder(blocks: tuple[int, ...], dtype: torch.dtype = torch.float32) -> Any:
    """A decoder with random weights, which has no blocks where it says 0."""
    torch.manual_seed(0)
    widths = (8,) * len(blocks)
    tiny = AutoencoderTiny(
        latent_channels=CHANNELS,
        encoder_block_out_channels=widths,
        decoder_block_out_channels=widths,
        num_encoder_blocks=(0,) * len(blocks),
        num_decoder_blocks=blocks,
    )
    return tiny.to(dtype).decoder


def folded(decoder: Any) -> Any:
    """A copy of the decoder, folded."""
    copy = deepcopy(decoder)
    fold_last_layers(copy)
    return copy


def operations(decoder: Any) -> int:
    """The operations of a picture of 64 × 64 cells."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        decoder(torch.zeros(1, CHANNELS, 64, 64))
    return int(counter.get_total_flops())


@sizes
@blocks
def test_pictures_are_the_same_to_their_very_edge(
    blocks: tuple[int, ...], size: tuple[int, int]
) -> None:
    decoder, cells = new_decoder(blocks), torch.randn(2, CHANNELS, *size)
    with torch.no_grad():
        torch.testing.assert_close(folded(decoder)(cells), decoder(cells), rtol=0.0, atol=ROUNDING)


@blocks
def test_there_is_less_to_compute(blocks: tuple[int, ...]) -> None:
    decoder = new_decoder(blocks)
    assert operations(folded(decoder)) < 0.8 * operations(decoder)


@pytest.mark.parametrize(
    "decoder", [new_decoder((1, 1)), new_decoder((1, 0), torch.float16)], ids=["blocks", "half"]
)
def test_a_decoder_stays_as_it_is_where_nothing_is_to_be_gained(decoder: Any) -> None:
    # In half precision, rounding would show.
    layers = list(decoder.layers)
    fold_last_layers(decoder)
    assert list(decoder.layers) == layers


def test_both_decoders_of_the_shipped_model_are_folded() -> None:
    runner = load("atelier", "cpu")
    vae: nn.Module = runner.model.pipeline.vae  # type: ignore[attr-defined]
    assert any(isinstance(layer, FoldedLayers) for layer in vae.modules())
    cells = torch.randn(1, 32, 16, 16)
    with FlopCounterMode(display=False) as counter:
        runner.decode(cells, rough=True)
    assert counter.get_total_flops() < 0.8e9
