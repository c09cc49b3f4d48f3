"""Files that look like LoRAs to who reads their headers."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def safetensors_bytes(names: Sequence[str], tail: bytes = b"", **metadata: str) -> bytes:
    """A safetensors file with a number under each name, and what follows it."""
    entries: dict[str, Any] = {
        name: {"dtype": "F32", "shape": [1], "data_offsets": [4 * n, 4 * n + 4]}
        for n, name in enumerate(names)
    }
    entries |= {"__metadata__": metadata} if metadata else {}
    header = json.dumps(entries).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4 * len(names)) + tail


def put_lora(folder: Path, name: str) -> Path:
    """A LoRA of one matrix in a folder, other than those of other names."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    path.write_bytes(safetensors_bytes([f"unet.{name}.to_q.lora_A.weight"]))
    return path
