"""Reads from a checkpoint's configuration for which size of pictures it was made.

Imports no torch.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from momalisa.errors import ModelBroken
from momalisa.models.component_check import read_config
from momalisa.picture_size import LARGEST_SQUARE, SIDE_UNIT, SIZE


def read_network(folder: Path) -> dict[str, Any]:
    """The configuration of a pipeline's network; empty where it cannot be read."""
    return _read_config(folder, "unet/config.json") or _read_config(
        folder, "transformer/config.json"
    )


def read_native_size(
    folder: Path, index: Mapping[str, Any], network: Mapping[str, Any]
) -> int | None:
    """Pixels of a side that a pipeline was trained on.

    `index` is its model_index.json, `network` the configuration of its network.
    None where its configuration does not tell, or tells a size that is not painted here.
    """
    pixels = index.get("default_sample_size")
    if pixels is None:
        cells = network.get("sample_size")
        pixels = cells * _pixels_of_a_cell(folder) if isinstance(cells, int) else 0
    paintable = isinstance(pixels, int) and SIZE[0] <= pixels <= LARGEST_SQUARE
    return pixels if paintable and not pixels % SIDE_UNIT else None


def _pixels_of_a_cell(folder: Path) -> int:
    vae = _read_config(folder, "vae/config.json")
    blocks = vae.get("block_out_channels") or vae.get("encoder_block_out_channels")
    return 2 ** (min(len(blocks), 16) - 1) if isinstance(blocks, list) and blocks else 0


def _read_config(folder: Path, name: str) -> dict[str, Any]:
    try:
        return read_config(f"{folder}/{name}")
    except ModelBroken:
        return {}
