"""Base of adapters for pipelines with a UNet."""

from pathlib import Path
from typing import ClassVar, Self

import torch
from torch import nn

from momalisa.models.diffusers_pipeline import DiffusersPipeline


class UNetPipeline(DiffusersPipeline):
    """A loaded pipeline, as far as families with a UNet do not differ."""

    traceable: ClassVar[bool] = True

    @classmethod
    def load(cls, name: str, folder: Path, device: torch.device, digest: str) -> Self:
        """Load a folder from disk, as `DiffusersPipeline.load` does."""
        loaded = super().load(name, folder, device, digest)
        loaded.pipeline.unet.to(memory_format=torch.channels_last)
        return loaded

    @property
    def network(self) -> nn.Module:
        """The UNet."""
        return self.pipeline.unet  # type: ignore[no-any-return]

    @property
    def size_unit(self) -> int:
        """As many pixels as the UNet can halve often enough."""
        halvings = len(self.pipeline.unet.config.block_out_channels) - 1
        return int(self.latent_factor * 2**halvings)
