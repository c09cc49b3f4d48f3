"""The engine's counterparts made of diffusers' own parts."""

import tempfile
import time
from typing import Any, cast

import numpy as np
import torch

from momalisa.engine.frame_cache import Frame
from momalisa.engine.interpolation import lerp, slerp
from momalisa.engine.runner import ModelRunner
from momalisa.models.unet_pipeline import UNetPipeline
from momalisa.spec import WalkSpec


def pipeline_of(runner: ModelRunner) -> Any:
    """The diffusers pipeline behind a model."""
    return cast(UNetPipeline, runner.model).pipeline


def render_plainly(runner: ModelRunner, walk: WalkSpec, frames: int) -> tuple[list[Frame], float]:
    """Render the first frames by one pipeline call each; returns them and seconds a frame."""
    pipeline, model, size = pipeline_of(runner), runner.model, (walk.size, walk.size)
    pipeline.set_progress_bar_config(disable=True)
    start, end = walk.stops
    noises = [model.noise(stop.seed, *size) for stop in (start, end)]
    began, film = time.perf_counter(), []
    for place in walk.places()[:frames]:
        t = torch.tensor([place.t], dtype=torch.float64)
        first, last = model.encode([start.prompt, end.prompt], *size).tokens
        conditioning, latents = lerp(first, last, t), slerp(noises[0], noises[1], t)
        negative = model.encode([walk.negative], *size).tokens
        image = pipeline(
            prompt_embeds=conditioning.to(model.device, model.dtype),
            negative_prompt_embeds=negative.to(model.device, model.dtype),
            latents=latents.to(model.device, model.dtype),
            num_inference_steps=walk.steps,
            guidance_scale=walk.guidance,
            output_type="np",
        ).images[0]
        film.append((image * 255).round().astype(np.uint8))
    return film, (time.perf_counter() - began) / len(film)


def load_sd15_shape() -> ModelRunner:
    """Load a pipeline with the shape of Stable Diffusion 1.5 and random weights."""
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline
    from diffusers import UNet2DConditionModel as UNet
    from transformers import CLIPTextConfig, CLIPTextModel

    from momalisa.models.registry import load

    tokenizer = pipeline_of(load("atelier")).tokenizer
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=768,
        intermediate_size=3072,
        num_hidden_layers=12,
        num_attention_heads=12,
        max_position_embeddings=tokenizer.model_max_length,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    widths = (128, 256, 512, 512)
    pipeline = StableDiffusionPipeline(
        unet=UNet(sample_size=64, cross_attention_dim=768),
        vae=AutoencoderKL(
            block_out_channels=widths,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            layers_per_block=2,
            sample_size=512,
        ),
        text_encoder=CLIPTextModel(config),
        tokenizer=tokenizer,
        scheduler=DDIMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    with tempfile.TemporaryDirectory() as folder:
        pipeline.save_pretrained(folder)
        return load(folder)
