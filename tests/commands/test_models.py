"""The command `models`: what is known, what is here, what fits; and what a folder is."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from momalisa.__main__ import main
from momalisa.models.download import hub_id_of_name
from momalisa.models.fit import GB, Machine
from momalisa.settings import settings


@pytest.fixture(autouse=True)
def laptop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with a small GPU, and an empty cache of the hub."""
    machine = Machine("cuda", 8 * GB, 24 * GB)
    monkeypatch.setattr("momalisa.commands.models.read_machine", lambda _device: machine)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    settings.cache_clear()


def listed(capsys: pytest.CaptureFixture[str], *options: str) -> list[dict[str, Any]]:
    assert main(["models", "--json", *options]) == 0
    rows: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return rows


def test_models_are_listed_with_what_a_curator_asks(capsys: pytest.CaptureFixture[str]) -> None:
    rows = {row["name"]: row for row in listed(capsys)}
    assert rows["atelier"]["here"]
    assert rows["atelier"]["fit"] == "whole"
    assert rows["sdxl"]["fit"] == "parts"
    assert rows["qwen-image"]["fit"] == "none"
    assert rows["flux-dev"]["gated"] is True
    assert not rows["sd-1.5"]["here"]


def test_the_list_can_be_searched(capsys: pytest.CaptureFixture[str]) -> None:
    assert {row["licence"] for row in listed(capsys, "--search", "apache")} == {"Apache-2.0"}
    assert {row["name"] for row in listed(capsys, "--here")} == {"atelier", "atelier-base"}


def test_the_table_says_how_to_bring_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--search", "xl"]) == 0
    told = capsys.readouterr().out
    assert "in parts" in told
    assert "models pull NAME" in told


def test_a_checkpoint_of_the_hubs_cache_is_listed_by_its_id(
    capsys: pytest.CaptureFixture[str], make_pipeline: Any, tmp_path: Path
) -> None:
    repository = tmp_path / "hub" / "models--some--model"
    shutil.copytree(make_pipeline(), repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    (row,) = listed(capsys, "--search", "some/model")
    assert (row["here"], row["size"], row["fit"]) == (True, 64, "whole")
    assert row["disk"] > 0


def test_a_folder_is_checked_by_path_or_name(
    capsys: pytest.CaptureFixture[str], make_pipeline: Any, tmp_path: Path
) -> None:
    assert main(["models", "check", "atelier"]) == 0
    assert "It is whole" in capsys.readouterr().out
    shutil.copytree(make_pipeline(), tmp_path / "mine")
    next((tmp_path / "mine" / "vae").glob("*.safetensors")).unlink()
    assert main(["models", "check", str(tmp_path / "mine")]) == 1
    assert "lacks the weights of its vae" in capsys.readouterr().err
    assert main(["models", "check", "sdxl"]) == 1
    assert "models pull sdxl" in capsys.readouterr().out
    assert main(["models", "check", "~nobody-of-that-name/x"]) == 1
    assert "There is nothing at" in capsys.readouterr().err


def test_what_ships_here_need_not_be_brought_and_names_are_read_leniently(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["models", "pull", "atelier"]) == 0
    assert "“atelier” ships with MOMA Lisa" in capsys.readouterr().out
    assert hub_id_of_name(" SDXL ") == hub_id_of_name("sdxl")
