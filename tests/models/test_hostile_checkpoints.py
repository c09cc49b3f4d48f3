"""Checkpoints from outside: nothing of theirs is run, and each is refused with a sentence."""

import json
import os
import pickle
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from momalisa.errors import ModelBroken, ModelNotFound
from momalisa.models import registry
from momalisa.models.component_check import check_components
from momalisa.settings import settings

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
Change = Callable[[Path], object]


def write(path: Path, **changes: Any) -> None:
    """Change keys of a JSON file."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


class Explosive:
    """Leaves a file behind where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def with_code(folder: Path) -> None:
    code = f"from pathlib import Path\nPath({str(folder.parent / 'ran')!r}).touch()\n"
    for name in ("pipeline.py", "unet/my_unet.py", "text_encoder/modeling.py", "my_unet.py"):
        (folder / name).write_text(code)


def with_pickle(folder: Path) -> None:
    weights = next((folder / "unet").glob("*.safetensors"))
    weights.unlink()
    data = pickle.dumps(Explosive(folder.parent / "ran"))
    for name in ("diffusion_pytorch_model.bin", "pytorch_model.bin", "model.ckpt"):
        (folder / "unet" / name).write_bytes(data)


def with_pipe(folder: Path) -> None:
    (folder / "vae" / "config.json").unlink()
    os.mkfifo(folder / "vae" / "config.json")


HOSTILE: dict[str, Change] = {
    "a custom pipeline": lambda f: write(f / "model_index.json", _class_name=["pipeline", "P"]),
    "a class of its own": lambda f: write(f / "model_index.json", unet=["my_unet", "Unet"]),
    "another library": lambda f: write(f / "model_index.json", unet=["os", "system"]),
    "another class": lambda f: write(
        f / "model_index.json", text_encoder=["transformers", "AutoModelForCausalLM"]
    ),
    "one component more": lambda f: write(f / "model_index.json", it=["diffusers", "UNet1DModel"]),
    "a component that is no pair": lambda f: write(f / "model_index.json", vae={"a": "b"}),
    "no scheduler": lambda f: write(f / "model_index.json", scheduler=[None, None]),
    "a pipeline's code": lambda f: write(f / "model_index.json", _custom_pipeline="pipeline.py"),
    "a component's code": lambda f: write(
        f / "text_encoder" / "config.json", auto_map={"AutoModel": "modeling.Model"}
    ),
    "a tokenizer's code": lambda f: write(
        f / "tokenizer" / "tokenizer_config.json", auto_map={"AutoTokenizer": ["modeling.T", None]}
    ),
    "a tokenizer's class": lambda f: write(
        f / "tokenizer" / "tokenizer_config.json", tokenizer_class="MyTokenizer"
    ),
    "a configuration's class": lambda f: write(f / "unet" / "config.json", _class_name="Flux"),
    "quantized": lambda f: write(
        f / "text_encoder" / "config.json", quantization_config={"quant_method": "bitsandbytes"}
    ),
    "weights elsewhere": lambda f: (
        f / "unet" / "diffusion_pytorch_model.safetensors.index.json"
    ).write_text(json.dumps({"weight_map": {"a": "../../secret.safetensors"}})),
    "an adapter": lambda f: (f / "text_encoder" / "adapter_config.json").write_text("{}"),
    "pickled weights": with_pickle,
    "an odd tokenizer": lambda f: write(f / "tokenizer" / "tokenizer.json", version=""),
    "too many layers": lambda f: write(f / "text_encoder" / "config.json", num_hidden_layers=10**8),
    "too many layers in a block": lambda f: write(f / "unet" / "config.json", layers_per_block=9e8),
    "too many blocks": lambda f: write(
        f / "vae" / "config.json", down_block_types=["DownEncoderBlock2D"] * 10_000
    ),
    "too long prompts": lambda f: write(
        f / "tokenizer" / "tokenizer_config.json", model_max_length=10**17
    ),
    "a configuration that nobody writes": with_pipe,
    "no groups": lambda f: write(f / "unet" / "config.json", norm_num_groups=0),
    "too many noise levels": lambda f: write(
        f / "scheduler" / "scheduler_config.json", num_train_timesteps=10**9
    ),
}  # fmt: skip


