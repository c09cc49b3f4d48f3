"""The denoiser: a small conditional UNet with its text encoder, noise schedule and loss."""

import torch
import torch.nn.functional as F  # noqa: N812 (torch's own idiom)
from diffusers import DDIMScheduler, UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel

from momalisa.atelier.recipe import Recipe


def build_unet(recipe: Recipe) -> UNet2DConditionModel:
    """Build a UNet with fresh weights and with attention at all levels but the finest."""
    widths = recipe.unet_widths
    deeper = len(widths) - 1
    return UNet2DConditionModel(
        sample_size=recipe.cells,
        in_channels=recipe.latent_channels,
        out_channels=recipe.latent_channels,
        block_out_channels=widths,
        layers_per_block=recipe.unet_layers,
        down_block_types=("DownBlock2D",) + ("CrossAttnDownBlock2D",) * deeper,
        up_block_types=("CrossAttnUpBlock2D",) * deeper + ("UpBlock2D",),
        attention_head_dim=recipe.unet_heads,
        cross_attention_dim=recipe.text_width,
        norm_num_groups=16,
        use_linear_projection=True,
    )


def build_scheduler() -> DDIMScheduler:
    """The noise schedule of training and sampling: linear, to zero SNR, with v-prediction.

    A canvas's colours are large, even areas: over 16 × 16 cells, averaging makes the noise 16
    times smaller relative to them, so a cosine schedule decides the colours in the first few
    percent of its steps. This schedule spends a third of its times there (Hoogeboom et al.,
    Simple Diffusion, 2023, section 3.1, shift the schedule for the same reason).
    """
    return DDIMScheduler(
        beta_schedule="linear",
        beta_end=0.012,
        rescale_betas_zero_snr=True,
        prediction_type="v_prediction",
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
    )


class Denoiser(nn.Module):
    """UNet and text encoder in one module, for one optimiser and one moving average."""

    def __init__(self, unet: UNet2DConditionModel, text_encoder: CLIPTextModel) -> None:
        super().__init__()
        self.unet = unet
        self.text_encoder = text_encoder

    def forward(self, noisy: Tensor, times: Tensor, tokens: Tensor) -> Tensor:
        """Predict v (n, c, h, w) of noisy latents at `times` (n); `tokens` are (n, length)."""
        conditioning = self.text_encoder(tokens).last_hidden_state
        return self.unet(noisy, times, conditioning, return_dict=False)[0]  # type: ignore[no-any-return]


def denoising_losses(
    model: Denoiser,
    scheduler: DDIMScheduler,
    latents: Tensor,
    noise: Tensor,
    times: Tensor,
    tokens: Tensor,
) -> Tensor:
    """The mean squared error (n) of the predicted v of each canvas."""
    device = next(model.parameters()).device
    latents, noise, times, tokens = (x.to(device) for x in (latents, noise, times, tokens))
    noisy = scheduler.add_noise(latents, noise, times)
    target = scheduler.get_velocity(latents, noise, times)
    with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
        predicted = model(noisy, times, tokens)
    return F.mse_loss(predicted.float(), target, reduction="none").mean((1, 2, 3))
