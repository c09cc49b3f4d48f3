"""Base of adapters for pipelines with a UNet."""

from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn

from momalisa.engine.conditioning import Conditioning
from momalisa.models.diffusers_pipeline import DiffusersPipeline


class UNetPipeline(DiffusersPipeline):
    """A loaded pipeline, as far as families with a UNet do not differ."""

    attends: ClassVar[bool] = True

    @property
    def traceable(self) -> bool:  # type: ignore[override]
        """Unless the guidance is an input, which a recording would not know of."""
        return self.guidance != "embedded"

    @property
    def guidance(self) -> Literal["cfg", "embedded", "none"]:
        """Embedded where the UNet reads it besides the time."""
        reads = self.pipeline.unet.config.get("time_cond_proj_dim") is not None
        return "embedded" if reads else "cfg"

    def time_condition(self, conditioning: Conditioning) -> Tensor | None:
        """The guidance as the UNet reads it, where it does: less 1, in waves, as time is."""
        width = self.pipeline.unet.config.get("time_cond_proj_dim")
        if width is None:
            return None
        scale = conditioning.extra["guidance"].float() - 1.0
        waves: Tensor = self.pipeline.get_guidance_scale_embedding(scale.cpu(), width)
        return waves.to(self.device, self.dtype)

    @classmethod
    def prepare(cls, pipeline: Any) -> None:
        """Lay the UNet out in memory as convolutions read it."""
        super().prepare(pipeline)
        pipeline.unet.to(memory_format=torch.channels_last)

    @property
    def network(self) -> nn.Module:
        """The UNet."""
        return self.pipeline.unet  # type: ignore[no-any-return]

    @property
    def size_unit(self) -> int:
        """As many pixels as the UNet can halve often enough."""
        halvings = len(self.pipeline.unet.config.block_out_channels) - 1
        return int(self.latent_factor * 2**halvings)
