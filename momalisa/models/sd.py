"""Adapter of Stable Diffusion 1.x, 2.x, Turbo and Atelier (`StableDiffusionPipeline`)."""

from typing import Any, ClassVar

import torch
from diffusers import StableDiffusionPipeline
from torch import Tensor

from momalisa.engine.conditioning import Conditioning
from momalisa.models.unet_pipeline import UNetPipeline
from momalisa.models.word_weighing import weigh_words
from momalisa.prompt_weights import WeightedPrompt


class StableDiffusion(UNetPipeline):
    """A `StableDiffusionPipeline`: one text encoder."""

    pipeline_class: ClassVar[Any] = StableDiffusionPipeline
    weighs: ClassVar[bool] = True
    load_options: ClassVar[dict[str, Any]] = {"requires_safety_checker": False}

    def _encode(self, prompt: str) -> Conditioning:
        tokens, _ = self.pipeline.encode_prompt(
            prompt, self.device, num_images_per_prompt=1, do_classifier_free_guidance=False
        )
        return Conditioning(tokens.float())

    @torch.no_grad()
    def encode_weighted(
        self, prompt: WeightedPrompt, width: int, height: int, *, negative: bool = False
    ) -> Conditioning:
        """Conditions of a prompt whose words differ in weight."""
        return Conditioning(weigh_words(prompt, self.pipeline, self.device))

    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        """The UNet's prediction for latents (n, c, h, w) at a time ()."""
        prediction: Tensor = self.pipeline.unet(
            latents,
            time,
            conditioning.tokens,
            timestep_cond=self.time_condition(conditioning),
            return_dict=False,
        )[0]
        return prediction


load = StableDiffusion.load
