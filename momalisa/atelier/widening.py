"""Adds latent channels and layers to trained networks, without changing what they have learned.

The encoder's principal directions are nested, so a wider encoder keeps the narrow one's channels
as its first ones. All new weights that read or write the added channels start at zero, and an
added layer starts as the identity (as in Net2Net: Chen et al., 2015).
"""

import copy
import re
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own idiom)
from diffusers import AutoencoderTiny, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel

from momalisa.atelier.autoencoder import build_autoencoder, principal_directions
from momalisa.atelier.denoiser import build_unet
from momalisa.atelier.recipe import Recipe

PART = 16
"""Pictures encoded at a time: at full resolution their features take 17 MB each."""


@torch.no_grad()
def widen_autoencoder(model: AutoencoderTiny, recipe: Recipe, images: Tensor) -> AutoencoderTiny:
    """A copy with the recipe's number of latent channels, its first ones those of `model`.

    The added channels are the next principal components of `images` (n, 3, h, w) in [0, 1], the
    set that `model` was fitted to, at the same scale. The decoder ignores them at first.
    """
    wide = build_autoencoder(recipe)
    *features, last = model.encoder.layers
    narrow = last.out_channels
    for old, new in zip(features, wide.encoder.layers, strict=False):
        new.load_state_dict(old.state_dict())
    linear = nn.Sequential(*features)
    parts = (images[first : first + PART] for first in range(0, len(images), PART))
    cells = torch.cat([linear(part) for part in parts])
    basis, variance = principal_directions(cells, recipe.latent_channels)
    rows = basis * variance.pow(-0.25)[:, None]
    kept = last.weight[:, :, 1, 1]
    rows *= (kept.norm() / rows[:narrow].norm()).item()
    new_last = wide.encoder.layers[-1]
    nn.init.zeros_(new_last.weight)
    nn.init.zeros_(new_last.bias)
    new_last.weight[:, :, 1, 1] = torch.cat([kept, rows[narrow:]])
    new_last.bias[:narrow] = last.bias
    _copy_padded(model.decoder, wide.decoder)
    return wide


@torch.no_grad()
def widen_unet(model: UNet2DConditionModel, recipe: Recipe) -> UNet2DConditionModel:
    """A copy with the recipe's number of latent channels, of which it predicts 0 for the new."""
    wide = build_unet(recipe)
    _copy_padded(model, wide)
    return wide


@torch.no_grad()
def deepen_unet(model: UNet2DConditionModel, recipe: Recipe) -> UNet2DConditionModel:
    """A copy with the recipe's number of layers a level, which predicts the same at first.

    On the way down the added layers follow the old ones; on the way up they come after the first,
    since each reads the output of its counterpart on the way down, in reverse order.
    """
    deep = build_unet(recipe)
    added = recipe.unet_layers - model.config.layers_per_block
    fresh = deep.state_dict()
    weights = {_deeper_name(name, added): value for name, value in model.state_dict().items()}
    deep.load_state_dict(fresh | weights)
    down: list[tuple[Any, range]] = [(block, range(-added, 0)) for block in deep.down_blocks]
    up: list[tuple[Any, range]] = [(block, range(1, 1 + added)) for block in deep.up_blocks]
    for block, layers in down + up:
        for layer in layers:
            _make_identity(block.resnets[layer])
            if getattr(block, "has_cross_attention", False):
                nn.init.zeros_(block.attentions[layer].proj_out.weight)
                nn.init.zeros_(block.attentions[layer].proj_out.bias)
    return deep


@torch.no_grad()
def deepen_text_encoder(model: CLIPTextModel, layers: int) -> CLIPTextModel:
    """A copy with that many layers, of which the added last ones pass on their input at first."""
    config = copy.deepcopy(model.config)
    first, config.num_hidden_layers = config.num_hidden_layers, layers
    deep = CLIPTextModel(config).to(model.dtype)
    deep.load_state_dict(deep.state_dict() | model.state_dict())
    for name, value in deep.named_parameters():
        match = re.search(r"layers\.(\d+)\.(?:self_attn\.out_proj|mlp\.fc2)\.", name)
        if match and int(match[1]) >= first:
            nn.init.zeros_(value)
    return deep


def _deeper_name(name: str, added: int) -> str:
    """The name of a weight in a UNet with `added` more layers a level."""
    match = re.fullmatch(r"(up_blocks\.\d+\.(?:resnets|attentions)\.)([1-9]\d*)(\..*)", name)
    return f"{match[1]}{int(match[2]) + added}{match[3]}" if match else name


def _make_identity(block: Any) -> None:
    """Let a residual block pass on its input; with a skip connection, the part before it."""
    nn.init.zeros_(block.conv2.weight)
    nn.init.zeros_(block.conv2.bias)
    if block.conv_shortcut is not None:
        nn.init.zeros_(block.conv_shortcut.weight)
        nn.init.zeros_(block.conv_shortcut.bias)
        out = block.conv_shortcut.out_channels
        block.conv_shortcut.weight[:, :out, 0, 0] = torch.eye(out)


def _copy_padded(source: nn.Module, target: nn.Module) -> None:
    """Copy all weights; where the target's are larger, the rest is zero."""
    weights = target.state_dict()
    for name, value in source.state_dict().items():
        sizes = zip(value.shape, weights[name].shape, strict=True)
        # From the last dimension to the first, as `pad` wants them.
        padding = [n for old, new in reversed(list(sizes)) for n in (0, new - old)]
        weights[name] = F.pad(value, padding)
    target.load_state_dict(weights)
