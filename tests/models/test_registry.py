"""The registry: which models can be walked, and the errors for those that cannot."""

import gc
import hashlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from momalisa.__main__ import main
from momalisa.errors import ModelBroken, ModelNotFound
from momalisa.models import registry
from momalisa.models.cards import FAMILIES
from momalisa.models.digest import folder_digest
from momalisa.models.distillation import DISTILLATION
from momalisa.models.hub_cards import HUB_MODELS
from momalisa.models.libraries import import_adapter
from momalisa.models.registry import available, digest_of, find, load, name_of_weights
from momalisa.spec import SHORTCUTS
from tests.support.walks import walk_spec


def test_the_shipped_model_comes_first_and_is_ready() -> None:
    first = available()[0]
    assert (first.name, first.ready) == ("atelier", True)


def test_atelier_takes_few_steps_and_its_base_is_guided() -> None:
    few, base = (find(name) for name in ("atelier", "atelier-base"))
    assert (few.steps, few.guidance, few.distilled) == (4, 1.0, True)
    assert (base.steps, base.guidance, base.distilled) == (20, 4.0, False)
    told = json.loads((Path(few.source) / DISTILLATION).read_text())
    assert told == {"steps": few.steps, "guidance": few.guidance}
    assert digest_of(few.name) != digest_of(base.name)


def test_weights_are_found_when_another_model_has_their_name() -> None:
    base = digest_of("atelier-base")
    assert name_of_weights("atelier", base, guided=False) == "atelier-base"
    assert name_of_weights("atelier", digest_of("atelier"), guided=True) == "atelier"
    assert name_of_weights("atelier", "", guided=True) == "atelier"


def test_guided_films_whose_weights_are_gone_are_those_of_the_base() -> None:
    gone = "5a" * 32
    assert name_of_weights("atelier", gone, guided=True) == "atelier-base"
    assert name_of_weights("atelier", gone, guided=False) == "atelier"
    assert name_of_weights("sd-1.5", gone, guided=True) == "sd-1.5"


def test_a_model_of_the_hub_says_how_to_bring_it() -> None:
    with pytest.raises(ModelNotFound, match="models pull someone/something"):
        find("someone/something")


@pytest.mark.parametrize(
    "name", ["nothing", "../..", "/no/such/folder", "a b c", "x" * 400, "~nobody/here"]
)
def test_an_unknown_name_is_refused_with_a_choice(name: str) -> None:
    with pytest.raises((ModelNotFound, ModelBroken), match=r"Choose one of|cannot be used"):
        find(name)


def test_a_folder_is_found_with_its_native_size(make_pipeline: Any) -> None:
    folder = make_pipeline()
    assert find(str(folder)).size == 64


def distilled_folder(make_pipeline: Any, told: Any = None) -> Path:
    folder: Path = make_pipeline()
    told = {"steps": 3, "guidance": 1.0} if told is None else told
    (folder / DISTILLATION).write_text(json.dumps(told))
    return folder


def test_a_checkpoint_tells_what_it_was_distilled_to(make_pipeline: Any) -> None:
    folder = distilled_folder(make_pipeline)
    card = find(str(folder))
    assert (card.steps, card.guidance, card.distilled) == (3, 1.0, True)
    assert load(str(folder), "cpu").distilled
    assert not find(str(make_pipeline())).distilled


@pytest.mark.parametrize("told", [{}, {"steps": 0}, {"steps": True}, {"steps": 4, "guidance": "x"}])
def test_a_distillation_without_sense_is_refused(make_pipeline: Any, told: Any) -> None:
    with pytest.raises(ModelBroken, match=DISTILLATION):
        find(str(distilled_folder(make_pipeline, told)))


def test_a_new_walk_has_its_models_settings_and_no_cross_fade(make_pipeline: Any) -> None:
    usual, few = find(str(make_pipeline())), find(str(distilled_folder(make_pipeline)))
    assert usual.new_walk["without"] == ("trunk", "glide")
    assert set(few.new_walk["without"]) == set(SHORTCUTS)
    for card in (usual, few):
        walk = walk_spec(**card.new_walk)
        assert (walk.steps, walk.guidance, walk.size) == (card.steps, card.guidance, card.size)


def test_other_steps_or_guidance_than_it_was_distilled_to_are_told() -> None:
    card = replace(available()[0], steps=4, guidance=1.0, distilled=True)
    assert card.warn(4, 1.0) == card.warn(4, 0.0) == ""
    for steps, guidance in ((5, 1.0), (4, 3.0)):
        assert "distilled to 4 steps without guidance" in card.warn(steps, guidance)
    assert replace(card, distilled=False).warn(5, 3.0) == ""


def test_settings_that_may_not_fit_are_told_where_a_walk_is_made(
    make_pipeline: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(make_pipeline(), tmp_path / "my-turbo-mix")
    card = find(str(folder))
    assert card.distilled
    assert "are a guess" in card.warn(card.steps, card.guidance)
    assert main(["models", "check", str(folder)]) == 0
    assert DISTILLATION in capsys.readouterr().out
    (folder / DISTILLATION).write_text('{"steps": 5, "guidance": 1.0}')
    assert find(str(folder)).warn(5, 1.0) == ""


def test_a_hub_id_that_is_listed_has_its_card() -> None:
    listed = next(card for card in HUB_MODELS if card.distilled)
    with pytest.raises(ModelNotFound, match="models pull"):
        find(listed.source)
    card = registry._from_hub(listed.source)
    assert card
    assert (card.steps, card.distilled) == (listed.steps, True)


def test_a_folder_that_is_no_pipeline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match=r"model_index\.json"):
        find(str(tmp_path))


