"""Stable Diffusion 1.x, 2.x, Turbo and Atelier: any `StableDiffusionPipeline` directory."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
import transformers
from diffusers import StableDiffusionPipeline
from torch import Tensor

from momalisa.engine.cpu_batching import Lanes
from momalisa.engine.frame_cache import Frame
from momalisa.engine.jit_trace import Predict, traced
from momalisa.engine.sampling import Course, Denoiser, Guidance, advance, gather, part
from momalisa.errors import BadInput, ModelBroken
from momalisa.models.digest import folder_digest

SMALL = 100_000_000
"""Weights of a UNet whose operations are so short that what lies between them counts."""


@dataclass(frozen=True)
class StableDiffusion:
    """A loaded pipeline as the engine sees it: text in, noise in, latents, frames out."""

    name: str
    digest: str
    pipeline: Any
    device: torch.device
    dtype: torch.dtype
    unet: Denoiser
    lanes: Lanes
    seconds_to_load: float

    @property
    def factor(self) -> int:
        """Pixels of a latent cell's side."""
        return int(self.pipeline.vae_scale_factor)

    def check(self, size: int) -> None:
        """Raise BadInput if the UNet cannot halve that many cells often enough."""
        halvings = len(self.pipeline.unet.config.block_out_channels) - 1
        unit = self.factor * 2**halvings
        if size % unit:
            raise BadInput(
                f"{self.name} paints sizes that are multiples of {unit} pixels, not {size}."
            )

    def unread(self, prompt: str) -> str:
        """The end of a prompt that is longer than the encoder reads; usually empty."""
        tokenizer = self.pipeline.tokenizer
        tokens = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        room = tokenizer.model_max_length - 2
        return str(tokenizer.decode(tokens[room:])).strip()

    @torch.no_grad()
    def encode(self, prompts: Sequence[str]) -> Tensor:
        """Text embeddings (n, tokens, width) in fp32, each prompt for itself."""
        return torch.cat([self._words(prompt) for prompt in prompts]).float()

    def _words(self, prompt: str) -> Tensor:
        words, _ = self.pipeline.encode_prompt(
            prompt, self.device, num_images_per_prompt=1, do_classifier_free_guidance=False
        )
        return words  # type: ignore[no-any-return]

    def noise(self, seed: int, size: int) -> Tensor:
        """Unit Gaussian latents (c, h, w) in fp32, drawn on the CPU: the same on every device."""
        cells = size // self.factor
        shape = (int(self.pipeline.unet.config.in_channels), cells, cells)
        return torch.randn(shape, generator=torch.Generator().manual_seed(seed))

    def start(
        self, noise: Tensor, steps: int, scheduler: Any = None, times: Sequence[int] = ()
    ) -> Course:
        """Set out from `noise` (n, c, h, w), with the model's own scheduler or another."""
        noise = noise.to(self.device, self.dtype)
        return Course.start(scheduler or self.pipeline.scheduler, noise, steps, times)

    def advance(
        self,
        course: Course,
        words: Tensor,
        guidance: Guidance,
        *,
        seeds: Sequence[int] = (),
        until: int | None = None,
    ) -> Course:
        """Go on under `words` (n, tokens, width), as `denoise.advance` does."""
        silence = guidance.silence
        if silence is not None:
            guidance = replace(guidance, silence=silence.to(self.device, self.dtype))
        words = words.to(self.device, self.dtype)
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]

        def go(rows: slice) -> Course:
            own = part(course, rows)
            dice = generators[rows]
            return advance(own, self.unet, words[rows], guidance, until=until, generators=dice)

        parts = self.lanes.run(go, len(words))
        return replace(
            gather(parts),
            done=parts[0].done,
            samples=course.samples + sum(p.samples for p in parts),
        )

    def denoise(
        self,
        noise: Tensor,
        words: Tensor,
        silence: Tensor | None,
        *,
        steps: int,
        guidance: float,
        seeds: Sequence[int],
    ) -> tuple[Tensor, int]:
        """Clean latents from `noise` (n, c, h, w), and the UNet samples they took."""
        course = self.start(noise, steps)
        course = self.advance(course, words, Guidance(silence, guidance), seeds=seeds)
        return course.latents, course.samples

    def decode(self, latents: Tensor) -> list[Frame]:
        """Frames (h, w, 3) of clean latents (n, c, h, w)."""
        parts = self.lanes.run(lambda rows: self._decoded(latents[rows]), len(latents))
        return [frame for some in parts for frame in some]

    @torch.no_grad()
    def _decoded(self, latents: Tensor) -> list[Frame]:
        vae = self.pipeline.vae
        pictures = vae.decode(latents / vae.config.scaling_factor, return_dict=False)[0]
        unit = (pictures.float() / 2.0 + 0.5).clamp(0.0, 1.0)
        pixels = (unit * 255.0).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
        return list(np.ascontiguousarray(pixels))


def load(name: str, folder: Path, device: str) -> StableDiffusion:
    """Load a pipeline's directory from disk: safetensors only, no remote code, no network.

    Half precision on CUDA, single elsewhere. Raises ModelBroken with the reason, and BadInput
    for a device that is not there.
    """
    began = time.perf_counter()
    _quiet_libraries()
    place = _place(device)
    dtype = torch.float16 if place.type == "cuda" else torch.float32
    try:
        pipeline = StableDiffusionPipeline.from_pretrained(
            folder,
            dtype=dtype,
            local_files_only=True,
            use_safetensors=True,
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        ).to(place)
        digest = folder_digest(folder)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, AttributeError) as error:
        raise ModelBroken(f"The model in {folder} cannot be loaded: {error}") from error
    pipeline.unet.to(memory_format=torch.channels_last)
    pipeline.vae.to(memory_format=torch.channels_last)
    small = sum(weight.numel() for weight in pipeline.unet.parameters()) <= SMALL
    return StableDiffusion(
        name,
        digest,
        pipeline,
        place,
        dtype,
        _denoiser(pipeline, record=small and place.type == "cpu"),
        Lanes(place, small=small),
        time.perf_counter() - began,
    )


def _denoiser(pipeline: Any, *, record: bool) -> Denoiser:
    predict = Predict(pipeline.unet)
    if not record:
        return predict
    words, _ = pipeline.encode_prompt("", pipeline.device, 1, do_classifier_free_guidance=False)
    return traced(predict, words)


def _quiet_libraries() -> None:
    """Their progress bars and advice are not for curators, nor for the worker's log."""
    for library in (diffusers.utils.logging, transformers.utils.logging):
        library.set_verbosity_error()
        library.disable_progress_bar()


def _place(device: str) -> torch.device:
    """The device of that name, or the best there is; BadInput if this machine has none such."""
    try:
        place = torch.device(device or best_device())
        torch.empty(0, device=place)
    except (RuntimeError, AssertionError) as error:
        raise BadInput(
            f"There is no device “{device}” here. Leave it away for the best there is."
        ) from error
    return place


def best_device() -> str:
    """CUDA where there is one, else Apple's GPU, else the CPU."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
