"""The list of models and the loader agree: what is refused is not listed as here."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from momalisa.__main__ import main
from momalisa.errors import ModelBroken
from momalisa.models.cards import ModelCard
from momalisa.models.registry import available, find, find_for_visitor, load
from momalisa.settings import settings
from momalisa.ui.create.model_choice import describe, label


@pytest.fixture
def guest(make_pipeline: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A tiny pipeline in the models folder."""
    monkeypatch.setenv("MOMALISA_MODELS", str(tmp_path))
    settings.cache_clear()
    yield Path(shutil.copytree(make_pipeline(), tmp_path / "guest"))
    settings.cache_clear()


def listed() -> ModelCard:
    (card,) = (card for card in available() if card.name == "guest")
    return card


def change(path: Path, **entries: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | entries))


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a foreign component": (
        lambda f: change(f / "model_index.json", unet=["my_unet", "Unet"]),
        "its unet is of a kind that is not loaded here",
    ),
    "a component is missing": (
        lambda f: change(f / "model_index.json", scheduler=[None, None]),
        "its scheduler is missing",
    ),
    "an undecodable configuration": (
        lambda f: (f / "text_encoder" / "config.json").write_bytes(b"\xff{"),
        "its config.json cannot be read",
    ),
    "a tokenizer's code": (
        lambda f: change(f / "tokenizer" / "tokenizer_config.json", auto_map={"a": "b"}),
        "code of its own",
    ),
    "an odd scheduler": (
        lambda f: change(f / "scheduler" / "scheduler_config.json", num_train_timesteps=10**9),
        "a number of noise levels that no model has",
    ),
    "an adapter": (
        lambda f: (f / "unet" / "adapter_config.json").write_text("{}"),
        "an adapter of other weights",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_loading_refuses_is_listed_as_refused_with_the_same_reason(
    case: str, guest: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was listed as here, also after it was changed while the program ran."""
    assert listed().ready
    spoil, reason = REFUSED[case]
    spoil(guest)
    card = listed()
    assert not card.ready
    assert label(card, None) == "guest · cannot be used"
    assert reason in describe(card, None, 64 * 64)
    assert main(["models", "--search", "guest"]) == 0
    row = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("guest"))
    assert row.split()[1] == "refused"
    for refuse in (find, find_for_visitor, load):
        with pytest.raises(ModelBroken, match=f"The model “guest” cannot be used: .*{reason}"):
            refuse("guest")


def test_a_refused_folder_is_here_again_once_it_is_mended(guest: Path) -> None:
    config = guest / "text_encoder" / "config.json"
    content = config.read_bytes()
    config.write_bytes(b"{")
    assert not listed().ready
    config.write_bytes(content)
    assert listed().ready
