"""Says what a folder or file with a model is, whether it is whole, and which command helps.

Imports no torch, and loads nothing.
"""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os.path import basename, isfile
from pathlib import Path

from momalisa.errors import ModelBroken, ModelDamaged
from momalisa.models.component_check import check_components, pipeline_class, read_config
from momalisa.models.weights import (
    CONFIG,
    PICKLED,
    check_weights,
    has_weights,
    parts_of,
    size_of,
    weight_files,
    weight_paths,
)

PULL = "python -m momalisa models pull"
LIST = "python -m momalisa models"
HUB_FOLDER = re.compile(r"models--([\w.-]+)--([\w.-]+)")
"""The name of a repository's folder in the hub's cache."""
VOCABULARIES = (
    *(("tokenizer.json",), ("vocab.json", "merges.txt"), ("spiece.model",), ("tokenizer.model",)),
)
"""The files of which a tokenizer needs one, or one pair."""
SINGLE_FILE_CLASSES = (
    (b"conditioner.embedders.1.", "StableDiffusionXLPipeline"),
    (b"cond_stage_model.", "StableDiffusionPipeline"),
    (b"joint_blocks.", "StableDiffusion3Pipeline"),
    (b"double_blocks.", "FluxPipeline"),
)
"""What the names of weights in a single file tell of its family."""
HEADER_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Part:
    """A part of a pipeline."""

    name: str
    class_name: str
    bytes: int
    """Of its weights; 0 for parts that have none."""


@dataclass(frozen=True)
class Examination:
    """What was found in a folder."""

    folder: Path
    family: str
    """The pipeline's class; empty where it is no pipeline that can be walked."""
    parts: tuple[Part, ...]
    problems: tuple[str, ...]
    """A sentence for each, with the command that helps."""


def examine(path: Path) -> Examination:
    """Look at a folder, a file, or a repository's folder in the hub's cache."""
    folder = snapshot_of(path)
    if not (folder / "model_index.json").is_file():
        explained = _explain_other(folder if folder.exists() else path)
        return Examination(folder, "", (), (explained,))
    try:
        check_components(folder)
        parts = parts_of(folder)
    except ModelBroken as error:
        told = f"{folder.name} cannot be used: {error} Others: {LIST}"
        return Examination(folder, _family(folder), (), (told,))
    found = [
        Part(name, kind, size_of(weight_files(folder / name)) if has_weights(kind) else 0)
        for name, kind in parts.items()
    ]
    problems = tuple(find_problems(folder, thorough=True))
    return Examination(folder, _family(folder), tuple(found), problems)


def _family(folder: Path) -> str:
    try:
        return pipeline_class(folder)
    except ModelBroken:
        return ""


def snapshot_of(path: Path) -> Path:
    """The present revision of a repository in the hub's cache; any other path as it is."""
    if not HUB_FOLDER.fullmatch(path.name):
        return path
    try:
        return path / "snapshots" / (path / "refs" / "main").read_text("utf-8").strip()
    except (OSError, ValueError):
        return path


def hub_id_of(folder: Path) -> str:
    """The hub id of a folder in the hub's cache; empty for any other."""
    for part in reversed(folder.parts):
        if match := HUB_FOLDER.fullmatch(part):
            return f"{match[1]}/{match[2]}"
    return ""


def check_whole(folder: Path) -> None:
    """Raise ModelDamaged, with the first problem, if files of a pipeline are missing or cut off.

    Raises ModelBroken for a folder that is no pipeline.
    """
    for problem in find_problems(folder, thorough=True):
        raise ModelDamaged(problem[0].lower() + problem[1:])


def is_whole(folder: Path) -> bool:
    """Whether no file of a pipeline is missing; headers of weights are not read."""
    try:
        return not any(find_problems(folder))
    except ModelBroken:
        return False


def find_problems(folder: Path, *, thorough: bool = False) -> Iterator[str]:
    """Sentences about files that are missing; with `thorough`, about damaged weights as well.

    Raises ModelBroken for a folder that is no pipeline.
    """
    parts = parts_of(folder)
    for name in filter(lambda name: has_weights(parts[name]), parts):
        yield from _weight_problems(folder, name, thorough=thorough)
    yield from _other_problems(folder, parts)


def has_small_parts(folder: Path, parts: Mapping[str, str]) -> bool:
    """Whether no file is missing of a pipeline's parts that have no weights."""
    return not any(_other_problems(folder, parts))


def _other_problems(folder: Path, parts: Mapping[str, str]) -> Iterator[str]:
    """What is missing of parts without weights."""
    for name, class_name in parts.items():
        if has_weights(class_name):
            continue
        if not class_name.endswith("Scheduler"):
            if not _has_vocabulary(f"{folder}/{name}"):
                yield _lacks(folder, f"the vocabulary of its {name}")
        elif not isfile(f"{folder}/{name}/scheduler_config.json"):
            yield _lacks(folder, f"the file {name}/scheduler_config.json")


def _has_vocabulary(tokenizer: str) -> bool:
    return any(all(isfile(f"{tokenizer}/{file}") for file in files) for files in VOCABULARIES)


