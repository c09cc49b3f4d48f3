"""Says which weights of a pipeline are missing, or do not fit its configuration.

Of those that are missing in a text encoder the library only warns: it fills them with random
numbers, anew each time.
"""

import importlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from momalisa.errors import ModelBroken
from momalisa.models.component_check import read_config
from momalisa.models.folder_check import explain_bringing
from momalisa.models.weights import find_variant_of, has_weights, parts_named_by, weight_files

NOT_READ = ("lm_head.", "visual.", "model.visual.", "vision_tower.", "vision_model.")
"""Weights that pipelines do without: those that continue a text, or look at pictures."""

_Shape = tuple[int, ...]


def load_text_encoders(folder: Path, dtype: torch.dtype) -> dict[str, Any]:
    """The parts of a pipeline that transformers loads, by name.

    Raises ModelBroken, with the end of a sentence that begins with the model's name, for weights
    that are missing or do not fit, and what the library raises.
    """
    return {
        name: _load(folder, name, class_name, dtype)
        for name, class_name in _parts_of_library(folder, "transformers").items()
    }


def _parts_of_library(folder: Path, library: str) -> dict[str, str]:
    """The parts with weights that a library loads, and their classes."""
    index = read_config(folder / "model_index.json")
    parts = parts_named_by(index)
    return {
        name: kind
        for name, kind in parts.items()
        if has_weights(kind) and index[name][0] == library
    }


def _load(folder: Path, name: str, class_name: str, dtype: torch.dtype) -> Any:
    library = importlib.import_module("transformers")  # which may be another than before
    encoder, told = getattr(library, class_name).from_pretrained(
        folder / name,
        dtype=dtype,
        variant=find_variant_of(f"{folder}/{name}"),
        local_files_only=True,
        use_safetensors=True,
        ignore_mismatched_sizes=True,
        output_loading_info=True,
    )
    for weight, there, asked in sorted(told["mismatched_keys"]):
        raise ModelBroken(_describe_misfit(folder, name, weight, tuple(there), tuple(asked)))
    missing = {weight for weight in told["missing_keys"] if not weight.startswith(NOT_READ)}
    if missing:
        raise ModelBroken(_describe_missing(folder, name, missing))
    return encoder


def find_misfit(folder: Path) -> str:
    """What of the weights that diffusers loads does not fit, for a pipeline that did not load.

    Ends a sentence that begins with the model's name; "" where all fit, or it cannot be told.
    """
    # What is wrong with a configuration that makes no network, its own error says.
    with suppress(Exception):
        for name, class_name in _parts_of_library(folder, "diffusers").items():
            asked = _shapes_asked_for(class_name, read_config(folder / name / "config.json"))
            there = _shapes_there(folder / name)
            for weight in sorted(asked.keys() & there.keys()):
                if asked[weight] != there[weight]:
                    return _describe_misfit(folder, name, weight, there[weight], asked[weight])
            if missing := asked.keys() - there.keys():
                return _describe_missing(folder, name, missing)
    return ""


def _shapes_asked_for(class_name: str, config: Mapping[str, Any]) -> dict[str, _Shape]:
    """The shapes of a network's weights, by its configuration."""
    with torch.device("meta"):
        network = getattr(importlib.import_module("diffusers"), class_name).from_config(config)
    return {name: tuple(weight.shape) for name, weight in network.state_dict().items()}


def _shapes_there(part: Path) -> dict[str, _Shape]:
    """The shapes of the weights in a part's files."""
    shapes: dict[str, _Shape] = {}
    for path in weight_files(part):
        with safe_open(path, framework="numpy") as file:
            shapes |= {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    return shapes


def _describe_misfit(folder: Path, name: str, weight: str, there: _Shape, asked: _Shape) -> str:
    return (
        f"its {name} has weights of another network than its {name}/config.json says ({weight} is "
        f"{_format(there)}, not {_format(asked)}). {_help(folder, name)}"
    )


def _describe_missing(folder: Path, name: str, missing: set[str]) -> str:
    return (
        f"its {name} lacks {len(missing)} of its weights, such as {min(missing)}. "
        f"{_help(folder, name)}"
    )


def _help(folder: Path, name: str) -> str:
    return explain_bringing(folder, f"Delete its folder {name}, and bring it again")


def _format(shape: _Shape) -> str:
    return " × ".join(map(str, shape)) or "one number"
