"""LoRA files in the folder of LoRAs: found by name and digest, and checked. Imports no torch."""

import hashlib
import json
import re
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open

from momalisa.errors import BadInput, NotHere
from momalisa.loras import Lora
from momalisa.settings import settings
from momalisa.spec import WalkSpec

LARGEST_FILE = 4 * 2**30
LARGEST_HEADER = 32 * 2**20
"""Bytes of a file, and of its header, which names and measures its tensors."""
SUFFIX = ".safetensors"
_MATRIX = re.compile(r"lora.*\.(weight|bias|alpha)$|\.alpha$", re.IGNORECASE)
"""The names of tensors that a LoRA may have; others would replace weights of the model."""
_OF_TEXTS = ("text_encoder", "lora_te")
"""How the names of those begin that change a text encoder."""
_RESCALED = re.compile(r"dora_scale|magnitude", re.IGNORECASE)

_METADATA = "lora_adapter_metadata"
"""Where diffusers keeps the settings of peft's that a LoRA was trained with, and loads it by."""
_LARGEST_NUMBER = 10**6
_STARTS = (None, True, False, "gaussian")
"""The values of `init_lora_weights` that do not change the model's own weights."""
_LAYERS = re.compile(r"\^?[\w.-]+\$?")
"""A layer's name. Others are read as patterns, over which one can be made to brood for ever."""
_WITHOUT_HARM = {
    *("peft_type", "task_type", "peft_version", "auto_mapping", "base_model_name_or_path"),
    *("revision", "inference_mode", "lora_dropout", "bias", "fan_in_fan_out", "use_rslora"),
    *("layers_to_transform", "megatron_core", "qalora_group_size"),
}
"""Settings of peft's that may have any value. By those of other kinds of LoRAs, which are many and
become more, weights can be replaced, which then stay in the model."""

FileState = tuple[str, int, int]
"""A file's path, its size in bytes and the time of its last change in nanoseconds."""


def list_names() -> list[str]:
    """The names of the LoRAs in the folder: their files' names without the suffix."""
    return sorted(path.stem for path in _files())


def _files() -> list[Path]:
    try:
        paths = [path for path in settings().loras_folder.iterdir() if path.suffix == SUFFIX]
        return [path for path in paths if path.is_file()]  # who reads a pipe waits for ever
    except OSError:
        return []


def name_loras(loras: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """LoRAs that people name, with the digests of their files; a digest that is given stays.

    Raises BadInput where there is no such file, or it is no LoRA.
    """
    return [
        lora
        if lora.get("digest")
        else {**lora, "digest": _digest(_check(_find(str(lora.get("name", "")))))}
        for lora in loras
    ]


def _find(name: str) -> Path:
    """The LoRA file of that name. Raises BadInput with the names that there are."""
    by_name = {path.stem: path for path in _files()}
    if found := by_name.get(name.removesuffix(SUFFIX)):
        return found
    there = ", ".join(sorted(by_name)[:10]) or f"nothing that ends with {SUFFIX}"
    raise BadInput(f"There is no LoRA “{name}” in {settings().loras_folder}; there is {there}.")


def find_file(lora: Lora) -> Path:
    """The file of a LoRA, whatever it is called now, checked.

    Raises NotHere where there is none, BadInput for one that cannot be used.
    """
    # The one of that name first: to read all of them takes a while.
    for path in sorted(_files(), key=lambda path: path.stem != lora.name):
        with suppress(OSError):  # a link that leads nowhere, say
            if path.stat().st_size <= LARGEST_FILE and _digest(path) == lora.digest:
                return _check(path)
    raise NotHere(
        f"The LoRA “{lora.name}” of this walk is not in the folder of LoRAs here, "
        "or its file has changed. Please put it back, or choose another."
    )


def changes_texts_alone(file: Path) -> bool:
    """Whether all of a LoRA's matrices are for text encoders."""
    return all(name.startswith(_OF_TEXTS) for name in _read_header(_state(file)).names)


def check_loras(spec: WalkSpec) -> None:
    """Raise BadInput if a LoRA of a walk is not here."""
    for lora in spec.loras:
        find_file(lora)


def _check(path: Path) -> Path:
    """Raise BadInput unless a file is a LoRA, by its size and header."""
    names, kept = _read_header(_state(path))
    if any(map(_RESCALED.search, names)):
        raise BadInput(f"{path.name} is a DoRA, whose weight cannot be walked. Please use a LoRA.")
    if not names or not all(map(_MATRIX.search, names)):
        raise BadInput(f"{path.name} is no LoRA: it holds other weights.")
    if name := _find_other_kind(kept):
        raise BadInput(
            f"{path.name} is a LoRA of a kind that is not walked here (by its “{name}”). "
            "Please use a plain one."
        )
    return path


def _find_other_kind(kept: str) -> str:
    """The setting by which a LoRA is not a plain one; empty if it is."""
    try:
        found = json.loads(kept) if kept else {}
        # Each begins with the part of the pipeline that it is for, as in "unet.r".
        by_name = [(str(key).rpartition(".")[2], value) for key, value in found.items()]
    except (ValueError, AttributeError, RecursionError):
        return _METADATA
    return next((name for name, value in by_name if not _is_plain(name, value)), "")[:40]


def _is_plain(name: str, value: Any) -> bool:
    """Whether a setting is one of a LoRA of two matrices a layer, and its value harmless."""
    match name:
        case "r" | "lora_alpha":
            return _is_number(value)
        case "init_lora_weights":
            return value in _STARTS
        case "target_modules":
            return isinstance(value, list)
        case "rank_pattern" | "alpha_pattern" if isinstance(value, dict):
            return all(map(_LAYERS.fullmatch, value)) and all(map(_is_number, value.values()))
        case _:
            return name in _WITHOUT_HARM or not value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and 0 < value < _LARGEST_NUMBER


def _state(path: Path) -> FileState:
    stat = path.stat()
    return str(path), stat.st_size, stat.st_mtime_ns


def _digest(path: Path) -> str:
    return _digest_of(_state(path))


class _Header(NamedTuple):
    names: tuple[str, ...]
    """Of the tensors."""
    settings: str
    """JSON, empty without any."""


@lru_cache(256)
def _digest_of(state: FileState) -> str:
    with open(state[0], "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@lru_cache(256)
def _read_header(state: FileState) -> _Header:
    """What a file's header says. Raises BadInput for what is no whole safetensors file."""
    name, size = Path(state[0]).name, state[1]
    if size > LARGEST_FILE:
        raise BadInput(f"{name} has {size / 2**30:.1f} GiB; a LoRA has at most 4.")
    with open(state[0], "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(LARGEST_HEADER, size - 8):
            raise BadInput(f"{name} is damaged or not whole.")
    try:
        with safe_open(state[0], framework="numpy") as tensors:
            return _Header(tuple(tensors.keys()), (tensors.metadata() or {}).get(_METADATA, ""))
    except (SafetensorError, OSError) as error:
        raise BadInput(f"{name} is damaged or not whole.") from error
