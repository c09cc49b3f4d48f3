"""LoRA files: found by name and digest, checked by their headers."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from momalisa.errors import BadInput
from momalisa.loras import Lora
from momalisa.models import lora_files
from momalisa.settings import settings


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of LoRAs."""
    monkeypatch.setenv("MOMALISA_LORAS", str(tmp_path))
    settings.cache_clear()
    return tmp_path


def named(*names: str) -> list[Lora]:
    found = lora_files.name_loras([{"name": name} for name in names])
    return [Lora.model_validate(lora) for lora in found]


def _safetensors(names: list[str], tail: bytes = b"") -> bytes:
    entries = {
        name: {"dtype": "F32", "shape": [1], "data_offsets": [4 * n, 4 * n + 4]}
        for n, name in enumerate(names)
    }
    header = json.dumps(entries).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4 * len(names)) + tail


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "damaged"),
        (b"\xff" * 100, "damaged"),
        (_safetensors(["unet.to_q.lora_A.weight"], b"more"), "damaged"),
        (_safetensors(["unet.to_q.weight"]), "no LoRA"),
        (_safetensors([]), "no LoRA"),
        (_safetensors(["lora_unet_to_q.lora_up.weight", "lora_unet_to_q.dora_scale"]), "a DoRA"),
        (_safetensors(["unet.to_q.lora_A.weight", "unet.norm.weight"]), "no LoRA"),
    ],
)
def test_what_is_no_lora_is_refused_by_its_header(folder: Path, data: bytes, said: str) -> None:
    (folder / "bad.safetensors").write_bytes(data)
    with pytest.raises(BadInput, match=said):
        named("bad")


def test_what_is_not_there_is_told(folder: Path) -> None:
    ink, gold = (folder / f"{name}.safetensors" for name in ("ink", "gold"))
    ink.write_bytes(_safetensors(["unet.to_q.lora_A.weight"]))
    gold.write_bytes(_safetensors(["unet.to_k.lora_A.weight"]))
    (folder / "pickled.bin").write_bytes(b"")
    assert lora_files.list_names() == ["gold", "ink"]
    with pytest.raises(BadInput, match="there is gold, ink"):
        named("silver")
    (lora,) = named("ink")
    assert lora_files.find_file(lora) == ink
    ink.rename(folder / "indigo.safetensors")
    assert lora_files.find_file(lora).stem == "indigo"
    (folder / "indigo.safetensors").write_bytes(gold.read_bytes())
    with pytest.raises(BadInput, match="not in the folder of LoRAs here"):
        lora_files.find_file(lora)
    assert lora.digest != named("gold")[0].digest == sha256(gold.read_bytes()).hexdigest()
