"""Stable Diffusion XL: walks of a tiny pipeline equal the stock pipeline's pictures."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import pytest
import torch
from diffusers import AutoencoderKL

from momalisa.engine.frame_cache import FrameCache
from momalisa.engine.walk import frames
from momalisa.errors import ModelBroken
from momalisa.models.fit import Demand, Machine, Weights, plan_fit
from momalisa.models.registry import find, load
from momalisa.models.sd import StableDiffusion
from momalisa.models.sdxl import StableDiffusionXL
from momalisa.prompt_weights import parse_prompt
from momalisa.spec import WalkSpec
from tests.support.attention_laws import check_attention
from tests.support.families import stable_diffusion_xl

PROMPTS = ("a red square on white", "a stormy sea")
BASE = diffusers.EulerDiscreteScheduler(
    beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1
)
TURBO = diffusers.EulerAncestralDiscreteScheduler(
    beta_start=0.00085,
    beta_end=0.012,
    beta_schedule="scaled_linear",
    timestep_spacing="trailing",
)

SdxlMaker = Callable[..., Path]


@pytest.fixture(scope="module")
def make_sdxl(tmp_path_factory: pytest.TempPathFactory) -> SdxlMaker:
    """Write an SDXL pipeline of a few thousand random weights; returns its folder."""

    def make(scheduler: Any, **vae_options: Any) -> Path:
        torch.manual_seed(0)
        pipeline = stable_diffusion_xl(scheduler, **vae_options)
        folder = tmp_path_factory.mktemp("sdxl")
        pipeline.save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="module")
def folders(make_sdxl: SdxlMaker) -> dict[str, Path]:
    """The folders of a tiny SDXL and of a tiny SDXL-Turbo."""
    return {"base": make_sdxl(BASE), "turbo": make_sdxl(TURBO)}


def test_both_text_encoders_weigh_words(folders: dict[str, Path]) -> None:
    model: Any = load(str(folders["base"]), "cpu").model
    plain = model.encode(["a red square"], 64, 64)
    near, far = (
        model.encode_weighted(parse_prompt(f"a (red){weight} square"), 64, 64)
        for weight in (1.0001, 2.0)
    )
    for found, expected in zip(near.tensors(), plain.tensors(), strict=True):
        torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)
    moved = (far.tokens - plain.tokens)[0].abs()
    for of_encoder in moved.chunk(2, dim=-1):
        assert of_encoder[2].min() > 0.0
        assert of_encoder[[0, 1, 3, 4]].max() == 0.0


@pytest.mark.parametrize(
    ("name", "guidance", "negative", "mode"),
    [
        ("base", 5.0, "", "exact"),
        ("base", 5.0, "blur", "fast"),
        ("turbo", 0.0, "", "exact"),
        ("turbo", 0.0, "", "fast"),
    ],
)
def test_ends_of_a_walk_equal_the_stock_pipeline(
    folders: dict[str, Path], tmp_path: Path, name: str, guidance: float, negative: str, mode: str
) -> None:
    """Those of SDXL in exact mode with a negative prompt are in `test_families`."""
    runner = load(str(folders[name]), "cpu")
    stops = [{"prompt": prompt, "seed": seed} for seed, prompt in enumerate(PROMPTS)]
    fields = {"frames": 4, "steps": 3, "size": 64, "guidance": guidance, "negative": negative}
    without = ["solver", "interval", "trunk"]
    walk = WalkSpec.model_validate({"stops": stops, "mode": mode, "without": without} | fields)
    found = {f.index: f for f in frames(walk, runner, FrameCache(tmp_path)) if f.finished}
    assert sorted(found) == [0, 1, 2, 3]
    for index, stop in ((0, walk.stops[0]), (3, walk.stops[1])):
        expected = stock(runner.model, stop.prompt, stop.seed, guidance, negative)
        assert np.abs(found[index].frame.astype(np.int16) - expected).max() <= 1


def stock(
    model: Any, prompt: str, seed: int, guidance: float, negative: str
) -> np.ndarray[Any, np.dtype[np.int16]]:
    """The picture that diffusers' own pipeline makes from the same seed."""
    model.pipeline.set_progress_bar_config(disable=True)
    pictures = model.pipeline(
        prompt,
        negative_prompt=negative or None,
        num_inference_steps=3,
        guidance_scale=guidance,
        height=64,
        width=64,
        generator=[torch.Generator().manual_seed(seed)],
        output_type="np",
    ).images
    picture: np.ndarray[Any, np.dtype[np.int16]] = (pictures[0] * 255).round().astype(np.int16)
    return picture


