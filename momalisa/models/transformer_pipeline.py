"""Base of adapters for pipelines with a transformer that was trained by flow matching.

Times are shifted by the picture's size where the scheduler's configuration asks for it: larger ones
need more of the steps in much noise (Esser et al. 2024, section 5.3.2).
"""

from typing import Any, ClassVar

import numpy as np
import torch

from momalisa.engine.sampling import Sampler
from momalisa.models.diffusers_pipeline import DiffusersPipeline


class TransformerPipeline(DiffusersPipeline):
    """A loaded pipeline, as far as families with a transformer do not differ."""

    half: ClassVar[torch.dtype] = torch.bfloat16
    patch: ClassVar[int] = 2
    """Latent cells of a token's side."""
    largest_shift: ClassVar[float] = 1.15
    """The shift of the largest pictures, where the scheduler's configuration says nothing."""
    even_sigmas: ClassVar[bool] = True
    """Whether the steps go from 1 to 1 / steps in equal parts; else as the scheduler likes."""

    @property
    def size_unit(self) -> int:
        """Pixels of a token's side."""
        return self.latent_factor * self.patch

    def sampler(self, steps: int, width: int, height: int) -> Sampler:
        """The checkpoint's own scheduler for that many steps, shifted for the picture's size."""
        scheduler = self.pipeline.scheduler
        options: dict[str, Any] = {}
        if self.even_sigmas and not scheduler.config.get("use_flow_sigmas"):
            options["sigmas"] = np.linspace(1.0, 1 / steps, steps)
        if scheduler.config.get("use_dynamic_shifting"):
            unit = self.latent_factor * self.patch
            options["mu"] = self._shift((width // unit) * (height // unit))
        return Sampler(scheduler, steps, options=options)

    def _shift(self, tokens: int) -> float:
        """On the line through the shifts of a small and of a large picture, by their tokens."""
        config = self.pipeline.scheduler.config
        low, high = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
        base, most = config.get("base_shift", 0.5), config.get("max_shift", self.largest_shift)
        return float(base + (most - base) * (tokens - low) / (high - low))
