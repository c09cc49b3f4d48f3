"""Batched, guided denoising over any callable model."""

import copy
import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

Denoiser = Callable[[Tensor, Tensor, Tensor], Tensor]
"""(latents (n, c, h, w), time (), words (n, tokens, width)) -> prediction like the latents."""


class Scheduler(Protocol):
    """What denoising needs of a diffusers scheduler."""

    timesteps: Tensor
    init_noise_sigma: Any

    def set_timesteps(self, num_inference_steps: int, *, device: torch.device) -> None:
        """Choose the times of a run."""

    def scale_model_input(self, sample: Tensor, timestep: Tensor) -> Tensor:
        """Bring latents to the scale that the model expects at a time."""

    def step(self, model_output: Tensor, timestep: Tensor, sample: Tensor, **extra: Any) -> Any:
        """Go one step from a prediction."""


class Denoised(NamedTuple):
    """Clean latents (n, c, h, w), and how many rows went through the model for them."""

    latents: Tensor
    samples: int


@torch.no_grad()
def denoise(
    model: Denoiser,
    scheduler: Scheduler,
    noise: Tensor,
    words: Tensor,
    silence: Tensor | None,
    *,
    steps: int,
    guidance: float,
    generators: Sequence[torch.Generator] | None = None,
) -> Denoised:
    """Clean latents (n, c, h, w) from `noise` of that shape and unit variance.

    `words` (n, tokens, width) condition each sample. With `silence` (tokens, width) each step
    follows classifier-free guidance (Ho & Salimans 2022): uncond + guidance * (cond - uncond),
    two model samples a frame. `generators`, one a sample, feed schedulers that draw noise of
    their own. The scheduler is copied: multistep solvers keep a history that is one batch's own.
    """
    scheduler = copy.deepcopy(scheduler)
    scheduler.set_timesteps(steps, device=noise.device)
    draws = generators and "generator" in inspect.signature(scheduler.step).parameters
    extra: dict[str, Any] = {"generator": list(generators or ())} if draws else {}
    if silence is not None:
        words = torch.cat([silence.expand_as(words), words])
    latents, samples = noise * scheduler.init_noise_sigma, 0
    for time in scheduler.timesteps:
        doubled = latents if silence is None else torch.cat([latents, latents])
        prediction = model(scheduler.scale_model_input(doubled, time), time, words)
        samples += len(doubled)
        if silence is not None:
            unconditional, conditional = prediction.chunk(2)
            prediction = unconditional + guidance * (conditional - unconditional)
        latents = scheduler.step(prediction, time, latents, **extra, return_dict=False)[0]
    return Denoised(latents, samples)
