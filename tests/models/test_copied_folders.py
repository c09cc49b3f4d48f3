"""Checkpoints that people copied: they are found by whatever name, with what is known of them."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from momalisa.errors import ModelBroken, ModelNotFound
from momalisa.models.component_check import check_components
from momalisa.models.folder_check import examine
from momalisa.models.registry import available, find, find_for_visitor
from momalisa.settings import settings

COMMIT = "c" * 40


@pytest.fixture
def folder(make_pipeline: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A whole checkpoint; the models folder, `models` beside it, is empty."""
    monkeypatch.setenv("MOMALISA_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    settings.cache_clear()
    return Path(shutil.copytree(make_pipeline(), tmp_path / "folder"))


def copy_of_cache(folder: Path, into: Path, hub_id: str) -> Path:
    """What the hub's cache has of a model, in a folder."""
    repository = into / f"models--{hub_id.replace('/', '--')}"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(COMMIT)
    shutil.copytree(folder, repository / "snapshots" / COMMIT)
    return repository


@pytest.mark.parametrize("name", ["Juggernaut XL v9", "my model (fp16) [new], 2+1", "modèle"])
def test_a_folder_is_chosen_by_its_name_with_spaces_and_signs(folder: Path, name: str) -> None:
    shutil.copytree(folder, settings().models_folder / name)
    assert name in {card.name for card in available()}
    assert find_for_visitor(name).source == str(settings().models_folder / name)


@pytest.mark.parametrize("name", ["a/../../folder", "../folder", " folder", "_folder", "a\nb"])
def test_a_path_is_no_name_of_a_folder(folder: Path, name: str) -> None:
    (settings().models_folder / "a").mkdir(parents=True)
    with pytest.raises(ModelNotFound, match=r"is chosen by its name|is not on this machine"):
        find_for_visitor(name)


@pytest.mark.parametrize("cached", [False, True])
def test_a_listed_model_that_was_copied_has_its_card(folder: Path, cached: bool) -> None:
    """As those do who have no network on this machine: a plain folder, or that of the cache."""
    if cached:
        copy_of_cache(folder, settings().models_folder, "stabilityai/sd-turbo")
    else:
        shutil.copytree(folder, settings().models_folder / "sd-turbo")
    (listed,) = (card for card in available() if card.title == "SD-Turbo")
    for card in (listed, find("sd-turbo"), find("stabilityai/sd-turbo")):
        assert (card.ready, card.steps, card.guidance, card.distilled) == (True, 2, 0.0, True)


def test_a_folder_of_another_family_does_not_stand_for_a_listed_model(folder: Path) -> None:
    shutil.copytree(folder, settings().models_folder / "sdxl")
    with pytest.raises(ModelNotFound, match="models pull sdxl"):
        find("sdxl")


def test_a_copied_cache_of_another_model_is_found_by_its_hub_id(folder: Path) -> None:
    copied = copy_of_cache(folder, settings().models_folder, "some/model")
    assert examine(copied).problems == ()
    assert copied.name in {card.name for card in available()}
    for name in (copied.name, "some/model", str(copied)):
        assert find(name).source == str(copied / "snapshots" / COMMIT)


def test_another_revision_has_the_card_of_its_model(folder: Path, tmp_path: Path) -> None:
    copied = copy_of_cache(folder, tmp_path / "hub", "stabilityai/sd-turbo")
    card = find(str(shutil.copytree(folder, copied / "snapshots" / "other")))
    assert (card.steps, card.guidance, card.distilled) == (2, 0.0, True)


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1\n"])
def test_weights_that_are_none_make_a_model_not_ready(folder: Path, content: bytes) -> None:
    """An empty file, or what Git leaves of a large one."""
    broken = shutil.copytree(folder, settings().models_folder / "broken")
    next((broken / "unet").glob("*.safetensors")).write_bytes(content)
    (card,) = (card for card in available() if card.name == "broken")
    assert not card.ready


def test_half_of_a_vocabulary_is_told(folder: Path) -> None:
    tokenizer = folder / "tokenizer"
    model = json.loads((tokenizer / "tokenizer.json").read_text())["model"]
    (tokenizer / "vocab.json").write_text(json.dumps(model["vocab"]))
    (tokenizer / "tokenizer.json").unlink()
    (problem,) = examine(folder).problems
    assert "lacks the vocabulary of its tokenizer" in problem
    (tokenizer / "merges.txt").write_text("#version: 0.2\n")
    assert examine(folder).problems == ()


def test_a_scheduler_that_draws_noise_for_a_batch_is_refused(folder: Path) -> None:
    index = json.loads((folder / "model_index.json").read_text())
    index["scheduler"] = ["diffusers", "DPMSolverSDEScheduler"]
    (folder / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(ModelBroken, match="its scheduler is of a kind"):
        check_components(folder)
