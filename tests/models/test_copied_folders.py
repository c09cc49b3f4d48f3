"""Checkpoints that people copied: they are found by whatever name, with what is known of them."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from momalisa.__main__ import main
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


def test_folders_may_lie_as_on_the_hub_by_owner_and_name(folder: Path) -> None:
    models = settings().models_folder
    shutil.copytree(folder, models / "Somebody" / "Art-v1")
    shutil.copytree(folder, models / "stabilityai" / "sd-turbo")
    (models / "Somebody" / "notes").mkdir()
    names = [card.name for card in available() if card.ready]
    assert names == ["atelier", "atelier-base", "Somebody/Art-v1", "sd-turbo"]
    for find_by in (find, find_for_visitor):
        assert find_by("Somebody/Art-v1").source == str(models / "Somebody" / "Art-v1")
        assert find_by("sd-turbo").source == str(models / "stabilityai" / "sd-turbo")


@pytest.mark.parametrize("place", ["hub", "models"])
def test_hub_ids_are_found_in_any_case_as_on_the_hub(
    folder: Path, tmp_path: Path, place: str
) -> None:
    copy_of_cache(folder, tmp_path / place, "Some/Model")
    copy_of_cache(folder, tmp_path / place, "stabilityai/sd-turbo")
    for name, title in (("some/MODEL", "Some/Model"), ("StabilityAI/SD-turbo", "SD-Turbo")):
        card = find(name)
        assert (card.name, card.title, card.ready) == (name, title, True)
    with pytest.raises(ModelNotFound):
        find("some/models")


def test_another_revision_has_the_card_of_its_model(folder: Path, tmp_path: Path) -> None:
    copied = copy_of_cache(folder, tmp_path / "hub", "stabilityai/sd-turbo")
    card = find(str(shutil.copytree(folder, copied / "snapshots" / "other")))
    assert (card.steps, card.guidance, card.distilled) == (2, 0.0, True)


def cut(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes()[:-100])


def lengthen(weights: Path) -> None:
    weights.write_bytes(weights.read_bytes() + b"more")


def empty(weights: Path) -> None:
    weights.write_bytes(b"")


def leave_a_pointer(weights: Path) -> None:
    """What Git leaves of a large file."""
    weights.write_bytes(b"version https://git-lfs.github.com/spec/v1\n")


@pytest.mark.parametrize("damage", [cut, lengthen, empty, leave_a_pointer])
def test_damaged_weights_are_listed_as_such_with_the_command_that_helps(
    folder: Path, damage: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    broken = shutil.copytree(folder, settings().models_folder / "my model")
    damage(next((broken / "unet").glob("*.safetensors")))
    (card,) = (card for card in available() if card.name == "my model")
    assert (card.ready, card.damaged) == (False, True)
    assert card.hint.endswith("python -m momalisa models check 'my model'")
    assert main(["models", "check", "my model"]) == 1
    assert "the file unet/" in capsys.readouterr().err.lower()
    with pytest.raises(ModelBroken, match="damaged or not whole"):
        find_for_visitor("my model")


def test_nobody_waits_for_weights_that_are_a_pipe(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who reads a pipe waits for whoever writes; the list of models stood still."""
    broken = shutil.copytree(folder, settings().models_folder / "broken")
    weights = next((broken / "unet").glob("*.safetensors"))
    weights.unlink()
    os.mkfifo(weights)
    (card,) = (card for card in available() if card.name == "broken")
    assert not card.ready
    assert main(["models", "check", "broken"]) == 1
    assert f"lacks the file unet/{weights.name}" in capsys.readouterr().err
    with pytest.raises(ModelBroken, match="lacks the file"):
        find_for_visitor("broken")


def test_weights_are_whole_again_once_all_of_them_are_copied(folder: Path) -> None:
    """Their folder does not tell: no file is added to it."""
    copied = shutil.copytree(folder, settings().models_folder / "copied")
    weights = next((copied / "unet").glob("*.safetensors"))
    content = weights.read_bytes()
    with weights.open("r+b") as file:
        for length in (1000, len(content)):
            file.truncate(0)
            file.seek(0)
            file.write(content[:length])
            file.flush()
            (card,) = (card for card in available() if card.name == "copied")
            assert card.ready == (length == len(content))


def test_weights_in_any_order_are_whole(folder: Path) -> None:
    """Some programs list tensors by name, and not as they lie in the file."""
    copied = shutil.copytree(folder, settings().models_folder / "copied")
    weights = next((copied / "unet").glob("*.safetensors"))
    content = weights.read_bytes()
    length = int.from_bytes(content[:8], "little")
    tensors = json.loads(content[8 : 8 + length])
    header = json.dumps(dict(reversed(tensors.items()))).encode()
    weights.write_bytes(len(header).to_bytes(8, "little") + header + content[8 + length :])
    (card,) = (card for card in available() if card.name == "copied")
    assert card.ready


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


@pytest.mark.parametrize(
    "config", [{"_class_name": "LMSDiscreteScheduler"}, {"use_beta_sigmas": True}]
)
def test_a_scheduler_that_needs_scipy_is_refused_where_that_is_not_installed(
    folder: Path, monkeypatch: pytest.MonkeyPatch, config: dict[str, Any]
) -> None:
    """It was told in the worker, after all weights were loaded."""
    path = folder / "scheduler" / "scheduler_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    index = json.loads((folder / "model_index.json").read_text())
    index["scheduler"] = ["diffusers", config.get("_class_name", "DDIMScheduler")]
    (folder / "model_index.json").write_text(json.dumps(index))
    check_components(folder)
    monkeypatch.setattr("momalisa.models.component_check.find_spec", lambda _name: None)
    with pytest.raises(ModelBroken, match="needs the package scipy"):
        check_components(folder)


def test_a_scheduler_that_takes_no_list_of_noise_levels_is_refused_where_it_gets_one(
    tmp_path: Path,
) -> None:
    """A FLUX with Heun's was said to be whole, and failed as it was painted."""
    families = ("FluxPipeline", "Flux2KleinPipeline", "ChromaPipeline", "ZImagePipeline")
    for family in (*families, "QwenImagePipeline", "Lumina2Pipeline"):
        scheduler = ["diffusers", "FlowMatchHeunDiscreteScheduler"]
        index = {"_class_name": family, "scheduler": scheduler}
        (tmp_path / "model_index.json").write_text(json.dumps(index))
        with pytest.raises(ModelBroken, match="its scheduler is of a kind"):
            check_components(tmp_path)
