"""What a folder is, and what it lacks: a sentence with the command that helps."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from momalisa.errors import ModelBroken
from momalisa.models import registry
from momalisa.models.fit import Weights
from momalisa.models.folder_check import check_whole, examine, hub_id_of, is_whole
from momalisa.models.weights import read_weights
from momalisa.settings import settings


@pytest.fixture
def folder(make_pipeline: Any, tmp_path: Path) -> Path:
    """A tiny pipeline in a repository's folder of the hub's cache."""
    snapshot = tmp_path / "models--some--model" / "snapshots" / "abc"
    shutil.copytree(make_pipeline(), snapshot)
    return snapshot


def weights_of(folder: Path) -> Path:
    return next((folder / "unet").glob("*.safetensors"))


def cut(folder: Path) -> None:
    path = weights_of(folder)
    path.write_bytes(path.read_bytes()[:-100])


def without_vocabulary(folder: Path) -> None:
    for path in (folder / "tokenizer").iterdir():
        path.unlink()


def shard(folder: Path) -> None:
    weights_of(folder).unlink()
    names = [f"diffusion_pytorch_model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    index = {"weight_map": {"a": names[0], "b": names[1]}}
    (folder / "unet" / "diffusion_pytorch_model.safetensors.index.json").write_text(
        json.dumps(index)
    )
    save_file({"a": np.zeros(4, np.float32)}, folder / "unet" / names[0])


PULL = "python -m momalisa models pull some/model"
PROBLEMS: dict[str, tuple[Callable[[Path], object], str]] = {
    "weights are missing": (lambda f: weights_of(f).unlink(), "lacks the weights of its unet"),
    "a shard is missing": (shard, "model-00002-of-00002.safetensors"),
    "weights are cut off": (cut, "damaged or not whole"),
    "only pickled weights": (
        lambda f: weights_of(f).rename(f / "unet" / "diffusion_pytorch_model.bin"),
        "pickled weights only",
    ),
    "only weights of another name": (
        lambda f: weights_of(f).rename(f / "unet" / "weights.safetensors"),
        "another name",
    ),
    "no configuration": (lambda f: (f / "vae" / "config.json").unlink(), "vae/config.json"),
    "no scheduler": (
        lambda f: (f / "scheduler" / "scheduler_config.json").unlink(),
        "scheduler_config.json",
    ),
    "no vocabulary": (
        without_vocabulary,
        "the vocabulary of its tokenizer",
    ),
}


def test_a_whole_folder_is_told_with_its_parts(folder: Path) -> None:
    found = examine(folder)
    assert (found.family, found.problems) == ("StableDiffusionPipeline", ())
    assert {part.name for part in found.parts if part.bytes} == {"unet", "vae", "text_encoder"}
    assert is_whole(folder)


def test_a_repositorys_folder_is_that_of_its_present_revision(folder: Path) -> None:
    repository = folder.parent.parent
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    assert examine(repository) == examine(folder)
    assert hub_id_of(folder) == "some/model"


@pytest.mark.parametrize("case", PROBLEMS)
def test_what_is_wrong_is_told_with_the_command_that_helps(case: str, folder: Path) -> None:
    change, words = PROBLEMS[case]
    change(folder)
    problems = examine(folder).problems
    assert words in problems[0]
    assert PULL in problems[0]


@pytest.mark.parametrize("case", sorted(PROBLEMS.keys() - {"weights are cut off"}))
def test_what_lacks_files_is_not_loaded(case: str, folder: Path) -> None:
    PROBLEMS[case][0](folder)
    with pytest.raises(ModelBroken, match="pull some/model"):
        check_whole(folder)
    with pytest.raises(ModelBroken, match="pull some/model"):
        registry.load(str(folder), "cpu")


def config(path: Path, **entries: Any) -> None:
    path.mkdir(parents=True)
    (path / "config.json").write_text(json.dumps(entries))


def single_file(path: Path, name: str) -> None:
    path.mkdir()
    save_file({name: np.zeros(4, np.float32)}, path / "art.safetensors")


def pickled_file(path: Path) -> None:
    path.mkdir()
    (path / "art.ckpt").write_bytes(b"")


def adapter(path: Path) -> None:
    path.mkdir()
    (path / "adapter_config.json").write_text("{}")


OTHERS: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda path: None, "nothing at"),
    "an empty folder": (lambda path: path.mkdir(), "no model_index.json"),
    "transformers": (lambda path: config(path, model_type="qwen3"), "another library"),
    "SD in one file": (lambda path: single_file(path, "cond_stage_model.x"), "StableDiffusionPipe"),
    "SDXL in one file": (
        lambda path: single_file(path, "conditioner.embedders.1.model.x"),
        "StableDiffusionXLPipeline",
    ),
    "a LoRA": (lambda path: single_file(path, "lora_unet_x.lora_down"), "adapter (LoRA)"),
    "a LoRA's folder": (adapter, "adapter (LoRA)"),
    "one pickled file": (pickled_file, "pickled weights"),
    "a begun download": (lambda path: (path / "blobs").mkdir(parents=True), "not finished"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_is_no_model_is_told_by_what_it_is(case: str, tmp_path: Path) -> None:
    make, words = OTHERS[case]
    make(tmp_path / "it")
    found = examine(tmp_path / "it")
    assert found.family == ""
    assert words in found.problems[0]
    assert "python -" in found.problems[0]


def keep_as_half(folder: Path) -> None:
    """As `save_pretrained` writes half precision, in shards; the autoencoder has its usual name."""
    import torch
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(folder, safety_checker=None)
    vae = folder / "vae" / "diffusion_pytorch_model.safetensors"
    content = vae.read_bytes()
    for path in folder.rglob("*.safetensors"):
        path.unlink()
    pipeline.to(torch.float16).save_pretrained(folder, variant="fp16", max_shard_size="40KB")
    for path in vae.parent.glob("*.fp16*"):
        path.unlink()
    vae.write_bytes(content)


def rename_as_half(folder: Path) -> None:
    weights_of(folder).rename(folder / "unet" / "diffusion_pytorch_model.bf16.safetensors")


@pytest.mark.parametrize("change", [keep_as_half, rename_as_half])
def test_weights_that_are_there_in_half_precision_alone_are_walked(
    change: Callable[[Path], object], folder: Path
) -> None:
    before = read_weights(folder)
    change(folder)
    assert examine(folder).problems == ()
    assert read_weights(folder) == before
    assert registry.load(str(folder), "cpu").model.network


def test_parts_that_are_not_used_are_not_loaded(folder: Path) -> None:
    """Such as those of a checker or of picture prompts, which other programs have added."""
    index = json.loads((folder / "model_index.json").read_text())
    index["image_encoder"] = ["transformers", "CLIPVisionModelWithProjection"]
    index["feature_extractor"] = ["transformers", "CLIPFeatureExtractor"]
    index["safety_checker"] = ["stable_diffusion", "StableDiffusionSafetyChecker"]
    (folder / "model_index.json").write_text(json.dumps(index))
    assert examine(folder).problems == ()
    assert registry.load(str(folder), "cpu").model.network


def test_a_part_of_a_model_leads_to_the_whole(folder: Path) -> None:
    assert f"models check {folder}" in examine(folder / "unet").problems[0]


def test_another_pipeline_is_told_by_its_class(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "WanPipeline"}))
    assert "is a WanPipeline" in examine(tmp_path).problems[0]


def test_weights_are_counted_in_any_precision(folder: Path) -> None:
    counted = read_weights(folder)
    assert counted
    numbers = {"a": np.zeros((10, 50), np.float16), "b": np.zeros(100_000, np.float16)}
    save_file(numbers, weights_of(folder), metadata={"format": "pt"})
    assert read_weights(folder) == Weights(counted.total - counted.largest + 100_500, 100_500)
    weights_of(folder).unlink()
    assert read_weights(folder) is None


def test_a_download_that_was_broken_off_is_not_ready(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was listed as ready, and failed when its walk was made."""
    cache = folder.parent.parent.parent
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    (folder.parent.parent / "refs").mkdir()
    (folder.parent.parent / "refs" / "main").write_text("abc")

    def listed() -> Any:
        return next(card for card in registry.available() if card.name == "some/model")

    assert listed().ready
    assert listed().weights == read_weights(folder)
    content = weights_of(folder).read_bytes()
    weights_of(folder).unlink()
    assert not listed().ready
    assert PULL in listed().hint
    (folder / "unet" / "diffusion_pytorch_model.safetensors").write_bytes(content)
    assert listed().ready


