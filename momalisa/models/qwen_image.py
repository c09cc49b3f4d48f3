"""Adapter of Qwen-Image (`QwenImagePipeline`).

A vision-language model reads the prompts, which differ in length; the autoencoder is a film's, so
that its latents have an axis for frames; guided predictions keep the norm of unguided ones.
"""

import threading
from typing import Any, ClassVar

import torch
from diffusers import QwenImagePipeline
from torch import Tensor
from torch.nn.functional import pixel_unshuffle

from momalisa.engine.conditioning import Conditioning
from momalisa.models.flux import pack, unpack
from momalisa.models.transformer_pipeline import TransformerPipeline

TOKENS = 512
"""How much of a prompt the stock pipeline reads."""
_AUTOENCODER = threading.Lock()
"""The autoencoder keeps what it is at in itself: one thread at a time."""


class QwenImage(TransformerPipeline):
    """A `QwenImagePipeline`."""

    pipeline_class: ClassVar[Any] = QwenImagePipeline
    autoencoder_layout: ClassVar[torch.memory_format] = torch.contiguous_format

    @property
    def room(self) -> int:
        """How many tokens of a prompt the text encoder reads besides those after it."""
        return TOKENS - int(self._encode("").tokens.shape[1])

    @property
    def latent_channels(self) -> int:
        """Channels of the latents before they are packed."""
        return int(self.pipeline.transformer.config.in_channels) // self.patch**2

    @torch.no_grad()
    def _encode(self, prompt: str) -> Conditioning:
        tokens, mask = self.pipeline.encode_prompt(prompt, self.device, max_sequence_length=TOKENS)
        every = tokens.new_ones(tokens.shape[:2]).long()  # no mask means that all count
        return Conditioning(tokens.float(), mask=every if mask is None else mask)

    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        """The transformer's velocity for latents (n, c, h, w) at a time ()."""
        packed, _ = pack(latents)
        rows, columns = (side // self.patch for side in latents.shape[-2:])
        velocity: Tensor = self.pipeline.transformer(
            hidden_states=packed,
            timestep=time.expand(len(latents)).to(latents.dtype) / 1000,
            encoder_hidden_states=conditioning.tokens,
            encoder_hidden_states_mask=conditioning.mask,
            img_shapes=[[(1, rows, columns)]] * len(latents),
            return_dict=False,
        )[0]
        return unpack(velocity, latents)

    def normalise_guided(self, guided: Tensor, conditional: Tensor) -> Tensor:
        """The guided prediction with the norm that each token has in the conditional one."""
        wanted, found = (
            pixel_unshuffle(latents, self.patch).norm(dim=1, keepdim=True)
            for latents in (conditional, guided)
        )
        factor: Tensor = wanted / found
        return guided * factor.repeat_interleave(self.patch, 2).repeat_interleave(self.patch, 3)

    def _decode(self, latents: Tensor) -> Tensor:
        with _AUTOENCODER:
            return super()._decode(latents.unsqueeze(2))[:, :, 0]

    def _encode_pixels(self, pixels: Tensor) -> Tensor:
        with _AUTOENCODER:
            return super()._encode_pixels(pixels.unsqueeze(2))[:, :, 0]


load = QwenImage.load
