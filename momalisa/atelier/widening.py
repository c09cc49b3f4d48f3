"""Adds latent channels to a trained autoencoder and UNet, without changing what they have learned.

The encoder's principal directions are nested, so a wider encoder keeps the narrow one's channels
as its first ones. All new weights that read or write the added channels start at zero.
"""

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own idiom)
from diffusers import AutoencoderTiny, UNet2DConditionModel
from torch import Tensor, nn

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


def _copy_padded(source: nn.Module, target: nn.Module) -> None:
    """Copy all weights; where the target's are larger, the rest is zero."""
    weights = target.state_dict()
    for name, value in source.state_dict().items():
        sizes = zip(value.shape, weights[name].shape, strict=True)
        # From the last dimension to the first, as `pad` wants them.
        padding = [n for old, new in reversed(list(sizes)) for n in (0, new - old)]
        weights[name] = F.pad(value, padding)
    target.load_state_dict(weights)
