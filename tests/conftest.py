"""A tiny pipeline with random weights, for the laws that hold whatever a model has learned."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

# Threads that wait should sleep: spinning ones starve the other processes of a test.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

PipelineMaker = Callable[..., Path]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first: no process is left alone with it in the end."""
    items.sort(key=lambda item: item.path.stem != "test_losses")


@pytest.fixture(scope="session")
def make_pipeline(tmp_path_factory: pytest.TempPathFactory) -> PipelineMaker:
    """Write a `StableDiffusionPipeline` directory of a few thousand weights; returns its folder."""
    import torch
    from diffusers import (
        AutoencoderKL,
        DDIMScheduler,
        StableDiffusionPipeline,
        UNet2DConditionModel,
    )

    from momalisa.atelier.recipe import Recipe
    from momalisa.atelier.text import build_text_encoder, train_tokenizer

    def _make(scheduler: Any = None, seed: int = 0) -> Path:
        torch.manual_seed(seed)
        recipe = Recipe(vocabulary=600, tokens=16, text_width=16, text_layers=1, text_heads=2)
        tokenizer = train_tokenizer(["a red square on white", "a stormy sea"], recipe)
        unet = UNet2DConditionModel(
            sample_size=8,
            block_out_channels=(16, 32),
            layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            attention_head_dim=2,
            cross_attention_dim=16,
            norm_num_groups=8,
        )
        vae = AutoencoderKL(
            block_out_channels=(16, 16, 16, 16),
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            norm_num_groups=8,
            sample_size=64,
        )
        pipeline = StableDiffusionPipeline(
            unet=unet,
            vae=vae,
            text_encoder=build_text_encoder(tokenizer, recipe),
            tokenizer=tokenizer,
            scheduler=scheduler or DDIMScheduler(clip_sample=False, steps_offset=1),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        folder = tmp_path_factory.mktemp("pipeline")
        pipeline.save_pretrained(folder)
        return folder

    return _make


@pytest.fixture(scope="session")
def tiny(make_pipeline: PipelineMaker) -> Any:
    """The tiny pipeline, loaded onto the CPU."""
    from momalisa.models.registry import load

    return load(str(make_pipeline()), "cpu")