@pytest.mark.parametrize("name", ["base", "turbo"])
def test_the_laws_of_attention_hold_without_guidance(
    folders: dict[str, Path], tmp_path: Path, name: str
) -> None:
    runner = load(str(folders[name]), "cpu")
    fields = {"frames": 4, "steps": 3, "size": 64, "guidance": 0.0, "mode": "exact"}
    stops = [{"prompt": prompt, "seed": seed} for seed, prompt in enumerate(PROMPTS)]
    check_attention(WalkSpec.model_validate({"stops": stops} | fields), runner, tmp_path)


def test_the_traced_network_reads_the_size_from_the_conditions(folders: dict[str, Path]) -> None:
    """The size is part of the conditions: a recording of the network must not fix it."""
    runner = load(str(folders["base"]), "cpu")
    runner.trace()
    model, time = runner.model, torch.tensor(500)
    for width, height in ((64, 64), (128, 64)):
        latents = model.noise(1, width, height)[None]
        conditioning = model.encode(PROMPTS[:1], width, height)
        with torch.no_grad():
            expected = model.predict(latents, time, conditioning)
            torch.testing.assert_close(runner.predict(latents, time, conditioning), expected)


def test_latents_with_mean_and_deviation_are_decoded_as_stock_does(make_sdxl: SdxlMaker) -> None:
    scale = {"latents_mean": [0.1, -0.2, 0.3, 0.0], "latents_std": [1.5, 0.5, 2.0, 1.0]}
    model = load(str(make_sdxl(BASE, **scale)), "cpu").model
    assert isinstance(model, StableDiffusionXL)
    latents = model.noise(3, 64, 64)[None]
    vae = model.pipeline.vae
    mean, deviation = (torch.tensor(values).view(1, 4, 1, 1) for values in scale.values())
    with torch.no_grad():
        picture = vae.decode(latents * deviation / vae.config.scaling_factor + mean).sample[0]
    pixels = ((picture / 2 + 0.5).clamp(0, 1) * 255).round().permute(1, 2, 0).numpy()
    assert np.abs(model.decode(latents)[0].astype(np.int16) - pixels).max() <= 1


def test_the_card_of_a_folder_has_the_familys_settings(folders: dict[str, Path]) -> None:
    card = find(str(folders["base"]))
    assert (card.size, card.steps, card.guidance) == (64, 20, 5.0)


@pytest.mark.parametrize("part", ["tokenizer", "tokenizer_2", "text_encoder", "text_encoder_2"])
def test_a_missing_part_raises_model_broken(
    folders: dict[str, Path], tmp_path: Path, part: str
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(folders["base"], folder)
    index = json.loads((folder / "model_index.json").read_text()) | {part: [None, None]}
    (folder / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(ModelBroken, match="is missing"):
        load(str(folder), "cpu")


@pytest.mark.parametrize(
    ("family", "dtype"), [(StableDiffusion, torch.float16), (StableDiffusionXL, torch.float32)]
)
def test_on_cuda_only_sdxl_decodes_in_single_precision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: Any, dtype: torch.dtype
) -> None:
    """`force_upcast` is diffusers' default, but only SDXL's stock pipeline heeds it."""

    class Pipeline:
        unet = torch.nn.Conv2d(4, 4, 1)

        @classmethod
        def from_pretrained(cls, folder: Path, *, dtype: torch.dtype, **_: Any) -> "Pipeline":
            pipeline = cls()
            pipeline.vae = AutoencoderKL(norm_num_groups=4, block_out_channels=(4,)).to(dtype)
            return pipeline

        def to(self, device: torch.device) -> "Pipeline":
            return self

        vae: Any = None

    plan = plan_fit(Demand(Weights(1, 1), 64**2), Machine("cuda", 2**34, 2**34))
    monkeypatch.setattr("momalisa.models.diffusers_pipeline.make_plan", lambda *_, **__: plan)
    monkeypatch.setattr(family, "pipeline_class", Pipeline)
    index = {"_class_name": f"{family.__name__}Pipeline"}
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    model = family.load("model", tmp_path, torch.device("cuda"), "digest", pixels=64**2)
    assert model.pipeline.vae.dtype is dtype