@pytest.fixture
def folder(make_pipeline: Any, tmp_path: Path) -> Path:
    shutil.copytree(make_pipeline(), tmp_path / "models" / "guest")
    return tmp_path / "models" / "guest"


@pytest.fixture
def models_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("MOMALISA_MODELS", str(tmp_path / "models"))
    settings.cache_clear()
    yield tmp_path / "models"
    settings.cache_clear()


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_checkpoint_is_refused_and_none_of_its_code_runs(case: str, folder: Path) -> None:
    with_code(folder)
    HOSTILE[case](folder)
    with pytest.raises(ModelBroken):
        registry.load(str(folder), "cpu")
    assert not (folder.parent / "ran").exists()


FOUND_BY_LOADERS = {"pickled weights", "an odd tokenizer", "no groups"}


@pytest.mark.parametrize("case", sorted(HOSTILE.keys() - FOUND_BY_LOADERS))
def test_a_hostile_checkpoint_is_refused_before_anything_is_loaded(case: str, folder: Path) -> None:
    """Where the libraries refuse it as well, that is their choice, and may change."""
    HOSTILE[case](folder)
    with pytest.raises(ModelBroken):
        check_components(folder)


def test_a_good_checkpoint_passes(folder: Path) -> None:
    check_components(folder)
    for card in registry.available():
        if card.ready:
            check_components(Path(card.source))


@pytest.mark.parametrize(
    "value", [[], ["a"], {}, {"a": 1}, 7, None, True, 1.5, "", "\0", "x" * 999]
)
def test_any_value_of_the_class_name_is_refused_with_a_sentence(value: Any, folder: Path) -> None:
    """A list raised TypeError."""
    write(folder / "model_index.json", _class_name=value)
    with pytest.raises(ModelBroken, match="cannot be used"):
        registry.find(str(folder))


@hypothesis_settings(deadline=None, max_examples=60)
@given(data=st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_stands_in_the_files_the_answer_is_a_sentence(
    data: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp() / "any"
    for name in ("unet", "vae"):
        (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / name / "config.json").write_bytes(data)
    index = {"_class_name": "StableDiffusionPipeline"}
    (folder / "model_index.json").write_text(json.dumps(index))
    assert 64 <= registry.size_of(folder) <= 1024
    (folder / "model_index.json").write_bytes(data)
    for look in (registry.find, lambda name: check_components(Path(name))):
        with pytest.raises(ModelBroken):
            look(str(folder))


def test_a_model_in_the_models_folder_is_found_by_its_name(
    models_folder: Path, folder: Path
) -> None:
    (models_folder / "no model").mkdir()
    card = registry.find_for_visitor("guest")
    assert (card.name, card.source) == ("guest", str(folder))
    assert registry.find("guest") == card
    assert "guest" in [card.name for card in registry.available()]


def test_a_visitor_cannot_tell_paths_apart(models_folder: Path, folder: Path) -> None:
    """`~` was answered with “/root is not a diffusers pipeline”."""
    names = ["~", "/", "/etc", "/nowhere", "..", "../models/guest", str(folder), "tests", "gues"]
    answers = set()
    for name in [*names, "nothing", "x" * 400, "\0", f"{models_folder}/../models/guest"]:
        with pytest.raises(ModelNotFound) as refused:
            registry.find_for_visitor(name)
        answers.add(str(refused.value).replace(f"“{name}”", "NAME"))
    assert len(answers) == 1


def test_a_hub_id_does_not_name_a_folder_of_the_working_directory() -> None:
    with pytest.raises(ModelNotFound, match="models pull tests/models"):
        registry.find_for_visitor("tests/models")


def test_the_settings_model_may_be_any_folder(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOMALISA_MODEL", str(folder))
    settings.cache_clear()
    assert registry.find_for_visitor(str(folder)).source == str(folder)
    settings.cache_clear()
