"""Adapter of FLUX.1 schnell and dev (`FluxPipeline`).

Latents are packed, 2 × 2 cells a token; the ids of tokens are their places; dev reads the guidance
as an input ("embedded"), schnell reads none and needs four steps.
"""

from dataclasses import replace
from typing import Any, ClassVar, Literal

import torch
from diffusers import FluxPipeline
from torch import Tensor
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from momalisa.engine.conditioning import Conditioning
from momalisa.models.transformer_pipeline import TransformerPipeline
from momalisa.models.word_weighing import weigh_words
from momalisa.prompt_weights import WeightedPrompt

PATCH = 2
"""Latent cells of a token's side."""
TOKENS = 512
"""How much of a prompt the stock pipeline lets T5 read."""


class Flux(TransformerPipeline):
    """A `FluxPipeline`."""

    pipeline_class: ClassVar[Any] = FluxPipeline
    reader: ClassVar[str] = "tokenizer_2"
    weighs: ClassVar[bool] = True

    @property
    def room(self) -> int:
        """How many tokens of a prompt T5 reads."""
        return TOKENS - 1

    @property
    def guidance(self) -> Literal["cfg", "embedded", "none"]:
        """Embedded where the transformer reads it."""
        return "embedded" if self.pipeline.transformer.config.guidance_embeds else "none"

    @property
    def latent_channels(self) -> int:
        """Channels of the latents before they are packed."""
        return int(self.pipeline.transformer.config.in_channels) // PATCH**2

    def _encode(self, prompt: str) -> Conditioning:
        tokens, pooled, _ = self.pipeline.encode_prompt(
            prompt, None, device=self.device, max_sequence_length=TOKENS
        )
        return Conditioning(tokens.float(), pooled.float())

    @torch.no_grad()
    def encode_weighted(
        self, prompt: WeightedPrompt, width: int, height: int, *, negative: bool = False
    ) -> Conditioning:
        """Conditions of a prompt whose words differ in weight for T5; for CLIP they do not."""
        tokens = weigh_words(prompt, self.pipeline, self.device, number=2, length=TOKENS)
        return replace(self._encode(prompt.text), tokens=tokens)

    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        """The transformer's velocity for latents (n, c, h, w) at a time ()."""
        packed, places = pack(latents)
        velocity: Tensor = self.pipeline.transformer(
            hidden_states=packed,
            timestep=time.expand(len(latents)).to(latents.dtype) / 1000,
            guidance=conditioning.extra.get("guidance"),
            pooled_projections=conditioning.pooled,
            encoder_hidden_states=conditioning.tokens,
            txt_ids=latents.new_zeros(conditioning.tokens.shape[1], 3),
            img_ids=places,
            return_dict=False,
        )[0]
        return unpack(velocity, latents)


def pack(latents: Tensor) -> tuple[Tensor, Tensor]:
    """Latents (n, c, h, w) as tokens (n, h w / 4, 4 c), and the tokens' places: 0, row, column."""
    cells = pixel_unshuffle(latents, PATCH)
    rows, columns = (torch.arange(side) for side in cells.shape[-2:])
    places = torch.cartesian_prod(torch.zeros(1, dtype=torch.long), rows, columns)
    return cells.flatten(2).transpose(1, 2), places.to(latents)


def unpack(tokens: Tensor, like: Tensor) -> Tensor:
    """Tokens as latents of a shape (n, c, h, w): the inverse of `pack`."""
    count, _, height, width = like.shape
    cells = tokens.transpose(1, 2).reshape(count, -1, height // PATCH, width // PATCH)
    return pixel_shuffle(cells, PATCH)


load = Flux.load
