"""What was read of checkpoints' folders is remembered on disk, until it is no longer true."""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from momalisa.models import card_memory
from momalisa.models.card_memory import FILE, open_card_memory
from momalisa.models.cards import ModelCard
from momalisa.models.registry import available
from momalisa.models.weights import measure_weights
from momalisa.settings import settings


@pytest.fixture
def guest(make_pipeline: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A tiny pipeline in the models folder of an empty home."""
    monkeypatch.setenv("MOMALISA_HOME", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    settings.cache_clear()
    yield Path(shutil.copytree(make_pipeline(), tmp_path / "models" / "guest"))
    settings.cache_clear()


def listed() -> ModelCard:
    """The guest's card in the list of a program that has just started."""
    open_card_memory.cache_clear()
    (card,) = (card for card in available() if card.name == "guest")
    return card


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The folders whose weights were looked at."""
    folders = []

    def look(folder: Path, parts: Any) -> Any:
        folders.append(folder)
        return measure_weights(folder, parts)

    monkeypatch.setattr("momalisa.models.measured.measure_weights", look)
    return folders


def test_a_program_that_starts_finds_what_the_one_before_has_read(
    guest: Path, read: list[Path]
) -> None:
    first = listed()
    assert guest in read
    read.clear()
    assert listed() == first
    assert guest not in read


def test_a_folder_that_changed_since_is_read_again(guest: Path, read: list[Path]) -> None:
    assert listed().ready
    next((guest / "unet").glob("*.safetensors")).unlink()
    assert not listed().ready


def test_weights_that_were_written_over_since_are_looked_at_again(
    guest: Path, read: list[Path]
) -> None:
    """As by a copy that was broken off: its folder does not tell."""
    assert listed().ready
    weights = next((guest / "unet").glob("*.safetensors"))
    with weights.open("r+b") as file:
        file.truncate(weights.stat().st_size - 100)
    assert listed().damaged


def test_what_another_program_has_read_is_read_again(
    guest: Path, read: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may know other families, or find other steps for the same checkpoint."""
    first = listed()
    read.clear()
    monkeypatch.setattr(card_memory, "_program_state", lambda: ("a later one",))
    assert listed() == first
    assert guest in read


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b'{"cards": 1}', b"[" * 100_000])
def test_a_damaged_memory_is_none(guest: Path, read: list[Path], data: bytes) -> None:
    file = settings().home / FILE
    file.write_bytes(data)
    assert listed().ready
    assert guest in read
    assert json.loads(file.read_bytes())["cards"]


def test_half_of_a_card_is_none(guest: Path, read: list[Path]) -> None:
    listed()
    file = settings().home / FILE
    told = json.loads(file.read_bytes())
    del told["cards"][0][-1]["title"]
    file.write_text(json.dumps(told))
    read.clear()
    assert listed().ready
    assert guest in read


def test_where_the_home_cannot_be_written_the_list_is_there(guest: Path) -> None:
    os.mkdir(settings().home / FILE)
    assert listed().ready
