"""A diffusers pipeline with tiny random weights, for laws that hold for any weights."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.families import unet

PipelineMaker = Callable[..., Path]
"""Writes a pipeline into a new folder: (scheduler, seed) -> folder."""


def make_pipeline(folder: Path, scheduler: Any = None, seed: int = 0) -> Path:
    """Write a `StableDiffusionPipeline` of a few thousand random weights; returns its folder."""
    import torch
    from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline

    from momalisa.atelier.recipe import Recipe
    from momalisa.atelier.text import build_text_encoder, train_tokenizer

    torch.manual_seed(seed)
    recipe = Recipe(vocabulary=600, tokens=16, text_width=16, text_layers=1, text_heads=2)
    tokenizer = train_tokenizer(["a red square on white", "a stormy sea"], recipe)
    network = unet(sample_size=8, cross_attention_dim=16)
    vae = AutoencoderKL(
        block_out_channels=(16, 16, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        norm_num_groups=8,
        sample_size=64,
    )
    pipeline = StableDiffusionPipeline(
        unet=network,
        vae=vae,
        text_encoder=build_text_encoder(tokenizer, recipe),
        tokenizer=tokenizer,
        scheduler=scheduler or DDIMScheduler(clip_sample=False, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    return folder
