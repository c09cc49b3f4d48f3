"""Which files hold a pipeline's weights, whether they are whole, and how many numbers they hold.

Only headers are read. Imports no torch.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from safetensors import SafetensorError, safe_open

from momalisa.errors import ModelBroken
from momalisa.models.component_check import CLASSES, class_named_by, read_config
from momalisa.models.fit import Weights

STEMS = ("diffusion_pytorch_model", "model")
"""What files of weights are called: by diffusers, and by transformers."""
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
WIDTHS = {"F64": 8, "I64": 8, "F32": 4, "I32": 4, "F16": 2, "BF16": 2, "I16": 2}
"""Bytes of a number; of all other kinds one."""


def parts_of(folder: Path | str) -> dict[str, str]:
    """The parts that are loaded of a pipeline, and their classes. Raises ModelBroken."""
    index = read_config(f"{folder}/model_index.json")
    known = CLASSES[class_named_by(index)]
    named = {name: index.get(name) for name in known}
    return {
        name: str(entry[1])
        for name, entry in named.items()
        if isinstance(entry, list) and len(entry) == 2 and entry[1]
    }


def has_weights(class_name: str) -> bool:
    """Whether a part of that class has weights: tokenizers and schedulers have none."""
    return not class_name.endswith(("Tokenizer", "TokenizerFast", "Scheduler"))


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
    for name, class_name in parts_of(folder).items():
        if has_weights(class_name):
            for path in weight_paths(f"{folder}/{name}"):
                # Shards have it in the middle of their names, or at the end.
                found = re.search(r"\.(\w+?)(-\d+-of-\d+)?\.safetensors$", os.path.basename(path))
                if found and found.group(1) in VARIANTS:
                    return found.group(1)
    return None


def read_weights(folder: Path) -> Weights | None:
    """How many weights a pipeline has; None where its files do not tell."""
    return measure_weights(folder)[0]


def measure_weights(folder: Path | str) -> tuple[Weights | None, int]:
    """How many weights a pipeline has, None where its files do not tell; and their bytes.

    Looks at sizes and at the first kilobytes of each file.
    """
    counts, size = [], 0
    try:
        for name, class_name in parts_of(folder).items():
            if has_weights(class_name):
                measured = [_measure_file(path) for path in weight_paths(f"{folder}/{name}")]
                counts.append(sum(numbers for numbers, _ in measured))
                size += sum(length for _, length in measured)
    except (ModelBroken, OSError):
        return None, size
    return Weights(sum(counts), max(counts)) if counts and all(counts) else None, size


def _measure_file(path: str) -> tuple[int, int]:
    """The numbers in a file, which all have the precision of the first one; and its bytes."""
    with open(path, "rb", buffering=0) as file:  # one read, not four
        size = os.fstat(file.fileno()).st_size
        start = file.read(8 + HEADER_BYTES)
    length = int.from_bytes(start[:8], "little")
    kind = DTYPE.search(start, 8, 8 + min(length, HEADER_BYTES))
    width = WIDTHS.get(kind.group(1).decode(), 1) if kind else 4
    return max(size - 8 - length, 0) // width, size


def check_weights(path: Path) -> None:
    """Read a file's header, which says how long it has to be. Raises ModelBroken."""
    try:
        with safe_open(path, framework="numpy"):
            pass
    except (SafetensorError, OSError) as error:
        raise ModelBroken(f"{path} is damaged or not whole: {error}") from error


def size_of(paths: Iterable[Path]) -> int:
    """Bytes of the files that are there."""
    return sum(path.stat().st_size for path in paths if path.exists())
