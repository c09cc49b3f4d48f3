"""Adapter of Z-Image and Z-Image-Turbo (`ZImagePipeline`).

A chat model reads the prompts, which have as many tokens as they need: texts differ in length. The
transformer's time runs from noise to picture, and it predicts the negated velocity. The stock
pipeline's guidance scale g adds g (pos - neg) to pos: that is this program's guidance g + 1.
"""

from typing import Any, ClassVar

import torch
from diffusers import ZImagePipeline
from torch import Tensor

from momalisa.engine.conditioning import Conditioning
from momalisa.engine.lora_weights import passes_of_one_weight
from momalisa.models.transformer_pipeline import TransformerPipeline

TOKENS = 512
"""How much of a prompt and of the words around it the stock pipeline reads."""


class ZImage(TransformerPipeline):
    """A `ZImagePipeline`."""

    pipeline_class: ClassVar[Any] = ZImagePipeline

    @property
    def room(self) -> int:
        """How many tokens of a prompt the text encoder reads besides those around it."""
        return TOKENS - int(self._encode("").tokens.shape[1])

    @torch.no_grad()
    def _encode(self, prompt: str) -> Conditioning:
        (tokens,), _ = self.pipeline.encode_prompt(
            prompt, self.device, do_classifier_free_guidance=False, max_sequence_length=TOKENS
        )
        return Conditioning(tokens[None].float(), mask=tokens.new_ones(1, len(tokens)).long())

    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        """The transformer's velocity for latents (n, c, h, w) at a time ()."""
        assert conditioning.mask is not None
        rows = zip(conditioning.tokens, conditioning.mask.bool(), strict=True)
        texts = [tokens[counts] for tokens, counts in rows]
        pictures = list(latents.unsqueeze(2))
        times = (1000 - time.expand(len(latents))) / 1000
        predicted: list[Tensor] = []
        for some in passes_of_one_weight(len(latents)):
            predicted += self.pipeline.transformer(
                pictures[some], times[some], texts[some], return_dict=False
            )[0]
        return -torch.stack(predicted).squeeze(2)


load = ZImage.load
