"""Pipelines with random weights for timing: of the shape of Stable Diffusion 1.5 and XL, or tiny.

They are made on the device and never written to a disk.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import torch

from momalisa.engine.runner import ModelRunner
from momalisa.models.cards import ATELIER
from momalisa.models.device import measure_device


class Shape(NamedTuple):
    """What makes a pipeline's cost: the widths of its parts."""

    name: str
    xl: bool
    size: int
    """Pixels of a side."""
    widths: tuple[int, ...]
    layers: tuple[int, ...]
    """Transformer layers at each width; 0 for none."""
    heads: tuple[int, ...]
    text: tuple[tuple[int, int, int], ...]
    """Width, layers and heads of each text encoder."""
    autoencoder: tuple[int, ...]


FULL = (
    Shape(
        *("SD 1.5", False, 512, (320, 640, 1280, 1280), (1, 1, 1, 0), (8, 8, 8, 8)),
        ((768, 12, 12),),
        (128, 256, 512, 512),
    ),
    Shape(
        *("SDXL", True, 1024, (320, 640, 1280), (0, 2, 10), (5, 10, 20)),
        ((768, 12, 12), (1280, 32, 20)),
        (128, 256, 512, 512),
    ),
)
TINY = (
    Shape(*("tiny SD 1.5", False, 64, (16, 32), (1, 1), (2, 2)), ((16, 1, 2),), (16, 16, 16, 16)),
    Shape(
        *("tiny SDXL", True, 64, (16, 32), (0, 1), (2, 2)),
        ((16, 1, 2), (24, 1, 2)),
        (16, 16, 16, 16),
    ),
)


def make_runner(shape: Shape, device: torch.device, dtype: torch.dtype) -> ModelRunner:
    """A pipeline of that shape in the engine, on the device."""
    from momalisa.models.sd import StableDiffusion
    from momalisa.models.sdxl import StableDiffusionXL

    adapter: Any = StableDiffusionXL if shape.xl else StableDiffusion
    with _creating_on(device, dtype), torch.no_grad():
        pipeline = _make_pipeline(shape)
    pipeline.to(device)
    adapter.prepare(pipeline)
    if shape.xl and dtype == torch.float16:
        pipeline.vae.to(torch.float32)  # as its stock pipeline does
    pipeline.set_progress_bar_config(disable=True)
    free = measure_device(device).memory
    return ModelRunner(adapter(shape.name, "0" * 64, pipeline, device, dtype, free))


@contextmanager
def _creating_on(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Where new weights are drawn on the device, in that precision."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            yield
    finally:
        torch.set_default_dtype(before)


def _make_pipeline(shape: Shape) -> Any:
    from diffusers import DDIMScheduler, StableDiffusionPipeline, StableDiffusionXLPipeline

    tokenizer = _tokenizer()
    scheduler = DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        steps_offset=1,
        clip_sample=False,
    )
    encoders = [
        _text_encoder(tokenizer, *sizes, projects=number == 1)
        for number, sizes in enumerate(shape.text)
    ]
    parts = {
        "unet": _unet(shape),
        "vae": _autoencoder(shape),
        "text_encoder": encoders[0],
        "tokenizer": tokenizer,
        "scheduler": scheduler,
    }
    if shape.xl:
        return StableDiffusionXLPipeline(
            **parts, text_encoder_2=encoders[1], tokenizer_2=tokenizer, add_watermarker=False
        )
    return StableDiffusionPipeline(
        **parts, safety_checker=None, feature_extractor=None, requires_safety_checker=False
    )


def _tokenizer() -> Any:
    from transformers import CLIPTokenizer

    return CLIPTokenizer.from_pretrained(Path(ATELIER.source) / "tokenizer")


def _unet(shape: Shape) -> Any:
    from diffusers import UNet2DConditionModel

    down = ["CrossAttnDownBlock2D" if layers else "DownBlock2D" for layers in shape.layers]
    up = ["CrossAttnUpBlock2D" if layers else "UpBlock2D" for layers in reversed(shape.layers)]
    pooled = shape.text[-1][0]
    added = {
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": pooled + 6 * 8,
        "use_linear_projection": True,
    }
    return UNet2DConditionModel(
        sample_size=shape.size // 8,
        block_out_channels=shape.widths,
        down_block_types=tuple(down),
        up_block_types=tuple(up),
        transformer_layers_per_block=tuple(max(1, layers) for layers in shape.layers),
        attention_head_dim=shape.heads,
        cross_attention_dim=sum(width for width, _, _ in shape.text),
        norm_num_groups=min(32, min(shape.widths) // 2),
        **(added if shape.xl else {}),
    ).eval()


def _autoencoder(shape: Shape) -> Any:
    from diffusers import AutoencoderKL

    return AutoencoderKL(
        block_out_channels=shape.autoencoder,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        norm_num_groups=min(32, min(shape.autoencoder) // 2),
        sample_size=shape.size,
    ).eval()


def _text_encoder(tokenizer: Any, width: int, layers: int, heads: int, *, projects: bool) -> Any:
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=4 * width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        projection_dim=width,
        max_position_embeddings=tokenizer.model_max_length,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    kind = CLIPTextModelWithProjection if projects else CLIPTextModel
    return kind(config).eval()
