"""Adapter of FLUX.2 klein (`Flux2KleinPipeline`).

A latent cell is 2 × 2 of the autoencoder's, normalised by the autoencoder's running statistics. Of
the language model that reads the prompts three layers are joined; all 512 tokens count. A distilled
checkpoint takes no guidance.
"""

from typing import Any, ClassVar, Literal

import torch
from diffusers import Flux2KleinPipeline
from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu
from torch import Tensor
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from momalisa.engine.conditioning import Conditioning
from momalisa.engine.sampling import Sampler
from momalisa.models.transformer_pipeline import TransformerPipeline

TOKENS = 512
"""How much of a prompt and of the words around it the stock pipeline reads."""
FACTOR = 2
"""Cells of the autoencoder in a side of a latent cell."""


class Flux2Klein(TransformerPipeline):
    """A `Flux2KleinPipeline`."""

    pipeline_class: ClassVar[Any] = Flux2KleinPipeline
    patch: ClassVar[int] = 1

    @property
    def latent_factor(self) -> int:
        """Pixels of a latent cell's side."""
        return super().latent_factor * FACTOR

    @property
    def guidance(self) -> Literal["cfg", "embedded", "none"]:
        """None where the checkpoint says that it is distilled."""
        return "none" if self.pipeline.config.is_distilled else "cfg"

    @property
    def room(self) -> int:
        """How many tokens of a prompt the text encoder reads besides those around it."""
        tokenizer = self.pipeline.tokenizer
        around = tokenizer.apply_chat_template(
            [{"role": "user", "content": ""}],
            tokenize=False,
            add_generation_prompt=True,
            enable_thinking=False,
        )
        return TOKENS - len(tokenizer(around)["input_ids"])

    def _encode(self, prompt: str) -> Conditioning:
        tokens, _ = self.pipeline.encode_prompt(prompt, self.device, max_sequence_length=TOKENS)
        return Conditioning(tokens.float())

    def sampler(self, steps: int, width: int, height: int) -> Sampler:
        """The checkpoint's own scheduler for that many steps, shifted for size and steps."""
        sampler = super().sampler(steps, width, height)
        if "mu" not in sampler.options:
            return sampler
        tokens = (width // self.latent_factor) * (height // self.latent_factor)
        shift = compute_empirical_mu(image_seq_len=tokens, num_steps=steps)
        return Sampler(sampler.scheduler, steps, options={**sampler.options, "mu": shift})

    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        """The transformer's velocity for latents (n, c, h, w) at a time ()."""
        rows, columns = (torch.arange(side) for side in latents.shape[-2:])
        first = torch.zeros(1, dtype=torch.long)
        words = torch.arange(conditioning.tokens.shape[1])
        velocity: Tensor = self.pipeline.transformer(
            hidden_states=latents.flatten(2).transpose(1, 2),
            timestep=time.expand(len(latents)).to(latents.dtype) / 1000,
            guidance=None,
            encoder_hidden_states=conditioning.tokens,
            txt_ids=torch.cartesian_prod(first, first, first, words).to(self.device),
            img_ids=torch.cartesian_prod(first, rows, columns, first).to(self.device),
            return_dict=False,
        )[0]
        return velocity.transpose(1, 2).reshape(latents.shape)

    def _decode(self, latents: Tensor) -> Tensor:
        return super()._decode(pixel_shuffle(latents, FACTOR))

    def _encode_pixels(self, pixels: Tensor) -> Tensor:
        return pixel_unshuffle(super()._encode_pixels(pixels), FACTOR)

    def _latent_scale(self, like: Tensor) -> tuple[Any, Any]:
        vae = self.pipeline.vae
        deviation = torch.sqrt(vae.bn.running_var + vae.config.batch_norm_eps)
        mean = vae.bn.running_mean
        return 1 / deviation.to(like).reshape(-1, 1, 1), mean.to(like).reshape(-1, 1, 1)


load = Flux2Klein.load
