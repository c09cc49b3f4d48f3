"""Decodes rough previews with a tiny autoencoder, where a family has one and it was downloaded."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from torch import Tensor

from momalisa.engine.frame_cache import Frame
from momalisa.errors import ModelBroken
from momalisa.models.component_check import read_config, refuse_code
from momalisa.models.diffusers_pipeline import DiffusersPipeline, to_frames
from momalisa.models.hub_cache import CONFIG, downloaded
from momalisa.models.weights import weight_files

LOAD_ERRORS = (OSError, ValueError, KeyError, TypeError, RuntimeError, ModelBroken)
"""What the library raises at files that are missing or damaged."""


def find_rough_decoder(
    hub_id: str, model: DiffusersPipeline
) -> Callable[[Tensor], list[Frame]] | None:
    """A function that decodes latents (n, c, h, w) roughly; None where there is none that fits.

    Where the model's own autoencoder is tiny, or of another kind than usual, none is needed.
    """
    folder = downloaded(hub_id, CONFIG) if hub_id else None
    if folder is None or not isinstance(model.pipeline.vae, AutoencoderKL):
        return None
    try:
        tiny = _load(folder, model)
    except LOAD_ERRORS:
        return None  # previews are decoded as if it were not there
    return tiny and (lambda latents: _decode(tiny, latents))


def _load(folder: Path, model: DiffusersPipeline) -> Any:
    config = read_config(folder / CONFIG)
    refuse_code(CONFIG, config)
    fits = (
        config.get("_class_name") == "AutoencoderTiny"
        and config.get("latent_channels") == model.latent_channels
        and len(config.get("decoder_block_out_channels", ())) == 4
        and model.latent_factor == 8
        and weight_files(folder)
    )
    if not fits:
        return None
    return AutoencoderTiny.from_pretrained(
        folder, torch_dtype=model.dtype, local_files_only=True, use_safetensors=True
    ).to(model.device)


@torch.no_grad()
def _decode(tiny: Any, latents: Tensor) -> list[Frame]:
    """Frames (height, width, 3): it was trained on latents as they are sampled."""
    return to_frames(tiny.decode(latents.to(tiny.dtype), return_dict=False)[0])
