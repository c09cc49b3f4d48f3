"""Validation metrics of the denoiser, which show whether it uses the captions."""

import torch
from diffusers import DDIMScheduler
from torch import Tensor

from momalisa.atelier.denoiser import Denoiser, denoising_losses
from momalisa.atelier.training_data import TrainingData

TIMES = (600, 800, 950)
"""Diffusion times with much noise, of 1000, at which the captions matter most."""
COLUMNS = ("caption_rank", *(f"{kind}@{time}" for time in TIMES for kind in ("true", "shuffled")))


def validate(model: Denoiser, data: TrainingData, scheduler: DDIMScheduler) -> list[float]:
    """The metrics of COLUMNS: `caption_rank`, then `caption_losses`."""
    rank = caption_rank(model, data.tokens[:, 0].long())
    return [rank, *caption_losses(model, data, scheduler)]


@torch.no_grad()
def caption_losses(model: Denoiser, data: TrainingData, scheduler: DDIMScheduler) -> list[float]:
    """The mean loss with true and with shuffled captions, in turn, at each of TIMES.

    If the two do not differ, the captions are not used, and training longer will not help.
    """
    rng = torch.Generator().manual_seed(0)
    latents = data.latents.float()
    noise = torch.randn(latents.shape, generator=rng)
    true = data.tokens[:, 0].long()
    losses = []
    for time in TIMES:
        times = torch.full((len(latents),), time)
        for tokens in (true, true.roll(1, 0)):
            errors = denoising_losses(model, scheduler, latents, noise, times, tokens)
            losses.append(errors.mean().item())
    return losses


@torch.no_grad()
def caption_rank(model: Denoiser, tokens: Tensor) -> float:
    """The share of the caption embeddings' variance in one direction: near 1 when collapsed."""
    device = next(model.parameters()).device
    pooled = model.text_encoder(tokens.to(device)).pooler_output.float()
    values = torch.linalg.svdvals(pooled - pooled.mean(0)).square()
    return float(values[0] / values.sum())
