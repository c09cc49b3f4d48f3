"""Base of adapters for pipelines of diffusers: loading, noise, scheduler, autoencoder."""

import logging
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import diffusers
import numpy as np
import torch
import transformers
from diffusers import AutoencoderTiny
from torch import Tensor, nn

from momalisa.engine.conditioning import Conditioning, concatenate
from momalisa.engine.frame_cache import Frame
from momalisa.engine.sampling import Sampler
from momalisa.errors import BadInput, NoPicture
from momalisa.loras import Lora
from momalisa.models.cards import refuse_weights
from momalisa.models.component_check import NOT_LOADED, read_config
from momalisa.models.folded_layers import fold_last_layers
from momalisa.models.lora_loading import load_loras
from momalisa.models.placement import DTYPES, limit_decoding, make_plan, place
from momalisa.models.weight_check import load_text_encoders
from momalisa.models.weights import find_variant
from momalisa.prompt_weights import WeightedPrompt

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class DiffusersPipeline(ABC):
    """A loaded pipeline, as far as families do not differ (see `DiffusionModel`)."""

    name: str
    digest: str
    pipeline: Any
    device: torch.device
    dtype: torch.dtype
    free_memory: int
    """Bytes on the device for what is computed."""

    pipeline_class: ClassVar[Any]
    load_options: ClassVar[dict[str, Any]] = {}
    """What `from_pretrained` needs for this family."""
    optional_parts: ClassVar[tuple[str, ...]] = ()
    """Components that a checkpoint may lack."""
    half: ClassVar[torch.dtype] = torch.float16
    """The precision on CUDA: that of the family's checkpoints."""
    upcasts_autoencoder: ClassVar[bool] = False
    """Whether the stock pipeline decodes in single precision where the configuration says so."""
    autoencoder_layout: ClassVar[torch.memory_format] = torch.channels_last
    """How the autoencoder's weights lie in memory."""
    traceable: ClassVar[bool] = False
    """Whether a recording of the network's operations serves any size and batch."""
    attends: ClassVar[bool] = False
    """Whether the network's attention layers can read the tokens of other pictures."""
    weighs: ClassVar[bool] = False
    """Whether words of prompts can have weights (`encode_weighted`)."""
    reader: ClassVar[str] = "tokenizer"
    """The tokenizer whose text encoder reads most of a prompt."""

    @classmethod
    def load(
        cls, name: str, folder: Path, device: torch.device, digest: str, *, pixels: int
    ) -> Self:
        """Load a folder from disk: safetensors only, no remote code, no network.

        Precision and place follow `fit.plan_fit`, for pictures of so many pixels. Raises what
        diffusers raises, or ModelBroken for what is too large.
        """
        _silence_libraries()
        upcasts = cls.upcasts_autoencoder
        plan = make_plan(folder, device, cls.half, pixels=pixels, upcasts=upcasts)
        dtype = DTYPES[plan.precision]
        index = read_config(folder / "model_index.json") if cls.optional_parts else {}
        absent = {part: None for part in cls.optional_parts if index.get(part) == [None, None]}
        left_out = dict.fromkeys(NOT_LOADED.get(cls.pipeline_class.__name__, ()))
        options = absent | left_out | {"variant": find_variant(folder)} | cls.load_options
        options |= load_text_encoders(folder, dtype)
        pipeline = cls.pipeline_class.from_pretrained(
            folder, dtype=dtype, local_files_only=True, use_safetensors=True, **options
        )
        cls.prepare(pipeline)
        if upcasts and pipeline.vae.config.get("force_upcast"):
            pipeline.vae.to(torch.float32)  # its activations overflow in half precision
        place(pipeline, plan, device)
        level = logging.DEBUG if plan.placement == "whole" else logging.INFO
        log.log(level, "%s: %s, %s, on %s", name, plan.placement, plan.precision, device)
        return cls(name, digest, pipeline, device, dtype, plan.room)

    @classmethod
    def prepare(cls, pipeline: Any) -> None:
        """What is done to a pipeline before it is put on a device."""
        if isinstance(pipeline.vae, AutoencoderTiny):
            fold_last_layers(pipeline.vae.decoder)
        pipeline.vae.to(memory_format=cls.autoencoder_layout)

    @torch.no_grad()
    def encode(self, prompts: Sequence[str], width: int, height: int) -> Conditioning:
        """Conditions of n prompts in fp32, each encoded by itself, for pictures of that size."""
        return concatenate([self._encode(prompt) for prompt in prompts])

    def _encode(self, prompt: str) -> Conditioning:
        """Conditions of one prompt in fp32, for families where the size does not matter."""
        raise NotImplementedError

    def encode_negative(self, prompt: str, width: int, height: int) -> Conditioning:
        """Conditions of a negative prompt, which some families read in another way."""
        return self.encode([prompt], width, height)

    def encode_weighted(
        self, prompt: WeightedPrompt, width: int, height: int, *, negative: bool = False
    ) -> Conditioning:
        """Conditions of a prompt whose words differ in weight, one row. Raises BadInput."""
        raise BadInput(refuse_weights(self.name))

    def normalise_guided(self, guided: Tensor, conditional: Tensor) -> Tensor:
        """The guided prediction (n, c, h, w) as the family uses it, from the conditional one."""
        return guided

    @abstractmethod
    def predict(self, latents: Tensor, time: Tensor, conditioning: Conditioning) -> Tensor:
        """The network's prediction for latents (n, c, h, w) at a time ()."""

    @property
    def network(self) -> nn.Module:
        """The network that predicts: a transformer, unless the family has another."""
        return self.pipeline.transformer  # type: ignore[no-any-return]

    @property
    def size_unit(self) -> int:
        """Pixels of which a side must be a multiple: those of a token's side."""
        return self.latent_factor * int(self.pipeline.transformer.config.patch_size)

    @property
    def guidance(self) -> Literal["cfg", "embedded", "none"]:
        """How the checkpoint is guided."""
        return "cfg"

    @property
    def latent_channels(self) -> int:
        """Channels of the latents."""
        return int(self.network.config.in_channels)  # type: ignore[union-attr, arg-type]

    @property
    def latent_factor(self) -> int:
        """Pixels of a latent cell's side."""
        return int(self.pipeline.vae_scale_factor)

    def check(self, width: int, height: int) -> None:
        """Raise BadInput for a size in pixels that the model cannot paint."""
        unit = self.size_unit
        for side in (width, height):
            if side % unit:
                raise BadInput(
                    f"{self.name} paints sizes that are multiples of {unit} pixels, not {side}."
                )

    def load_loras(self, loras: Sequence[Lora]) -> None:
        """Load these LoRAs, and no others. Raises BadInput."""
        load_loras(self.pipeline, self.network, self.name, loras)

    def unread(self, prompt: str) -> str:
        """The end of a prompt that is longer than the encoder reads; usually empty."""
        tokenizer = getattr(self.pipeline, self.reader)
        tokens = tokenizer(prompt, add_special_tokens=False)["input_ids"]
        return str(tokenizer.decode(tokens[self.room :])).strip()

    @property
    def room(self) -> int:
        """How many tokens of a prompt the text encoder reads."""
        return int(getattr(self.pipeline, self.reader).model_max_length) - 2

    def noise(self, seed: int, width: int, height: int) -> Tensor:
        """Unit Gaussian latents (c, h, w) in fp32, drawn on the CPU: the same on every device."""
        cells = height // self.latent_factor, width // self.latent_factor
        generator = torch.Generator().manual_seed(seed)
        return torch.randn((self.latent_channels, *cells), generator=generator)

    def sampler(self, steps: int, width: int, height: int) -> Sampler:
        """The checkpoint's own scheduler for that many steps."""
        return Sampler(self.pipeline.scheduler, steps)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> list[Frame]:
        """Frames (height, width, 3) of clean latents (n, c, h, w)."""
        vae = self.pipeline.vae
        scale, shift = self._latent_scale(latents)
        self._limit_decoding(latents.shape[-2] * latents.shape[-1], len(latents))
        pictures = self._decode((latents / scale + shift).to(vae.dtype))
        return to_frames(pictures)

    @torch.no_grad()
    def encode_picture(self, picture: Frame) -> Tensor:
        """Clean latents (c, h, w) of a frame: the mean of the autoencoder's distribution."""
        vae = self.pipeline.vae
        pixels = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None]
        self._limit_decoding(pixels[0, 0].numel() // self.latent_factor**2, 1)
        latents = self._encode_pixels((pixels / 127.5 - 1.0).to(self.device, vae.dtype))
        scale, shift = self._latent_scale(latents)
        scaled: Tensor = (latents - shift) * scale
        return scaled[0].to(self.dtype)

    def _limit_decoding(self, cells: int, batch: int) -> None:
        """Keep the autoencoder within its memory, for pictures of so many latent cells."""
        pixels = cells * self.latent_factor**2
        limit_decoding(self.pipeline.vae, self.free_memory, pixels=pixels, batch=batch)

    def _decode(self, latents: Tensor) -> Tensor:
        """Pictures (n, 3, height, width) in [-1, 1] of the autoencoder's latents."""
        return self.pipeline.vae.decode(latents, return_dict=False)[0]  # type: ignore[no-any-return]

    def _encode_pixels(self, pixels: Tensor) -> Tensor:
        """The autoencoder's latents of pictures (n, 3, height, width) in [-1, 1]."""
        encoded = self.pipeline.vae.encode(pixels)
        if "latent_dist" in encoded:
            return encoded.latent_dist.mode()  # type: ignore[no-any-return]
        return encoded["latent" if "latent" in encoded else "latents"]  # type: ignore[no-any-return]

    def _latent_scale(self, like: Tensor) -> tuple[Any, Any]:
        """Factor and offset between sampled latents and the autoencoder's: x / factor + offset."""
        config = self.pipeline.vae.config
        mean, deviation = config.get("latents_mean"), config.get("latents_std")
        factor = config.get("scaling_factor", 1.0)
        if mean is None or deviation is None:
            return factor, config.get("shift_factor") or 0.0
        factor = factor / torch.tensor(deviation).to(like)
        return factor.reshape(-1, 1, 1), torch.tensor(mean).to(like).reshape(-1, 1, 1)


def to_frames(pictures: Tensor) -> list[Frame]:
    """Frames (height, width, 3) of pictures (n, 3, height, width) in [-1, 1].

    Raises NoPicture for values that are no numbers: as black frames they would hang, and be kept.
    """
    if not pictures.isfinite().all():
        raise NoPicture(
            "The model computes no picture, but values that are no numbers. Its weights are "
            "damaged, or those of a LoRA, or this machine cannot compute them. Please choose "
            "another model or less guidance, or bring the model again."
        )
    unit = (pictures.float() / 2.0 + 0.5).clamp(0.0, 1.0)
    pixels = (unit * 255.0).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return list(np.ascontiguousarray(pixels))


def _silence_libraries() -> None:
    """Turn off progress bars and advice that are neither for curators nor for the worker's log."""
    for library in (diffusers.utils.logging, transformers.utils.logging):
        library.set_verbosity_error()
        library.disable_progress_bar()
