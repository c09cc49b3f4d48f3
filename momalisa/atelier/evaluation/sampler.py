"""A model at one setting: prompts in, pictures out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from tqdm import tqdm

from momalisa.engine.frame_cache import Frame
from momalisa.models.sd import StableDiffusion

BATCH = 8


@dataclass(frozen=True)
class Sampler:
    """A model, and how it is asked to paint."""

    model: StableDiffusion
    steps: int
    guidance: float

    @property
    def size(self) -> int:
        """Pixels of a side that the model was trained on."""
        return int(self.model.pipeline.unet.config.sample_size) * self.model.factor

    def paint(self, prompts: Sequence[str], first_seed: int = 0) -> list[Frame]:
        """A picture for each prompt; number i grows from the noise of seed `first_seed` + i."""
        silence = self.model.encode([""])[0] if self.guidance > 1.0 else None
        found: list[Frame] = []
        for start in tqdm(
            range(0, len(prompts), BATCH), desc="painting", leave=False, disable=None
        ):
            some = prompts[start : start + BATCH]
            seeds = [first_seed + start + i for i in range(len(some))]
            latents, _ = self.model.denoise(
                torch.stack([self.model.noise(seed, self.size) for seed in seeds]),
                self.model.encode(some),
                silence,
                steps=self.steps,
                guidance=self.guidance,
                seeds=seeds,
            )
            found += self.model.decode(latents)
        return found

    def with_scheduler(self, scheduler: Any) -> "Sampler":
        """The same model with another of diffusers' schedulers."""
        kept = self.model.pipeline
        parts = kept.components | {"scheduler": scheduler}
        pipeline = type(kept)(**parts, requires_safety_checker=False)
        return replace(self, model=replace(self.model, pipeline=pipeline))
