"""Adapter of Sana-Sprint (`SanaSprintPipeline`): Sana distilled to one to four steps.

It reads the guidance as an input. Its scheduler's time is an angle from noise to picture, and its
latents have the scheduler's deviation; the transformer was trained on a flow's time (Chen et al.
2025, "SANA-Sprint", section 3.1).
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import torch
from diffusers import SanaSprintPipeline
from torch import Tensor

from momalisa.engine.conditioning import Conditioning
from momalisa.engine.sampling import Sampler, SamplingState
from momalisa.models.sana import Sana

SECOND_TIME = 1.3
"""The angle of the second of two steps in the stock pipeline."""


@dataclass(frozen=True)
class _AngleSampler(Sampler):
    """Starts from noise of the scheduler's deviation; its last time is where the picture is."""

    def start(self, noise: Tensor) -> SamplingState:
        state = super().start(noise * self.scheduler.config.sigma_data)
        return replace(state, steps=self.steps)


class SanaSprint(Sana):
    """A `SanaSprintPipeline`."""

    pipeline_class: ClassVar[Any] = SanaSprintPipeline

    @property
    def guidance(self) -> Literal["cfg", "embedded", "none"]:
        """An input of the transformer."""
        return "embedded"

    def sampler(self, steps: int, width: int, height: int) -> Sampler:
        """The checkpoint's own scheduler for that many steps."""
        second = SECOND_TIME if steps == 2 else None
        return _AngleSampler(
            self.pipeline.scheduler, steps, options={"intermediate_timesteps": second}
        )

    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        """The direction of the angle for latents (n, c, h, w) at a time ()."""
        transformer, deviation = self.pipeline.transformer, self._deviation
        flow = torch.sin(time) / (torch.cos(time) + torch.sin(time))
        length = torch.sqrt(flow**2 + (1 - flow) ** 2)
        scaled = latents / deviation * length
        velocity: Tensor = transformer(
            scaled.to(self.dtype),
            encoder_hidden_states=conditioning.tokens,
            encoder_attention_mask=conditioning.mask,
            guidance=conditioning.extra["guidance"] * transformer.config.guidance_embeds_scale,
            timestep=flow.expand(len(latents)),
            return_dict=False,
        )[0]
        direction = (1 - 2 * flow) * scaled + (1 - 2 * flow + 2 * flow**2) * velocity
        return (direction / length).to(latents.dtype) * deviation

    @property
    def _deviation(self) -> float:
        return float(self.pipeline.scheduler.config.sigma_data)

    def _latent_scale(self, like: Tensor) -> tuple[Any, Any]:
        factor, offset = super()._latent_scale(like)
        return factor * self._deviation, offset


load = SanaSprint.load
