"""Adapter of Chroma (`ChromaPipeline`): FLUX's packing, true guidance, and a mask over the text.

Of the padding one token counts, which the text's mask already says.
"""

from typing import Any, ClassVar, Literal

import torch
from diffusers import ChromaPipeline
from torch import Tensor

from momalisa.engine.conditioning import Conditioning
from momalisa.models.flux import TOKENS, Flux, pack, unpack
from momalisa.models.transformer_pipeline import TransformerPipeline


class Chroma(Flux):
    """A `ChromaPipeline`."""

    pipeline_class: ClassVar[Any] = ChromaPipeline
    reader: ClassVar[str] = "tokenizer"
    weighs: ClassVar[bool] = False  # Compel knows nothing of Chroma's mask.
    encode_weighted = TransformerPipeline.encode_weighted

    @property
    def guidance(self) -> Literal["cfg", "embedded", "none"]:
        """Classifier-free, with a negative prompt."""
        return "cfg"

    def _encode(self, prompt: str) -> Conditioning:
        tokens, _, mask, *_ = self.pipeline.encode_prompt(
            prompt,
            device=self.device,
            do_classifier_free_guidance=False,
            max_sequence_length=TOKENS,
        )
        return Conditioning(tokens.float(), mask=mask)

    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        """The transformer's velocity for latents (n, c, h, w) at a time ()."""
        packed, places = pack(latents)
        assert conditioning.mask is not None
        picture = torch.ones_like(packed[:, :, 0], dtype=torch.bool)
        velocity: Tensor = self.pipeline.transformer(
            hidden_states=packed,
            timestep=time.expand(len(latents)).to(latents.dtype) / 1000,
            encoder_hidden_states=conditioning.tokens,
            txt_ids=latents.new_zeros(conditioning.tokens.shape[1], 3),
            img_ids=places,
            attention_mask=torch.cat([conditioning.mask, picture], dim=1),
            return_dict=False,
        )[0]
        return unpack(velocity, latents)


load = Chroma.load
