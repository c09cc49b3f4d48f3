"""Adapter of PRX (`PRXPipeline`), of which small checkpoints at 256 pixels suit laptops.

T5Gemma reads a prompt that the stock pipeline cleans before: it takes out links, most punctuation
and Chinese characters.
"""

import importlib
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from diffusers import PRXPipeline
from diffusers.pipelines.prx import T5GemmaEncoder
from torch import Tensor

from momalisa.engine.conditioning import Conditioning
from momalisa.models.transformer_pipeline import TransformerPipeline


class PRX(TransformerPipeline):
    """A `PRXPipeline`."""

    pipeline_class: ClassVar[Any] = PRXPipeline
    even_sigmas: ClassVar[bool] = False

    @classmethod
    def load(
        cls, name: str, folder: Path, device: torch.device, digest: str, *, pixels: int
    ) -> Self:
        """Load a folder from disk, as `DiffusersPipeline.load` does."""
        # Checkpoints name the class as of transformers, where diffusers puts it; but that module
        # may have been exchanged for another since.
        importlib.import_module("transformers").T5GemmaEncoder = T5GemmaEncoder  # type: ignore[attr-defined]
        return super().load(name, folder, device, digest, pixels=pixels)

    @property
    def room(self) -> int:
        """How many tokens of a prompt the text encoder reads."""
        return int(self.pipeline.tokenizer.model_max_length) - 1

    def _encode(self, prompt: str) -> Conditioning:
        tokens, mask, _, _ = self.pipeline.encode_prompt(
            prompt, self.device, do_classifier_free_guidance=False
        )
        return Conditioning(tokens.float(), mask=mask)

    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        """The transformer's velocity for latents (n, c, h, w) at a time ()."""
        levels = self.pipeline.scheduler.config.num_train_timesteps
        velocity: Tensor = self.pipeline.transformer(
            hidden_states=latents,
            timestep=(time.float() / levels).expand(len(latents)),
            encoder_hidden_states=conditioning.tokens,
            attention_mask=conditioning.mask,
            return_dict=False,
        )[0]
        return velocity


load = PRX.load
