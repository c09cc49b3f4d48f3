"""Which files hold a pipeline's weights, whether they are whole, and how many numbers they hold.

Only headers are read. Imports no torch.
"""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError, safe_open

from momalisa.errors import ModelBroken
from momalisa.models.component_check import CLASSES, READ, class_named_by, read_config
from momalisa.models.fit import Weights

STEMS = ("diffusion_pytorch_model", "model")
"""What files of weights are called: by diffusers, and by transformers."""
CONFIG = "config.json"
"""What a part with weights has besides."""
VARIANTS = ("fp16", "bf16")
"""What their names have besides, where there are none of the usual name."""
PICKLED = (".bin", ".ckpt", ".pt", ".pth", ".pkl")
NAMES = tuple(
    (f"{stem}{infix}.safetensors", f"{stem}.safetensors.index{infix}.json")
    for infix in ("", *(f".{variant}" for variant in VARIANTS))
    for stem in STEMS
)
"""A file of all weights, or the list of several, in the order in which they are looked for."""
HEADER_BYTES = 4096
"""How much of a header is read to learn in which precision the weights are."""
DTYPE = re.compile(rb'"dtype":\s*"(\w+)"')
LAST_ENTRY_BYTES = 512
"""How much of a header's end is read to learn where the last tensor ends."""
LAST_OFFSETS = b'"data_offsets"'
END = re.compile(LAST_OFFSETS + rb":\s*\[\s*\d+\s*,\s*(\d+)\s*\]")
WIDTHS = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2}
"""Bytes of a number; of all other kinds one."""


class Measured(NamedTuple):
    """What the files of a pipeline's weights tell."""

    weights: Weights | None
    """None where they do not tell it, or a part lacks its weights or its configuration."""
    size: int
    """Bytes of those that are there."""
    whole: bool
    """Whether each is as long as its header says."""


def parts_of(folder: Path | str) -> dict[str, str]:
    """The parts that are loaded of a pipeline, and their classes. Raises ModelBroken."""
    return parts_named_by(read_config(f"{folder}/model_index.json"))


def parts_named_by(index: Mapping[str, Any]) -> dict[str, str]:
    """The parts that a model_index.json names, likewise."""
    parts = {}
    for name in CLASSES[class_named_by(index)]:
        entry = index.get(name)
        if isinstance(entry, list) and len(entry) == 2 and entry[1]:
            parts[name] = str(entry[1])
    return parts


def has_weights(class_name: str) -> bool:
    """Whether a part of that class has weights: tokenizers and schedulers have none."""
    return not class_name.endswith(("Tokenizer", "TokenizerFast", "Scheduler"))


def usual_file(name: str) -> str:
    """What the file of a part's weights is called where there is one of all."""
    return f"{STEMS[name.startswith('text_encoder')]}.safetensors"


def weight_files(part: Path) -> list[Path]:
    """The files of weights that are loaded of a part's folder, those that are missing, too.

    None where there is neither a file of weights nor a list of them.
    """
    return list(map(Path, weight_paths(str(part))))


def weight_paths(part: str) -> list[str]:
    """The paths of a part's weight files, as `weight_files`, but as text.

    That takes a tenth of the time, and the list of models looks into hundreds of folders.
    """
    try:
        there = os.listdir(part)
    except OSError:
        return []
    for file, index in NAMES:
        if file in there:
            return [f"{part}/{file}"]
        if index in there:
            listed = read_config(f"{part}/{index}").get("weight_map")
            names = listed.values() if isinstance(listed, dict) else ()
            return [f"{part}/{name}" for name in sorted({Path(str(name)).name for name in names})]
    return []


def find_variant(folder: Path) -> str | None:
    """The variant of weights that a pipeline's folder has of some part and in no usual precision.

    Raises ModelBroken.
    """
    parts = (name for name, kind in parts_of(folder).items() if has_weights(kind))
    return next(filter(None, (find_variant_of(f"{folder}/{name}") for name in parts)), None)


def find_variant_of(part: str) -> str | None:
    """The variant of a part's weights, where there are none in the usual precision."""
    for path in weight_paths(part):
        # Shards have it in the middle of their names, or at the end.
        found = re.search(r"\.(\w+?)(-\d+-of-\d+)?\.safetensors$", os.path.basename(path))
        if found and found.group(1) in VARIANTS:
            return found.group(1)
    return None


def read_weights(folder: Path) -> Weights | None:
    """How many weights a pipeline has; None where its files do not tell."""
    try:
        return measure_weights(folder, parts_of(folder)).weights
    except ModelBroken:
        return None


def measure_weights(folder: Path | str, parts: Mapping[str, str]) -> Measured:
    """How many weights a pipeline has, their bytes, and whether all of their files are whole.

    Looks at sizes, and at the beginning and the end of each file's header.
    """
    counts, size, whole = [], 0, True
    try:
        for name, class_name in parts.items():
            if not has_weights(class_name):
                continue
            part, count = f"{folder}/{name}", 0
            usual = f"{part}/{usual_file(name)}"
            # To list a folder takes longer than to look for the two files that most have.
            for path in [usual] if os.path.exists(usual) else weight_paths(part):
                numbers, length, is_long_enough = _measure_file(path)
                count, size = count + numbers, size + length
                whole = whole and (is_long_enough or has_all_bytes(path))
            counts.append(count if os.path.exists(f"{part}/{CONFIG}") else 0)
    except (ModelBroken, OSError):
        return Measured(None, size, whole=False)
    weights = Weights(sum(counts), max(counts)) if counts and all(counts) else None
    return Measured(weights, size, whole=whole)


def _measure_file(path: str) -> tuple[int, int, bool]:
    """The numbers in a file, which all have the precision of the first; its bytes; if it is whole.

    Where a header does not list tensors in their order, a whole file counts as none here.
    """
    # Two hundred checkpoints have some thousand files: calls of the system, and as few as possible.
    file = os.open(path, READ)
    try:
        size = os.fstat(file).st_size
        start = os.read(file, 8 + HEADER_BYTES)
        length = int.from_bytes(start[:8], "little")
        end = start[8 : 8 + length]
        if len(end) < length < size:
            os.lseek(file, 8 + length - LAST_ENTRY_BYTES, os.SEEK_SET)
            end = os.read(file, LAST_ENTRY_BYTES)
    finally:
        os.close(file)
    kind = DTYPE.search(start, 8, 8 + min(length, HEADER_BYTES))
    width = WIDTHS.get(kind.group(1).decode(), 1) if kind else 4
    last = END.match(end, max(end.rfind(LAST_OFFSETS), 0))
    whole = last is not None and 8 + length + int(last.group(1)) == size
    return max(size - 8 - length, 0) // width, size, whole


def has_all_bytes(path: str | Path) -> bool:
    """Whether a file is as long as its header says. Reads all of the header."""
    try:
        check_weights(Path(path))
    except ModelBroken:
        return False
    return True


def check_weights(path: Path) -> None:
    """Read a file's header, which says how long it has to be. Raises ModelBroken."""
    try:
        if not path.is_file():  # a pipe would be waited for
            raise FileNotFoundError("There is no such file.")
        with safe_open(path, framework="numpy"):
            pass
    except (SafetensorError, OSError) as error:
        raise ModelBroken(f"{path} is damaged or not whole: {error}") from error


def size_of(paths: Iterable[Path]) -> int:
    """Bytes of the files that are there."""
    return sum(path.stat().st_size for path in paths if path.exists())
