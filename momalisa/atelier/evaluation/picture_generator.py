"""Generates pictures of prompts with a model at one setting."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import torch
from tqdm import tqdm

from momalisa.engine.frame_cache import Frame
from momalisa.engine.runner import ModelRunner
from momalisa.engine.sampling import Guidance
from momalisa.engine.step_noise import StepNoise
from momalisa.models.unet_pipeline import UNetPipeline

BATCH = 8


@dataclass(frozen=True)
class PictureGenerator:
    """A model with its number of steps and guidance scale."""

    runner: ModelRunner
    steps: int
    guidance: float

    @property
    def pipeline(self) -> Any:
        """The diffusers pipeline of the model."""
        return cast(UNetPipeline, self.runner.model).pipeline

    @property
    def size(self) -> int:
        """The side in pixels that the model was trained on."""
        return self.pipeline.unet.config.sample_size * self.runner.model.latent_factor  # type: ignore[no-any-return]

    def generate(self, prompts: Sequence[str], first_seed: int = 0) -> list[Frame]:
        """Generate a picture for each prompt; picture i has the noise of seed `first_seed` + i."""
        model, size = self.runner.model, (self.size, self.size)
        guidance = Guidance()
        if self.guidance > 1.0:
            guidance = Guidance(model.encode([""], *size), self.guidance)
        pictures: list[Frame] = []
        for first in tqdm(
            range(0, len(prompts), BATCH), desc="pictures", leave=False, disable=None
        ):
            batch = prompts[first : first + BATCH]
            seeds = [first_seed + first + i for i in range(len(batch))]
            noise = torch.stack([model.noise(seed, *size) for seed in seeds])
            noises = [StepNoise((seed, seed), 0.0, noise.shape[1:]) for seed in seeds]
            start = model.sampler(self.steps, *size).start(noise.to(model.device, model.dtype))
            state = self.runner.advance(start, model.encode(batch, *size), guidance, noises=noises)
            pictures += self.runner.decode(state.latents)
        return pictures

    def with_scheduler(self, scheduler: Any) -> "PictureGenerator":
        """The same model with another diffusers scheduler."""
        parts = self.pipeline.components | {"scheduler": scheduler}
        pipeline = type(self.pipeline)(**parts, requires_safety_checker=False)
        model = replace(cast(UNetPipeline, self.runner.model), pipeline=pipeline)
        return replace(self, runner=ModelRunner(model))
