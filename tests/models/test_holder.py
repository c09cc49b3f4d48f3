"""Only the model that was used last stays in memory."""

import shutil
from pathlib import Path

import pytest

from momalisa.files import write_atomically
from momalisa.models.cards import ATELIER
from momalisa.models.holder import ModelHolder
from momalisa.models.registry import digest_of


def test_model_is_loaded_when_the_name_changes() -> None:
    loaded: list[tuple[str, str]] = []

    def load(name: str, device: str) -> str:
        assert models.current is None
        loaded.append((name, device))
        return name.upper()

    models = ModelHolder(load, "cpu")
    assert [models.get(name) for name in ("a", "a", "b", "a")] == ["A", "A", "B", "A"]
    assert loaded == [("a", "cpu"), ("b", "cpu"), ("a", "cpu")]
    assert models.current == "A"


def test_weights_that_were_replaced_are_loaded_anew(tmp_path: Path) -> None:
    """The worker went on painting with the old weights until it was started again."""
    folder = tmp_path / "mine"
    shutil.copytree(ATELIER.source, folder)
    loaded: list[str] = []
    models = ModelHolder(lambda name, _device: loaded.append(digest_of(name)), "cpu")
    for _ in range(2):
        models.get(str(folder))
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    content = weights.read_bytes()
    write_atomically(weights, content[:-1] + bytes([content[-1] ^ 1]))
    for _ in range(2):
        models.get(str(folder))
    assert len(loaded) == len(set(loaded)) == 2


def test_released_model_is_loaded_again() -> None:
    loaded: list[str] = []
    models = ModelHolder(lambda name, _device: loaded.append(name), "cpu")
    models.get("a")
    models.release()
    models.get("a")
    assert loaded == ["a", "a"]


def test_failed_load_leaves_no_model() -> None:
    def load(name: str, _device: str) -> str:
        return {"a": "A"}[name]

    models = ModelHolder(load, "cpu")
    models.get("a")
    with pytest.raises(KeyError):
        models.get("b")
    assert models.current is None
