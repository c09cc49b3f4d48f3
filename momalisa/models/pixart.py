"""Adapter of PixArt-Sigma (`PixArtSigmaPipeline`).

A transformer that predicts noise, and beside it a variance that is not used; T5 reads 300 tokens,
of which a mask says which count.
"""

from typing import Any, ClassVar

from diffusers import PixArtSigmaPipeline
from torch import Tensor

from momalisa.engine.conditioning import Conditioning
from momalisa.models.diffusers_pipeline import DiffusersPipeline

TOKENS = 300
"""How much of a prompt the stock pipeline lets T5 read."""


class PixArtSigma(DiffusersPipeline):
    """A `PixArtSigmaPipeline`."""

    pipeline_class: ClassVar[Any] = PixArtSigmaPipeline

    @property
    def room(self) -> int:
        """How many tokens of a prompt T5 reads."""
        return TOKENS - 1

    def _encode(self, prompt: str) -> Conditioning:
        tokens, mask, _, _ = self.pipeline.encode_prompt(
            prompt,
            do_classifier_free_guidance=False,
            device=self.device,
            clean_caption=False,
            max_sequence_length=TOKENS,
        )
        return Conditioning(tokens.float(), mask=mask)

    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        """The transformer's noise for latents (n, c, h, w) at a time ()."""
        predicted: Tensor = self.pipeline.transformer(
            latents,
            encoder_hidden_states=conditioning.tokens,
            encoder_attention_mask=conditioning.mask,
            timestep=time.expand(len(latents)),
            added_cond_kwargs={"resolution": None, "aspect_ratio": None},
            return_dict=False,
        )[0]
        return predicted[:, : latents.shape[1]]


load = PixArtSigma.load
