"""Previews are decoded by a small decoder: the model's own, or the family's, if downloaded."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import AutoencoderTiny

from momalisa.engine.frame_cache import Frame, FrameCache
from momalisa.engine.runner import ModelRunner
from momalisa.engine.walk import frames, stills
from momalisa.models.cards import TAESD
from momalisa.models.registry import load
from momalisa.models.rough_decoder import find_rough_decoder
from momalisa.render import render_live
from momalisa.spec import Place
from tests.support.walks import walk_spec


def download(cache: Path, channels: int = 4) -> Path:
    """Put a tiny autoencoder with random weights into a cache of the hub."""
    repository = cache / f"models--{TAESD.replace('/', '--')}"
    folder = repository / "snapshots" / "abc"
    widths, blocks = (8, 8, 8, 8), (1, 1, 1, 1)
    AutoencoderTiny(
        latent_channels=channels,
        encoder_block_out_channels=widths,
        decoder_block_out_channels=widths,
        num_encoder_blocks=blocks,
        num_decoder_blocks=blocks,
    ).save_pretrained(folder)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "hub"


def walk(runner: ModelRunner, folder: Path) -> tuple[list[Frame], list[Frame]]:
    """The previews and the finished frames of a walk."""
    spec = walk_spec(frames=5, size=64, steps=2, model=runner.model.name)
    found = list(frames(spec, runner, FrameCache(folder)))
    previews = [frame.frame for frame in found if frame.source == "preview"]
    finished = sorted((f for f in found if f.finished), key=lambda frame: frame.index)
    return previews, [frame.frame for frame in finished]


def test_previews_come_from_the_tiny_autoencoder_and_frames_do_not(
    cache: Path, make_pipeline: Any, tmp_path: Path
) -> None:
    folder = str(make_pipeline())
    without, same = walk(load(folder, "cpu"), tmp_path / "without")
    tiny: Any = AutoencoderTiny.from_pretrained(download(cache))
    runner = load(folder, "cpu")
    previews, finished = walk(runner, tmp_path / "with")
    assert np.array_equal(finished, same)
    assert len(previews) == len(without) > 0
    assert not np.array_equal(previews, without)
    latents = runner.model.noise(1, 64, 64)[None]
    with torch.no_grad():
        expected = (tiny.decode(latents).sample / 2 + 0.5).clamp(0, 1)[0].permute(1, 2, 0)
    assert runner.rough_decoder
    (rough,) = runner.decode(latents, rough=True)
    assert np.abs(rough - expected.numpy() * 255).max() <= 1


def forget_weights(folder: Path) -> None:
    (folder / "diffusion_pytorch_model.safetensors").unlink()


def configure(**changes: Any) -> Any:
    def change(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(config | changes))

    return change


def make_grey(folder: Path) -> None:
    widths = (8, 8, 8, 8)
    AutoencoderTiny(
        out_channels=1, encoder_block_out_channels=widths, decoder_block_out_channels=widths
    ).save_pretrained(folder)


def lose_numbers(folder: Path) -> None:
    tiny: Any = AutoencoderTiny.from_pretrained(folder)
    torch.nn.init.constant_(tiny.decoder.layers[-1].bias, torch.nan)
    tiny.save_pretrained(folder)


# Those of them that were loaded ended each walk of the model at its first preview.
SPOILT = {
    "code": configure(auto_map={"AutoModel": "x.Y"}),
    "a size of its own": configure(upsampling_scaling_factor=1),
    "pictures that fill the memory": configure(upsampling_scaling_factor=64),
    "no way to enlarge": configure(upsample_fn="x"),
    "no activation": configure(act_fn=5),
    "layers that fill the memory": configure(num_decoder_blocks=[10**8] * 4),
    "grey pictures": make_grey,
    "no numbers": lose_numbers,
}


def damage(folder: Path) -> None:
    (folder / "diffusion_pytorch_model.safetensors").write_bytes(b"x" * 20)


@pytest.fixture(scope="module")
def model(make_pipeline: Any) -> Any:
    return load(str(make_pipeline()), "cpu").model


@pytest.mark.parametrize("spoil", [forget_weights, damage, *SPOILT.values()])
def test_one_that_cannot_be_used_is_left_out(
    spoil: Any, cache: Path, model: Any, tmp_path: Path
) -> None:
    folder = download(cache)
    assert find_rough_decoder(tmp_path, TAESD, model)
    spoil(folder)
    assert find_rough_decoder(tmp_path, TAESD, model) is None


def test_one_for_other_latents_is_left_out(cache: Path, model: Any, tmp_path: Path) -> None:
    download(cache, channels=16)
    assert find_rough_decoder(tmp_path, TAESD, model) is None
    assert find_rough_decoder(tmp_path, "", model) is None


def test_the_embedded_model_has_one_of_its_own(tmp_path: Path) -> None:
    runner, cache = load("atelier", "cpu"), FrameCache(tmp_path)
    (exact,) = stills(walk_spec(model="atelier"), [Place(0, 0.0)], runner, cache)
    latents = torch.from_numpy(cache.latents(exact.key)).float()[None]
    (rough,) = runner.decode(latents, rough=True)
    assert 0 < np.abs(rough.astype(float) - exact.frame).mean() < 8


def test_rough_live_pictures_do_not_take_the_place_of_frames(
    make_pipeline: Any, tmp_path: Path
) -> None:
    runner, cache = load(str(make_pipeline()), "cpu"), FrameCache(tmp_path)
    grey = np.full((64, 64, 3), 128, np.uint8)
    runner.rough_decoder = lambda latents: [grey] * len(latents)
    spec = walk_spec(frames=5, size=64, steps=2, model=runner.model.name)
    first, exact, better = (
        render_live(spec, [Place(0, 0.5)], runner, cache, rough)[0] for rough in (True, False, True)
    )
    assert np.array_equal(first, grey)
    assert not np.array_equal(exact, grey)
    assert np.array_equal(better, exact)
