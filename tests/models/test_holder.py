"""Only the model that was used last stays in memory."""

import pytest

from momalisa.models.holder import ModelHolder


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
