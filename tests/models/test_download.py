"""Models are brought from a hub: only what is loaded, checked, and with sentences for refusals."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from momalisa.errors import ModelBroken, ModelNotFound, ServiceError, StorageError
from momalisa.models import registry
from momalisa.models.download import pull, pull_part
from momalisa.models.folder_check import is_whole
from momalisa.models.hub_cache import downloaded
from momalisa.models.large_files import count_begun
from tests.support.hub_stand_in import COMMIT, HubStandIn, stand_in
from tests.test_architecture import HEAVY, ROOT

UNET = "unet/diffusion_pytorch_model.safetensors"
HALF = "unet/diffusion_pytorch_model.fp16.safetensors"
NOT_LOADED = {
    "unet/diffusion_pytorch_model.bin",
    HALF,
    "unet/diffusion_pytorch_model.non_ema.safetensors",
    "safety_checker/model.safetensors",
    "v1-5-pruned.safetensors",
    "v1-5-pruned.ckpt",
    "pipeline.py",
}


def set_address(patch: pytest.MonkeyPatch, address: str) -> None:
    """Let the hub's library ask another address."""
    files = address + "/{repo_id}/resolve/{revision}/{filename}"
    patch.setattr("huggingface_hub.constants.ENDPOINT", address)
    patch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", files)


@pytest.fixture
def hub(
    make_pipeline: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HubStandIn]:
    """A hub with one repository, which has more than is loaded; and an empty cache."""
    repository = tmp_path / "repository"
    shutil.copytree(make_pipeline(), repository)
    for name in NOT_LOADED:
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).write_bytes(b"x" * 2000)
    with stand_in(repository) as hub:
        set_address(monkeypatch, hub.address)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_TOKEN", "")
        yield hub


def here() -> set[str]:
    """The files of the model that are in the cache."""
    folder = downloaded("some/model")
    assert folder is not None
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_only_what_is_loaded_is_brought(hub: HubStandIn) -> None:
    told: list[str] = []
    folder = pull("some/model", tell=told.append)
    assert is_whole(folder)
    assert here() == hub.files.keys() - NOT_LOADED
    assert "to download" in told[0]
    assert registry.load("some/model", "cpu")


def test_a_familys_tiny_autoencoder_comes_along_if_it_can(hub: HubStandIn) -> None:
    (hub.folder / "config.json").write_text("{}")
    (hub.folder / "diffusion_pytorch_model.safetensors").write_bytes(b"x" * 2000)
    (hub.folder / "diffusion_pytorch_model.bin").write_bytes(b"x" * 2000)
    told: list[str] = []
    assert is_whole(pull("some/model", tell=told.append))
    assert "Previews are made without it: There is no model “madebyollin/taesd”" in told[-1]
    names = {path.name for path in pull_part("some/model").iterdir() if path.is_file()}
    assert names == {"config.json", "diffusion_pytorch_model.safetensors", "model_index.json"}


def test_what_is_here_is_not_brought_again(hub: HubStandIn) -> None:
    pull("some/model")
    hub.asked.clear()
    pull("some/model")
    assert hub.fetched() == []


def test_a_connection_that_breaks_goes_on_where_it_was(
    hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)
    hub.break_after, hub.breaks = 3000, 1
    folder = pull("some/model")
    assert is_whole(folder)
    assert any(asked_for == "bytes=3000-" for _, _, asked_for in hub.asked)


