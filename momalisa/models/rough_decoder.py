"""Decodes rough pictures with a small decoder, where a model has one.

It is in the model's own folder, as `preview_decoder`, or it is the tiny autoencoder of the model's
family, if that was downloaded.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from torch import Tensor

from momalisa.engine.frame_cache import Frame
from momalisa.errors import ModelBroken
from momalisa.models.component_check import check_layers, read_config, refuse_code
from momalisa.models.diffusers_pipeline import DiffusersPipeline, to_frames
from momalisa.models.folded_layers import fold_last_layers
from momalisa.models.hub_cache import CONFIG, downloaded
from momalisa.models.weights import weight_files

PREVIEW_DECODER = "preview_decoder"
"""The folder in a model's that holds an `AutoencoderTiny` for previews."""
LOAD_ERRORS = (
    *(OSError, ValueError, LookupError, TypeError, RuntimeError, AttributeError, ArithmeticError),
    ModelBroken,
)
"""What the library raises at files that are missing or damaged."""
CELLS = 4
"""Cells of the side of the latents with which a decoder is tried."""


def find_rough_decoder(
    folder: Path, hub_id: str, model: DiffusersPipeline
) -> Callable[[Tensor], list[Frame]] | None:
    """A function that decodes latents (n, c, h, w) roughly; None where there is none that fits.

    `folder` is the model's, `hub_id` names its family's tiny autoencoder. Where the model's own
    autoencoder is tiny, or of another kind than usual, that one is not looked for.
    """
    own = folder / PREVIEW_DECODER
    usual = isinstance(model.pipeline.vae, AutoencoderKL)
    source = own if own.is_dir() else downloaded(hub_id, CONFIG) if hub_id and usual else None
    try:
        tiny = source and _load(source, model)
    except LOAD_ERRORS:
        return None  # pictures are decoded as if it were not there
    return (lambda latents: _decode(tiny, latents)) if tiny else None


def _load(folder: Path, model: DiffusersPipeline) -> Any:
    config = read_config(folder / CONFIG)
    refuse_code(CONFIG, config)
    check_layers(CONFIG, config)
    fits = (
        config.get("_class_name") == "AutoencoderTiny"
        and config.get("latent_channels") == model.latent_channels
        and 2 ** (len(config.get("decoder_block_out_channels", ())) - 1) == model.latent_factor
        # A larger factor would take memory by its fourth power, before the size is seen.
        and config.get("upsampling_scaling_factor", 2) == 2
        and weight_files(folder)
    )
    if not fits:
        return None
    tiny = AutoencoderTiny.from_pretrained(
        folder, torch_dtype=model.dtype, local_files_only=True, use_safetensors=True
    )
    fold_last_layers(tiny.decoder)
    tiny.to(model.device, memory_format=model.autoencoder_layout)
    return tiny if _makes_frames(tiny, model) else None


@torch.no_grad()
def _makes_frames(tiny: Any, model: DiffusersPipeline) -> bool:
    """Whether a decoder makes coloured pictures of the model's size, of numbers."""
    cells = torch.zeros(1, model.latent_channels, CELLS, CELLS, device=model.device)
    picture = tiny.decode(cells.to(tiny.dtype), return_dict=False)[0]
    side = CELLS * model.latent_factor
    return picture.shape == (1, 3, side, side) and bool(picture.isfinite().all())


@torch.no_grad()
def _decode(tiny: Any, latents: Tensor) -> list[Frame]:
    """Frames (height, width, 3): it was trained on latents as they are sampled."""
    return to_frames(tiny.decode(latents.to(tiny.dtype), return_dict=False)[0])
