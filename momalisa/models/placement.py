"""Puts a pipeline on a device as its plan says, and decodes within the memory that is left."""

from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderTiny

from momalisa.errors import ModelBroken
from momalisa.models.device import measure_device
from momalisa.models.fit import (
    Demand,
    Plan,
    Precision,
    Weights,
    describe_fit,
    is_certainly_too_large,
    plan_decoding,
    plan_fit,
)
from momalisa.models.folder_check import LIST
from momalisa.models.weights import read_weights

DTYPES: dict[Precision, torch.dtype] = {
    "float32": torch.float32,
    "float16": torch.float16,
    "bfloat16": torch.bfloat16,
}
NAMES: dict[torch.dtype, Precision] = {dtype: name for name, dtype in DTYPES.items()}
TILE_SIDE = 512
"""Pixels of a tile's side, at most."""


def make_plan(
    folder: Path, device: torch.device, half: torch.dtype, *, pixels: int, upcasts: bool
) -> Plan:
    """The plan for a checkpoint's folder on a device, for pictures of its own size.

    Raises ModelBroken, with the end of a sentence that begins with the model's name, where its
    weights alone have no place.
    """
    machine = measure_device(device)
    # Where they cannot be read, the loader says what is wrong with them.
    weights = read_weights(folder) or Weights(0, 0)
    demand = Demand(weights, pixels, NAMES[half], upcasts)
    if is_certainly_too_large(demand, machine):
        raise ModelBroken(f"{describe_fit(demand, machine)} What fits: {LIST}")
    return plan_fit(demand, machine)


def place(pipeline: Any, plan: Plan, device: torch.device) -> None:
    """Put a pipeline on a device: whole, in parts, or in groups of layers.

    Where nothing fits by the estimate, but the weights might, the most sparing way is tried.
    """
    on_gpu = device.type == "cuda"
    if plan.placement == "whole" or (not plan.fits and not on_gpu):
        pipeline.to(device)
    elif plan.placement == "parts":
        pipeline.enable_model_cpu_offload(device=device)
    else:
        pipeline.enable_group_offload(
            onload_device=device,
            offload_type="leaf_level",
            use_stream=on_gpu,  # the next layers travel while these compute
            low_cpu_mem_usage=on_gpu,  # pins no second copy of the weights
        )


def limit_decoding(autoencoder: Any, room: int, *, pixels: int, batch: int) -> None:
    """Let an autoencoder work in tiles and slices as far as its memory demands it, from now on.

    `pixels` are those of a picture, `room` is in bytes. Threads that decode parts of one batch come
    to the same tiles.
    """
    tiled, sliced = plan_decoding(room, pixels, batch, autoencoder.dtype.itemsize)
    # Tiny ones need little, and the library's tiles are wrong for other sizes than the usual ones.
    if tiled and not isinstance(autoencoder, AutoencoderTiny):
        autoencoder.enable_tiling()
        _limit_tiles(autoencoder)
    else:
        autoencoder.disable_tiling()
    if sliced:
        autoencoder.enable_slicing()
    else:
        autoencoder.disable_slicing()


def _limit_tiles(autoencoder: Any) -> None:
    """Make tiles smaller where an autoencoder's own are as large as what it was trained on."""
    side = getattr(autoencoder, "tile_sample_min_size", 0)
    if isinstance(side, int) and side > TILE_SIDE:
        autoencoder.tile_latent_min_size = autoencoder.tile_latent_min_size * TILE_SIDE // side
        autoencoder.tile_sample_min_size = TILE_SIDE
