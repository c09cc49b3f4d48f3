"""LoRA files: found by name and digest, checked by their headers."""

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from momalisa.errors import BadInput, NotHere
from momalisa.loras import Lora, parse_lora
from momalisa.models import lora_files
from momalisa.settings import settings
from tests.support.lora_files import safetensors_bytes


def header(text: str) -> bytes:
    """A safetensors file of this header alone."""
    return len(text).to_bytes(8, "little") + text.encode()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of LoRAs."""
    monkeypatch.setenv("MOMALISA_LORAS", str(tmp_path))
    settings.cache_clear()
    return tmp_path


def named(*names: str) -> list[Lora]:
    found = lora_files.name_loras([{"name": name} for name in names])
    return [Lora.model_validate(lora) for lora in found]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "damaged"),
        (b"\xff" * 100, "damaged"),
        (safetensors_bytes(["unet.to_q.lora_A.weight"], b"more"), "damaged"),
        (header('{"lora_A.weight": {"data_offsets": []}}'), "damaged"),
        (header('{"lora_A.weight": {"data_offsets": [0, 1e999]}}'), "damaged"),
        (header('{"lora_A.weight": {"data_offsets": [0, 0], "shape": [0]}}'), "damaged"),
        (
            header(
                '{"lora_A.weight": {"dtype": "F32", "shape": [99999999], "data_offsets": [0, 4]}}'
            )
            + bytes(4),
            "damaged",
        ),
        (safetensors_bytes(["unet.to_q.weight"]), "no LoRA"),
        (safetensors_bytes([]), "no LoRA"),
        (
            safetensors_bytes(["lora_unet_to_q.lora_up.weight", "lora_unet_to_q.dora_scale"]),
            "a DoRA",
        ),
        (safetensors_bytes(["unet.to_q.lora_A.weight", "unet.norm.weight"]), "no LoRA"),
    ],
)
def test_what_is_no_lora_is_refused_by_its_header(folder: Path, data: bytes, said: str) -> None:
    (folder / "bad.safetensors").write_bytes(data)
    with pytest.raises(BadInput, match=said):
        named("bad")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("modules_to_save", ["conv_in"]),  # which stay in the model after the LoRA
        ("use_dora", True),
        ("init_lora_weights", "pissa"),
        ("target_modules", "(.+)+x"),
        ("lora_alpha", float("nan")),
        ("r", 10**30),
        ("rank_pattern", {"(.+)+x": 4}),
        ("alpha_pattern", {"to_q": float("inf")}),
        ("layers_pattern", "(.+)+x"),
        ("a_kind_that_is_not_known", {"size": 4}),
    ],
)
def test_a_lora_of_another_kind_is_refused_by_its_settings(
    folder: Path, name: str, value: Any
) -> None:
    plain = {"unet.r": 4, "unet.lora_alpha": 8, "unet.target_modules": ["to_q"]}
    plain |= {"unet.use_dora": False, "unet.init_lora_weights": "gaussian", "unet.bias": "none"}
    plain |= {"unet.rank_pattern": {"^mid_block.to_q$": 2}, "unet.a_kind_to_come": None}
    for kept, file in ((plain, "plain"), (plain | {f"unet.{name}": value}, "other")):
        data = safetensors_bytes(
            ["unet.to_q.lora_A.weight"], lora_adapter_metadata=json.dumps(kept)
        )
        (folder / f"{file}.safetensors").write_bytes(data)
    assert named("plain")
    with pytest.raises(BadInput, match=f"“{name}”"):
        named("other")


def test_nobody_waits_for_a_pipe_among_the_loras(folder: Path) -> None:
    os.mkfifo(folder / "pipe.safetensors")
    assert "pipe" not in lora_files.list_names()
    with pytest.raises(BadInput, match="There is no LoRA “pipe”"):
        named("pipe")


def test_a_loras_name_may_have_signs_that_weights_have(folder: Path) -> None:
    assert parse_lora("x=y=0,1") == {"name": "x=y", "weights": ["0", "1"]}
    assert parse_lora("ink") == {"name": "ink", "weights": ["1"]}


def test_what_is_not_there_is_told(folder: Path) -> None:
    ink, gold = (folder / f"{name}.safetensors" for name in ("ink", "gold"))
    ink.write_bytes(safetensors_bytes(["unet.to_q.lora_A.weight"]))
    gold.write_bytes(safetensors_bytes(["unet.to_k.lora_A.weight"]))
    (folder / "pickled.bin").write_bytes(b"")
    assert lora_files.list_names() == ["gold", "ink"]
    with pytest.raises(BadInput, match="there is gold, ink"):
        named("silver")
    (lora,) = named("ink")
    assert lora_files.find_file(lora) == ink
    ink.rename(folder / "indigo.safetensors")
    assert lora_files.find_file(lora).stem == "indigo"
    (folder / "indigo.safetensors").write_bytes(gold.read_bytes())
    with pytest.raises(NotHere, match="not in the folder of LoRAs here"):
        lora_files.find_file(lora)
    assert lora.digest != named("gold")[0].digest == sha256(gold.read_bytes()).hexdigest()


def test_a_file_too_large_for_a_lora_is_not_read_to_find_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint among them was hashed, which took minutes."""
    (folder / "ink.safetensors").write_bytes(safetensors_bytes(["unet.to_q.lora_A.weight"]))
    (lora,) = named("ink")
    (folder / "ink.safetensors").rename(folder / "renamed.safetensors")
    os.truncate(folder / "renamed.safetensors", 10)
    with (folder / "huge.safetensors").open("wb") as huge:
        huge.truncate(lora_files.LARGEST_FILE + 1)
    hashed: list[str] = []
    monkeypatch.setattr(lora_files, "_digest_of", lambda state: hashed.append(state[0]))
    with pytest.raises(NotHere):
        lora_files.find_file(lora)
    assert [Path(path).stem for path in hashed] == ["renamed"]
