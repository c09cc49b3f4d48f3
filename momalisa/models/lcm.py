"""Adapter of latent consistency models (`LatentConsistencyModelPipeline`; Luo et al. 2023).

Stable Diffusion distilled to a few steps: the guidance is an input, and each step but the last adds
noise.
"""

from typing import Any, ClassVar

from diffusers import LatentConsistencyModelPipeline

from momalisa.models.sd import StableDiffusion


class LatentConsistencyModel(StableDiffusion):
    """A `LatentConsistencyModelPipeline`."""

    pipeline_class: ClassVar[Any] = LatentConsistencyModelPipeline
    load_options: ClassVar[dict[str, Any]] = {
        **StableDiffusion.load_options,
        "image_encoder": None,
    }


load = LatentConsistencyModel.load