def test_a_download_that_was_broken_off_at_its_start_is_one_for_create_too(tmp_path: Path) -> None:
    repository = tmp_path / "models--some--model"
    (repository / "blobs").mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    (told,) = examine(repository).problems
    assert told == f"The download of models--some--model was not finished. To go on: {PULL}"


def test_a_file_that_is_quantised_for_other_programs_is_told(tmp_path: Path) -> None:
    path = tmp_path / "flux1-dev-Q4_K_S.gguf"
    path.write_bytes(b"GGUF")
    (told,) = examine(path).problems
    assert "quantised for other programs" in told
    assert "python -m momalisa models" in told


def test_a_single_file_in_place_of_a_model_is_told_by_what_helps(tmp_path: Path) -> None:
    path = tmp_path / "art.safetensors"
    save_file({"cond_stage_model.x": np.zeros(4, np.float32)}, path)
    with pytest.raises(ModelBroken, match=r"single checkpoint.*from_single_file"):
        registry.find(str(path))


def test_a_single_file_that_is_cut_off_is_no_checkpoint_to_convert(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"ab")
    (told,) = examine(path).problems
    assert "damaged or not whole" in told
    assert "from_single_file" not in told


def _quantise(folder: Path) -> None:
    path = folder / "unet" / "config.json"
    quantised = {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}
    path.write_text(json.dumps(json.loads(path.read_text()) | quantised))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_quantise, "its unet/config.json is quantised for another library"),
        (without_vocabulary, "the download was not finished: it lacks the vocabulary"),
    ],
)
def test_what_cannot_be_loaded_is_refused_before_a_walk_is_made(
    folder: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Path], object], said: str
) -> None:
    monkeypatch.setenv("MOMALISA_MODELS", str(folder.parent))
    settings.cache_clear()
    assert registry.find_for_visitor("abc").ready
    change(folder)
    for find in (registry.find_for_visitor, registry.find):
        with pytest.raises(ModelBroken, match=f"“abc” cannot be used: {said}"):
            find("abc")


def test_weights_that_turn_out_damaged_are_named_with_the_command_that_helps(folder: Path) -> None:
    cut(folder)
    with pytest.raises(ModelBroken, match=f"is damaged or not whole.*{PULL}"):
        registry.load(str(folder), "cpu")


def test_weights_that_may_not_be_read_are_not_called_damaged(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The advice was to delete them. An administrator may read all, so the system's word is set."""
    monkeypatch.setattr("os.access", lambda path, _mode: "unet" not in str(path))
    (problem,) = examine(folder).problems
    assert "may not be read" in problem
    assert f"chmod a+r {weights_of(folder)}" in problem
