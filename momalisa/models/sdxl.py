"""Adapter of Stable Diffusion XL, base and Turbo: any `StableDiffusionXLPipeline` directory.

Two text encoders, whose tokens are joined; a pooled embedding; and the picture's size and crop,
which the UNet reads as "time ids" (Podell et al. 2023, section 2.2).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import torch
from diffusers import StableDiffusionXLPipeline
from torch import Tensor

from momalisa.engine.conditioning import Conditioning, concatenate
from momalisa.models.unet_pipeline import UNetPipeline
from momalisa.models.word_weighing import weigh_words
from momalisa.prompt_weights import WeightedPrompt


class StableDiffusionXL(UNetPipeline):
    """A `StableDiffusionXLPipeline` without its refiner."""

    pipeline_class: ClassVar[Any] = StableDiffusionXLPipeline
    load_options: ClassVar[dict[str, Any]] = {"add_watermarker": False}
    upcasts_autoencoder = True
    weighs: ClassVar[bool] = True

    @torch.no_grad()
    def encode(self, prompts: Sequence[str], width: int, height: int) -> Conditioning:
        """Conditions of n prompts in fp32: tokens, pooled embedding and time ids."""
        uncropped = [height, width, 0, 0, height, width]
        return concatenate([self._encode_sized(prompt, uncropped) for prompt in prompts])

    def _encode_sized(self, prompt: str, time_ids: list[int]) -> Conditioning:
        tokens, _, pooled, _ = self.pipeline.encode_prompt(
            prompt, device=self.device, do_classifier_free_guidance=False
        )
        if not prompt and self.pipeline.config.force_zeros_for_empty_prompt:
            tokens, pooled = torch.zeros_like(tokens), torch.zeros_like(pooled)
        extra = {"time_ids": torch.tensor([time_ids], dtype=torch.float32)}
        return Conditioning(tokens.float(), pooled.float(), extra=extra)

    @torch.no_grad()
    def encode_weighted(
        self, prompt: WeightedPrompt, width: int, height: int, *, negative: bool = False
    ) -> Conditioning:
        """Conditions of a prompt whose words differ in weight; the pooled embedding has none."""
        plain = self.encode([prompt.text], width, height)
        encoders = [
            weigh_words(prompt, self.pipeline, self.device, number=number, penultimate=True)
            for number in (1, 2)
        ]
        return replace(plain, tokens=torch.cat(encoders, dim=-1))

    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        """The UNet's prediction for latents (n, c, h, w) at a time ()."""
        added = {"text_embeds": conditioning.pooled, "time_ids": conditioning.extra["time_ids"]}
        prediction: Tensor = self.pipeline.unet(
            latents,
            time,
            conditioning.tokens,
            timestep_cond=self.time_condition(conditioning),
            added_cond_kwargs=added,
            return_dict=False,
        )[0]
        return prediction


load = StableDiffusionXL.load
