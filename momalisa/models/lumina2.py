"""Adapter of Lumina Image 2 (`Lumina2Pipeline`).

A language model reads a prompt after a system prompt, but a negative prompt as it is. The
transformer's time runs from noise to picture, and it predicts the negated velocity. Guided
predictions keep the norm of unguided ones, row by row of latent cells, as in the stock pipeline.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from diffusers import Lumina2Pipeline
from torch import Tensor

from momalisa.engine.conditioning import Conditioning, concatenate
from momalisa.models.transformer_pipeline import TransformerPipeline

TOKENS = 256
"""How much of a prompt and of the system prompt the stock pipeline reads."""


class Lumina2(TransformerPipeline):
    """A `Lumina2Pipeline`."""

    pipeline_class: ClassVar[Any] = Lumina2Pipeline

    @property
    def room(self) -> int:
        """How many tokens of a prompt the text encoder reads besides the system prompt."""
        mask = self.encode([""], 0, 0).mask
        assert mask is not None
        return TOKENS - int(mask.sum())

    @torch.no_grad()
    def encode(self, prompts: Sequence[str], width: int, height: int) -> Conditioning:
        """Conditions of n prompts in fp32: tokens, and which of them count."""
        return concatenate([self._encode_both(prompt)[0] for prompt in prompts])

    @torch.no_grad()
    def encode_negative(self, prompt: str, width: int, height: int) -> Conditioning:
        """Conditions of a negative prompt, without the system prompt."""
        return self._encode_both("", prompt)[1]

    def _encode_both(self, prompt: str, negative: str = "") -> tuple[Conditioning, Conditioning]:
        tokens, mask, negative_tokens, negative_mask = self.pipeline.encode_prompt(
            prompt, negative_prompt=[negative], device=self.device, max_sequence_length=TOKENS
        )
        return (
            Conditioning(tokens.float(), mask=mask),
            Conditioning(negative_tokens.float(), mask=negative_mask),
        )

    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        """The transformer's velocity for latents (n, c, h, w) at a time ()."""
        levels = self.pipeline.scheduler.config.num_train_timesteps
        velocity: Tensor = self.pipeline.transformer(
            hidden_states=latents,
            timestep=(1 - time / levels).expand(len(latents)),
            encoder_hidden_states=conditioning.tokens,
            encoder_attention_mask=conditioning.mask,
            return_dict=False,
        )[0]
        return -velocity

    def normalise_guided(self, guided: Tensor, conditional: Tensor) -> Tensor:
        """The guided prediction with the norms that the conditional one has."""
        wanted, found = (x.norm(dim=-1, keepdim=True) for x in (conditional, guided))
        factor: Tensor = wanted / found
        return guided * factor

    def _shift(self, tokens: int) -> float:
        """As in the stock pipeline, which counts channels where others count tokens."""
        return super()._shift(self.latent_channels)


load = Lumina2.load