def test_a_file_that_was_broken_off_goes_on_where_it_was_at_the_next_try(
    hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hours of a large file were lost: the library begins it anew in each process."""
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)
    monkeypatch.setattr("momalisa.models.large_files.LEAST_BYTES", 4000)
    hub.break_after, hub.breaks, hub.status_after_breaks = (
        20_000,
        1,
        500,
    )  # weights alone are as long
    with pytest.raises(ServiceError, match=r"answered with error 500.*go on"):
        pull("some/model")
    hub.status = 0
    hub.asked.clear()
    assert count_begun(hub.folder.parent / "cache/models--some--model/snapshots/main") == 20_000
    assert is_whole(pull("some/model"))
    assert [asked_for for *_, asked_for in hub.asked if asked_for] == ["bytes=20000-"]
    assert not [*hub.folder.parent.rglob("*.incomplete*")]


def test_a_download_that_was_broken_off_goes_on_with_the_missing_files(hub: HubStandIn) -> None:
    content = (hub.folder / UNET).read_bytes()
    before = pull("some/model")
    (before / UNET).resolve().unlink()
    (before / UNET).unlink()
    assert not is_whole(before)
    hub.asked.clear()
    assert (pull("some/model") / UNET).read_bytes() == content
    assert hub.fetched() == [UNET]


def test_a_server_in_trouble_is_told_and_nothing_is_lost(hub: HubStandIn) -> None:
    hub.status = 416
    with pytest.raises(ServiceError, match=r"answered with error 416.*go on"):
        pull("some/model")
    hub.status = 0
    assert is_whole(pull("some/model"))


def test_files_with_another_digest_are_deleted(hub: HubStandIn) -> None:
    hub.wrong = {UNET}
    with pytest.raises(ModelBroken, match=f"not what the hub says.*{UNET}.*models pull"):
        pull("some/model")
    assert UNET not in here()
    hub.wrong = set()
    assert is_whole(pull("some/model"))


@pytest.mark.parametrize(
    ("token", "words"), [("", "accept its terms at .*some/model.*hf auth login"),
                         ("hf_x", "your account has no access yet")]
)  # fmt: skip
def test_a_gate_says_where_its_terms_are_accepted(
    token: str, words: str, hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    hub.gated = True
    with pytest.raises(ModelNotFound, match=words):
        pull("some/model")


REFUSALS: dict[str, tuple[str, str | None, str]] = {
    "no such model": ("some/other", None, "no model “some/other” on the hub"),
    "no such revision": ("some/model", "v9", "no revision “v9”"),
    "no such name": ("nothing", None, "neither a name of the list"),
    "no hub id": ("a/b c", None, "no hub id"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_not_there_is_told(case: str, hub: HubStandIn) -> None:
    name, revision, words = REFUSALS[case]
    with pytest.raises(ValueError, match=words):
        pull(name, revision)


def test_a_revision_is_brought(hub: HubStandIn) -> None:
    assert pull("some/model", COMMIT).name == COMMIT


def test_what_cannot_be_walked_is_refused_before_its_weights_are_brought(hub: HubStandIn) -> None:
    (hub.folder / UNET).unlink()
    (hub.folder / HALF).unlink()
    with pytest.raises(ModelBroken, match="no safetensors for its unet"):
        pull("some/model")
    (hub.folder / "model_index.json").rename(hub.folder / "other.json")
    with pytest.raises(ModelBroken, match=r"no model_index\.json"):
        pull("some/model")
    assert not any(name.endswith("safetensors") for name in hub.fetched())


@pytest.mark.parametrize(
    ("file", "change", "why"),
    [
        ("model_index.json", {"unet": ["my_unet", "Unet"]}, "its unet is of a kind"),
        ("unet/config.json", {"quantization_config": {}}, "quantised for another library"),
    ],
)
def test_what_would_not_be_loaded_is_refused_before_its_weights_are_brought(
    hub: HubStandIn, file: str, change: dict[str, Any], why: str
) -> None:
    """All gigabytes were brought, and then it was refused."""
    path = hub.folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelBroken, match=f"“some/model” cannot be used: .*{why}.*momalisa models"):
        pull("some/model")
    assert not any(name.endswith("safetensors") for name in hub.fetched())


def test_weights_in_half_precision_are_brought_where_there_are_no_others(hub: HubStandIn) -> None:
    (hub.folder / UNET).replace(hub.folder / HALF)
    folder = pull("some/model")
    assert is_whole(folder)
    assert HALF in here()
    assert registry.load("some/model", "cpu")


def test_a_full_disk_is_told_before_the_download(
    hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = type("Usage", (), {"free": 5000})
    monkeypatch.setattr("shutil.disk_usage", lambda _path: full)
    with pytest.raises(StorageError, match="HF_HOME"):
        pull("some/model")


def test_a_hub_out_of_reach_says_how_to_do_without(
    hub: HubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        set_address(patch, "http://127.0.0.1:9")
        with pytest.raises(ServiceError, match=r"cannot be reached.*copy its folder"):
            pull("some/model")
    with monkeypatch.context() as patch:
        patch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
        with pytest.raises(ServiceError, match="HF_HUB_OFFLINE is set"):
            pull("some/model")


def test_the_command_lists_brings_and_checks_without_torch(hub: HubStandIn, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom momalisa.__main__ import main\n"
        "code = main(['models', 'pull', 'some/model']) or main(['models'])\n"
        "code = code or main(['models', 'check', 'some/model'])\n"
        f"found = {HEAVY!r} & set(sys.modules)\nassert not found, found\nsys.exit(code)"
    )
    environment = os.environ | {"HF_ENDPOINT": hub.address, "HF_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "It is whole" in done.stdout
    assert "100%" in done.stderr  # a progress bar
