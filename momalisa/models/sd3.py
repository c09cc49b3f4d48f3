"""Adapter of Stable Diffusion 3 and 3.5, medium, large and turbo (`StableDiffusion3Pipeline`).

Three text encoders, of which the largest (T5) may be missing; 16 latent channels with an offset;
trained by flow matching (Esser et al. 2024).
"""

from typing import Any, ClassVar

import torch
from diffusers import StableDiffusion3Pipeline
from torch import Tensor

from momalisa.engine.conditioning import Conditioning
from momalisa.models.transformer_pipeline import TransformerPipeline

TOKENS = 256
"""How much of a prompt the stock pipeline lets T5 read."""


class StableDiffusion3(TransformerPipeline):
    """A `StableDiffusion3Pipeline`."""

    pipeline_class: ClassVar[Any] = StableDiffusion3Pipeline
    optional_parts: ClassVar[tuple[str, ...]] = ("text_encoder_3", "tokenizer_3")
    half: ClassVar[torch.dtype] = torch.float16
    largest_shift: ClassVar[float] = 1.16
    even_sigmas: ClassVar[bool] = False

    @property
    def reader(self) -> str:  # type: ignore[override]
        """T5's tokenizer, where there is one."""
        return "tokenizer_3" if self.pipeline.text_encoder_3 is not None else "tokenizer"

    @property
    def room(self) -> int:
        """How many tokens of a prompt the longest text encoder reads."""
        return TOKENS - 1 if self.pipeline.text_encoder_3 is not None else super().room

    def _encode(self, prompt: str) -> Conditioning:
        tokens, _, pooled, _ = self.pipeline.encode_prompt(
            prompt, None, None, device=self.device, do_classifier_free_guidance=False
        )
        return Conditioning(tokens.float(), pooled.float())

    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        """The transformer's velocity for latents (n, c, h, w) at a time ()."""
        velocity: Tensor = self.pipeline.transformer(
            hidden_states=latents,
            timestep=time.expand(len(latents)),
            encoder_hidden_states=conditioning.tokens,
            pooled_projections=conditioning.pooled,
            return_dict=False,
        )[0]
        return velocity


load = StableDiffusion3.load
