"""Weights that are missing, or those of another network: a sentence, and never random numbers."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from momalisa.engine.frame_cache import FrameCache
from momalisa.engine.walk import frames
from momalisa.errors import ModelBroken, NoPicture
from momalisa.models.registry import load
from momalisa.worker.blame import Blame, assign_blame
from tests.support.walks import walk_spec


def widen(weights: dict[str, torch.Tensor]) -> None:
    name = min(weights)
    weights[name] = torch.zeros([side + 1 for side in weights[name].shape])


def drop(weights: dict[str, torch.Tensor]) -> None:
    del weights[min(weights)]


def rename(weights: dict[str, torch.Tensor]) -> None:
    for name in list(weights):
        weights[f"other.{name}"] = weights.pop(name)


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (widen, r"has weights of another network than its {part}/config.json says \(.* is .* not "),
        (drop, "lacks 1 of its weights, such as"),
        (rename, r"lacks \d+ of its weights, such as"),
    ],
)
def test_weights_that_do_not_fit_are_told_with_the_command_that_helps(
    make_pipeline: Any, tmp_path: Path, part: str, change: Callable[[Any], None], said: str
) -> None:
    """The library filled missing weights of text encoders with random numbers."""
    folder = shutil.copytree(make_pipeline(), tmp_path / "model")
    path = next((folder / part).glob("*.safetensors"))
    weights = load_file(path)
    change(weights)
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(ModelBroken, match=f"its {part} {said.format(part=part)}") as told:
        load(str(folder), "cpu")
    assert "python -m momalisa models pull" in str(told.value)


@pytest.mark.parametrize("part", ["unet", "vae"])
def test_weights_that_are_no_numbers_make_no_black_film(
    make_pipeline: Any, tmp_path: Path, part: str
) -> None:
    folder = shutil.copytree(make_pipeline(), tmp_path / "model")
    path = next((folder / part).glob("*.safetensors"))
    broken = {name: torch.full_like(values, torch.nan) for name, values in load_file(path).items()}
    save_file(broken, path, metadata={"format": "pt"})
    spec, cache = walk_spec(model=str(folder), frames=2, steps=1, size=64), tmp_path / "frames"
    with pytest.raises(NoPicture) as told:
        list(frames(spec, load(str(folder), "cpu"), FrameCache(cache)))
    assert not [*cache.rglob("*.png"), *cache.rglob("*.npy")], "they would be used again"
    assert assign_blame(told.value) is Blame.UNFORESEEN, "as it may be the device's"


def test_weights_that_nothing_reads_do_no_harm(make_pipeline: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(make_pipeline(), tmp_path / "model")
    for path in folder.glob("*/*.safetensors"):
        save_file(load_file(path) | {"more": torch.zeros(3)}, path, metadata={"format": "pt"})
    assert load(str(folder), "cpu")