def test_a_foreign_pipeline_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "WanPipeline"}))
    with pytest.raises(ModelBroken, match="is a WanPipeline"):
        find(str(tmp_path))


def test_missing_weights_raise_model_broken(make_pipeline: Any, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(make_pipeline(), folder)
    next((folder / "unet").glob("*.safetensors")).unlink()
    with pytest.raises(ModelBroken, match="lacks the weights of its unet"):
        load(str(folder), "cpu")


def test_a_part_that_needs_another_package_raises_model_broken(
    make_pipeline: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the libraries do it for a scheduler, say."""

    def lack(*_: object, **__: object) -> None:
        raise ImportError("\nIt requires scipy. You can install it with pip.\n")

    monkeypatch.setattr("diffusers.DDIMScheduler.from_pretrained", lack)
    with pytest.raises(ModelBroken, match="cannot be loaded: It requires scipy"):
        load(str(make_pipeline()), "cpu")


def test_pickled_weights_are_not_loaded(make_pipeline: Any, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(make_pipeline(), folder)
    weights = next((folder / "unet").glob("*.safetensors"))
    torch.save(load_file(weights), weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(ModelBroken):
        load(str(folder), "cpu")


def test_the_digest_is_of_the_weights_not_of_the_folder(make_pipeline: Any, tmp_path: Path) -> None:
    folder, copied = make_pipeline(seed=1), tmp_path / "copied"
    shutil.copytree(folder, copied)
    one, same, other = (load(str(f), "cpu") for f in (folder, copied, make_pipeline(seed=2)))
    assert one.model.digest == same.model.digest != other.model.digest


def test_a_digest_is_computed_once_per_state_of_the_files(
    make_pipeline: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(make_pipeline(), folder)
    before = digest_of(str(folder))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", None)  # no file is read again
        assert digest_of(str(folder)) == before
    weights = next((folder / "unet").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    assert digest_of(str(folder)) != before


@pytest.mark.parametrize("family", FAMILIES)
def test_frames_of_two_families_alone_are_painted_anew(family: str, tmp_path: Path) -> None:
    """Short texts of these came to hold their last token; frames with zeros were used again."""
    index = json.dumps({"_class_name": family}).encode()
    (tmp_path / "model_index.json").write_bytes(index)
    as_ever = hashlib.sha256(b"model_index.json" + hashlib.sha256(index).digest()).hexdigest()
    differs = folder_digest(tmp_path) != as_ever
    assert differs is (family in ("ZImagePipeline", "QwenImagePipeline"))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub, with a branch of "some/model" at commit "a"."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    refs = tmp_path / "models--some--model" / "refs"
    refs.mkdir(parents=True)
    (refs / "main").write_text("a")
    return refs.parent


def test_a_model_is_found_once_its_download_has_ended(make_pipeline: Any, hub: Path) -> None:
    snapshot = hub / "snapshots" / "a"
    snapshot.mkdir(parents=True)
    with pytest.raises(ModelNotFound, match="models pull some/model"):
        find("some/model")
    shutil.copytree(make_pipeline(), snapshot, dirs_exist_ok=True)
    assert find("some/model").source == str(snapshot)
    (snapshot / "model_index.json").unlink()
    with pytest.raises(ModelNotFound):
        find("some/model")


def test_a_model_is_that_of_the_branchs_present_commit(make_pipeline: Any, hub: Path) -> None:
    for commit in ("a", "b"):
        shutil.copytree(make_pipeline(), hub / "snapshots" / commit)
    assert find("some/model").source.endswith("a")
    (hub / "refs" / "main").write_text("b")
    assert find("some/model").source.endswith("b")


def test_a_digest_tells_weights_of_equal_size_and_time_apart(
    make_pipeline: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(make_pipeline(), folder)
    weights = next((folder / "unet").glob("*.safetensors"))
    before, status = digest_of(str(folder)), weights.stat()
    weights.write_bytes(weights.read_bytes()[:-1] + b"!")
    os.utime(weights, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert digest_of(str(folder)) != before


def test_a_dangling_link_in_a_folder_raises_model_broken(
    make_pipeline: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(make_pipeline(), folder)
    (folder / "notes.txt").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ModelBroken, match="cannot be loaded"):
        load(str(folder), "cpu")


def test_atelier_loads_offline_with_stock_diffusers() -> None:
    from diffusers import DiffusionPipeline

    pipeline = DiffusionPipeline.from_pretrained(available()[0].source, local_files_only=True)
    assert type(pipeline).__name__ == "StableDiffusionPipeline"


def test_no_garbage_is_looked_for_while_libraries_are_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking through all that PyTorch and diffusers make took a fifth of the seconds."""
    (tmp_path / "some_adapter.py").write_text("import gc\nLOOKS = gc.isenabled()\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert gc.isenabled()
    assert import_adapter("some_adapter").LOOKS is False
    assert gc.isenabled()