def _weight_problems(folder: Path, name: str, *, thorough: bool) -> Iterator[str]:
    # As texts, not as paths: the list on Create looks at all checkpoints in a tenth of a second.
    if not isfile(f"{folder}/{name}/{CONFIG}"):
        yield _lacks(folder, f"the file {name}/{CONFIG}")
    files = weight_paths(f"{folder}/{name}")
    missing = [basename(path) for path in files if not isfile(path)]
    if not files:
        yield _no_weights(folder, name)
    elif missing:
        more = f" and {len(missing) - 1} more" if missing[1:] else ""
        yield _lacks(folder, f"the file {name}/{missing[0]}{more}")
    for path in map(Path, files if thorough else ()):
        if path.is_file() and not os.access(path, os.R_OK):
            yield f"The file {name}/{path.name} may not be read. To allow it: chmod a+r {path}"
        elif path.is_file():
            try:
                check_weights(path)
            except ModelBroken:
                yield (
                    f"The file {name}/{path.name} is damaged or not whole. "
                    f"{explain_bringing(folder, 'Delete it, and bring it again')}"
                )


def _no_weights(folder: Path, name: str) -> str:
    """Why a part has no weights that are loaded."""
    part = folder / name
    files = [path.name for path in part.iterdir()] if part.is_dir() else []
    variants = sorted(file for file in files if file.endswith(".safetensors"))
    pickled = sorted(file for file in files if file.endswith(PICKLED))
    if variants:
        return (
            f"Its {name} has only weights of another name ({variants[0]}), which are not loaded. "
            f"{explain_bringing(folder, 'To bring the usual ones')}"
        )
    if pickled:
        return (
            f"Its {name} has pickled weights only ({pickled[0]}), which can contain code and are "
            f"never loaded here. {explain_bringing(folder, 'Bring it as safetensors')}"
        )
    return _lacks(folder, f"the weights of its {name}")


def _lacks(folder: Path, what: str) -> str:
    told = "The download was not finished: it" if _is_half_downloaded(folder) else "It"
    return f"{told} lacks {what}. {explain_bringing(folder, 'To bring what is missing')}"


def _is_half_downloaded(folder: Path) -> bool:
    """Whether the hub's cache has files there whose download was broken off."""
    blobs = folder.parent.parent / "blobs"
    return bool(hub_id_of(folder)) or (blobs.is_dir() and any(blobs.glob("*.incomplete")))


def explain_bringing(folder: Path, why: str) -> str:
    """The command that brings a model, as far as its hub id is known."""
    hub_id = hub_id_of(folder)
    return f"{why}: {PULL} {hub_id or 'OWNER/NAME'}"


def _explain_other(path: Path) -> str:
    """What a path is that is no pipeline's folder."""
    if path.is_file():
        return _explain_file(path)
    if not path.is_dir():
        return f"There is nothing at {path}. What is here: {LIST}"
    if (path.parent / "model_index.json").is_file():
        return f"{path} is one part of a model. Check the whole: {LIST} check {path.parent}"
    if (path / "adapter_config.json").is_file():
        return f"{path} is an adapter (LoRA) of a model, and no model. Models: {LIST}"
    with_weights = sorted(p for p in path.iterdir() if p.suffix in (".safetensors", *PICKLED))
    config = _read_leniently(path / "config.json")
    if config.get("model_type"):
        kind = str(config["model_type"])[:40]
        return (
            f"{path} is a folder of another library: a model of transformers (“{kind}”), and no "
            f"pipeline of diffusers, which has a model_index.json. Those that are known: {LIST}"
        )
    if with_weights:
        return _explain_file(with_weights[0])
    if (path / "refs").is_dir() or (path / "blobs").is_dir():
        return f"The download of {path.name} was not finished. {explain_bringing(path, 'To go on')}"
    return (
        f"{path} has no model_index.json, so it is no model in diffusers' format. "
        f"Those that are known: {LIST}"
    )


def _explain_file(path: Path) -> str:
    """What a single file is, and how a folder is made of one with weights."""
    if path.suffix == ".gguf":
        return (
            f"{path.name} is quantised for other programs, and is not loaded here. Look for the "
            f"model as a folder of safetensors: {LIST}"
        )
    if path.suffix not in (".safetensors", *PICKLED):
        return f"{path.name} is no model. Those that are known: {LIST}"
    if path.suffix in PICKLED:
        return (
            f"{path.name} is a single file of pickled weights, which can contain code and is never "
            f"loaded here. Look for the model as a folder of safetensors: {LIST}"
        )
    try:
        check_weights(path)
    except ModelBroken:
        return (
            f"{path.name} is damaged or not whole. Please download it anew. Models that are known: "
            f"{LIST}"
        )
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(min(length, HEADER_BYTES))
    if b"lora_" in header or b"lora." in header:
        return f"{path.name} is an adapter (LoRA) of a model, and no model. Models: {LIST}"
    kinds = (kind for mark, kind in SINGLE_FILE_CLASSES if mark in header)
    kind = next(kinds, "StableDiffusionPipeline")
    return (
        f"{path.name} is a single checkpoint, as other programs read it; MOMA Lisa reads folders "
        "in diffusers' format. This makes one of it, and needs a network the first time: "
        f'python -c "from diffusers import {kind} as P; '
        f"P.from_single_file('{path}').save_pretrained('{path.with_suffix('')}')\""
    )


def _read_leniently(path: Path) -> dict[str, object]:
    try:
        return read_config(path)
    except ModelBroken:
        return {}
