"""A pipeline on a device: in parts, in half precision, in tiles; its pictures stay the same."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from safetensors.torch import load_file, save_file

from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.runner import ModelRunner
from momalisa.engine.walk import frames
from momalisa.errors import ModelBroken
from momalisa.models import registry
from momalisa.models.cards import ATELIER
from momalisa.models.fit import Demand, Machine, Placement, Weights, plan_fit
from momalisa.models.placement import limit_decoding, place
from momalisa.models.weights import read_weights
from tests.support.walks import walk_spec

CPU = torch.device("cpu")
ROUNDING = 1
"""Levels of 255."""


@pytest.fixture(scope="module")
def folder(make_pipeline: Any) -> Path:
    made: Path = make_pipeline()
    return made


@pytest.fixture
def runner(folder: Path) -> ModelRunner:
    return registry.load(str(folder), "cpu")


def painted(runner: ModelRunner, cache: Path) -> list[Frame]:
    spec = walk_spec(frames=4, size=64, steps=2, mode="exact", model=runner.model.name)
    found = [f for f in frames(spec, runner, FrameCache(cache), batch=1) if f.finished]
    return [frame.frame for frame in sorted(found, key=lambda frame: frame.index)]


def differences(one: Any, other: Any) -> Any:
    """The differences of pictures in levels of 255."""
    return np.abs(np.stack(one).astype(int) - np.stack(other).astype(int))


@pytest.mark.parametrize("placement", ["parts", "groups"])
def test_a_pipeline_in_parts_paints_the_same(
    placement: Placement, folder: Path, runner: ModelRunner, tmp_path: Path
) -> None:
    """On the CPU, where parts travel nowhere: that each is asked in a way that would bring it.

    One frame at a time: on a GPU, too, a single thread asks the parts.
    """
    weights = read_weights(folder)
    assert weights
    plan = plan_fit(Demand(weights, 64**2), Machine("cpu", 2**34, 2**34))
    model: Any = registry.load(str(folder), "cpu").model
    place(model.pipeline, replace(plan, placement=placement), CPU)
    in_parts = painted(ModelRunner(model), tmp_path / "parts")
    assert differences(in_parts, painted(runner, tmp_path / "whole")).max() <= ROUNDING


def test_half_precision_is_taken_where_single_does_not_fit(
    folder: Path, runner: ModelRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = Weights(10**10, 10**9)
    small = Machine("cpu", 25 * 10**9, 25 * 10**9)
    monkeypatch.setattr("momalisa.models.placement.read_weights", lambda _folder: large)
    monkeypatch.setattr("momalisa.models.placement.measure_device", lambda _device: small)
    half = registry.load(str(folder), "cpu")
    assert half.model.dtype == torch.bfloat16
    pictures = painted(half, tmp_path / "half")
    assert differences(pictures, painted(runner, tmp_path / "single")).mean() < 8


def test_what_has_no_place_is_refused_with_both_numbers(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny = Machine("cpu", 1000, 1000)
    monkeypatch.setattr("momalisa.models.placement.measure_device", lambda _device: tiny)
    with pytest.raises(ModelBroken, match=r"cannot be used: Too large .* momalisa models"):
        registry.load(str(folder), "cpu")


def test_a_batch_is_decoded_in_slices_with_the_same_pictures(runner: ModelRunner) -> None:
    model: Any = runner.model
    latents = torch.stack([model.noise(seed, 64, 64) for seed in range(3)])
    one_by_one = replace(model, free_memory=1000 * 64**2 * 4)
    assert differences(one_by_one.decode(latents), model.decode(latents)).max() <= ROUNDING
    model.decode(latents)
    assert not model.pipeline.vae.use_slicing


@torch.no_grad()
def test_a_large_picture_is_decoded_in_tiles(runner: ModelRunner) -> None:
    """As the library does it. With random weights tiles differ more than trained ones' do."""
    model: Any = runner.model
    vae = model.pipeline.vae
    vae.tile_sample_min_size, vae.tile_latent_min_size = 192, 24
    one, other = (model.noise(seed, 256, 256)[None] for seed in (1, 2))
    (tiled,) = replace(model, free_memory=0).decode(one)
    (whole,), (another,) = model.decode(one), model.decode(other)
    assert 0 < differences([tiled], [whole]).mean() < differences([another], [whole]).mean() / 2
    assert not vae.use_tiling
    vae.enable_tiling()
    (stock,) = vae.decode(one / vae.config.scaling_factor, return_dict=False)[0]
    stock = ((stock / 2 + 0.5).clamp(0, 1) * 255).round().permute(1, 2, 0)
    assert differences([tiled], [stock]).max() <= ROUNDING


def test_tiles_are_never_larger_than_is_planned() -> None:
    vae: Any = AutoencoderKL(
        block_out_channels=(32,) * 4,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        sample_size=1024,
    )
    limit_decoding(vae, 0, pixels=1024**2, batch=2)
    assert vae.use_tiling
    assert vae.use_slicing
    assert (vae.tile_sample_min_size, vae.tile_latent_min_size) == (512, 64)
    limit_decoding(vae, 2**40, pixels=1024**2, batch=2)
    assert not vae.use_tiling
    assert not vae.use_slicing


def test_a_tiny_autoencoder_is_left_whole() -> None:
    vae: Any = AutoencoderTiny.from_pretrained(Path(ATELIER.source) / "vae")
    limit_decoding(vae, 0, pixels=1024**2, batch=2)
    assert vae.use_slicing
    assert not vae.use_tiling


def test_weights_in_eight_bits_are_loaded(make_pipeline: Any, tmp_path: Path) -> None:
    """As files of half the size; in memory they have the precision of all others."""
    folder = tmp_path / "small"
    shutil.copytree(make_pipeline(), folder)
    file = next((folder / "unet").glob("*.safetensors"))
    before, weights = file.stat().st_size, read_weights(folder)
    small = {name: tensor.to(torch.float8_e4m3fn) for name, tensor in load_file(file).items()}
    save_file(small, file, metadata={"format": "pt"})
    assert file.stat().st_size < before / 2
    assert read_weights(folder) == weights
    network = registry.load(str(folder), "cpu").model.network
    assert {weight.dtype for weight in network.parameters()} == {torch.float32}
