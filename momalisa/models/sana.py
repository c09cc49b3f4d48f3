"""Adapter of Sana (`SanaPipeline`).

An autoencoder with cells of 32 pixels, and a language model that reads a prompt after an
instruction, but a negative prompt as it is.
"""

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from diffusers import SanaPipeline
from torch import Tensor

from momalisa.engine.conditioning import Conditioning, concatenate
from momalisa.models.diffusers_pipeline import DiffusersPipeline

TOKENS = 300
"""How much of a prompt the stock pipeline reads, with its first and last token."""


class Sana(DiffusersPipeline):
    """A `SanaPipeline`."""

    pipeline_class: ClassVar[Any] = SanaPipeline
    half: ClassVar[torch.dtype] = torch.bfloat16

    @property
    def room(self) -> int:
        """How many tokens of a prompt the text encoder reads."""
        return TOKENS - 2

    @torch.no_grad()
    def encode(self, prompts: Sequence[str], width: int, height: int) -> Conditioning:
        """Conditions of n prompts in fp32: the last tokens after the instruction, and a mask."""
        call = inspect.signature(self.pipeline_class.__call__)
        instruction = call.parameters["complex_human_instruction"].default
        return concatenate([self._encode_after(prompt, instruction) for prompt in prompts])

    @torch.no_grad()
    def encode_negative(self, prompt: str, width: int, height: int) -> Conditioning:
        """Conditions of a negative prompt, without the instruction."""
        return self._encode_after(prompt, None)

    def _encode_after(self, prompt: str, instruction: list[str] | None) -> Conditioning:
        guided = {"do_classifier_free_guidance": False} if self.guidance == "cfg" else {}
        tokens, mask, *_ = self.pipeline.encode_prompt(
            prompt,
            device=self.device,
            max_sequence_length=TOKENS,
            complex_human_instruction=instruction,
            **guided,
        )
        return Conditioning(tokens.float(), mask=mask)

    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        """The transformer's prediction for latents (n, c, h, w) at a time ()."""
        transformer = self.pipeline.transformer
        predicted: Tensor = transformer(
            latents,
            encoder_hidden_states=conditioning.tokens,
            encoder_attention_mask=conditioning.mask,
            timestep=time.expand(len(latents)) * transformer.config.timestep_scale,
            return_dict=False,
        )[0]
        return predicted[:, : latents.shape[1]]


load = Sana.load
