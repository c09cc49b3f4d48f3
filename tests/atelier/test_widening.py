"""Networks that grow: more latent channels and layers, the same predictions at first."""

from dataclasses import replace

import pytest
import torch

from momalisa.atelier.autoencoder import (
    build_autoencoder,
    fit_encoder,
    initialise_decoder,
    patch_map,
)
from momalisa.atelier.canvases import paint_batch
from momalisa.atelier.denoiser import build_unet
from momalisa.atelier.text import build_text_encoder, train_tokenizer
from momalisa.atelier.widening import (
    deepen_text_encoder,
    deepen_unet,
    widen_autoencoder,
    widen_unet,
)
from tests.atelier.test_training import RECIPE


def test_widened_autoencoder_keeps_channels_and_pictures() -> None:
    torch.manual_seed(0)
    images, _ = paint_batch(range(24), RECIPE.size)
    autoencoder = build_autoencoder(RECIPE)
    fit_encoder(autoencoder, images)
    initialise_decoder(autoencoder, images, patch_map(autoencoder, RECIPE))
    wide_recipe = replace(RECIPE, latent_channels=12)
    wide = widen_autoencoder(autoencoder, wide_recipe, images)
    latents = patch_map(autoencoder, RECIPE)(images)
    wide_latents = patch_map(wide, wide_recipe)(images)
    torch.testing.assert_close(wide_latents[:, :8], latents, atol=1e-4, rtol=1e-4)
    spread = wide_latents.std(dim=(0, 2, 3))
    assert (spread[8:] > 0).all()
    assert spread[8:].max() < latents.std(dim=(0, 2, 3)).min() * 1.01
    torch.testing.assert_close(
        wide.decoder(wide_latents), autoencoder.decoder(latents), atol=1e-4, rtol=1e-4
    )


def test_widened_unet_predicts_the_same_in_the_channels_it_had() -> None:
    torch.manual_seed(0)
    unet = build_unet(RECIPE)
    wide = widen_unet(unet, replace(RECIPE, latent_channels=12))
    noisy, times = torch.randn(2, 12, 16, 16), torch.tensor([10, 900])
    conditions = torch.randn(2, RECIPE.tokens, RECIPE.text_width)
    with torch.no_grad():
        narrow = unet(noisy[:, :8], times, conditions, return_dict=False)[0]
        both = wide(noisy, times, conditions, return_dict=False)[0]
    torch.testing.assert_close(both[:, :8], narrow)
    assert not both[:, 8:].any()


@pytest.mark.parametrize(("layers", "deeper"), [(1, 2), (2, 4)])
def test_deepened_unet_predicts_the_same_at_first(layers: int, deeper: int) -> None:
    torch.manual_seed(0)
    recipe = replace(RECIPE, unet_layers=layers)
    unet = build_unet(recipe)
    deep = deepen_unet(unet, replace(recipe, unet_layers=deeper))
    inputs = torch.randn(2, 8, 16, 16), torch.tensor([10, 900])
    conditions = torch.randn(2, RECIPE.tokens, RECIPE.text_width)
    with torch.no_grad():
        shallow, same = (m(*inputs, conditions, return_dict=False)[0] for m in (unet, deep))
    torch.testing.assert_close(same, shallow, atol=1e-5, rtol=1e-4)
    assert sum(p.numel() for p in deep.parameters()) > sum(p.numel() for p in unet.parameters())


def test_deepened_text_encoder_understands_the_same_at_first() -> None:
    torch.manual_seed(0)
    tokenizer = train_tokenizer(["a red square", "a blue circle"], RECIPE)
    encoder = build_text_encoder(tokenizer, RECIPE).eval()
    deep = deepen_text_encoder(encoder, 3).eval()
    tokens = torch.randint(0, 300, (2, RECIPE.tokens))
    with torch.no_grad():
        shallow, same = (m(tokens).last_hidden_state for m in (encoder, deep))
    torch.testing.assert_close(same, shallow)
    assert deep.config.num_hidden_layers == 3
    assert encoder.config.num_hidden_layers == RECIPE.text_layers
