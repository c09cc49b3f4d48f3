"""Loads LoRAs into a pipeline of diffusers, whose weight may then differ from sample to sample."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from momalisa.engine.lora_weights import attach
from momalisa.errors import BadInput, NotHere
from momalisa.loras import Lora

LOAD_ERRORS = (ValueError, KeyError, TypeError, RuntimeError, AttributeError, IndexError, OSError)
"""What diffusers and peft raise at a LoRA of another family."""


def load_loras(pipeline: Any, network: nn.Module, name: str, loras: Sequence[Lora]) -> None:
    """Load these LoRAs, and no others, into a pipeline called `name`, whose network it gives.

    Raises BadInput for one that is not there or does not fit; then none is loaded.
    """
    # It asks the settings, which a timing has not.
    from momalisa.models.lora_files import changes_texts_alone, find_file

    files = [find_file(lora) for lora in loras]
    if loras and not (
        hasattr(pipeline, "load_lora_weights") and hasattr(network, "load_lora_adapter")
    ):
        raise BadInput(f"{name} is of a family that takes no LoRA.")
    if loras:
        _check_peft()
    unload(pipeline)
    try:
        for lora, file in zip(loras, files, strict=True):
            needed = None if changes_texts_alone(file) else network
            _load(pipeline, needed, name, lora, file)
        if loras:
            pipeline.set_adapters([lora.digest for lora in loras], [1.0] * len(loras))
    except BaseException:
        unload(pipeline)
        raise


def unload(pipeline: Any) -> None:
    """Take all LoRAs out of a pipeline; its weights are as they were."""
    if hasattr(pipeline, "unload_lora_weights") and _has_lora(pipeline):
        pipeline.unload_lora_weights()


def _has_lora(pipeline: Any) -> bool:
    parts = [part for part in pipeline.components.values() if isinstance(part, nn.Module)]
    return any(hasattr(layer, "lora_B") for part in parts for layer in part.modules())


def _load(pipeline: Any, needed: nn.Module | None, name: str, lora: Lora, file: Path) -> None:
    """Load a LoRA's file. Raises BadInput if it does not change the `needed` part (None: any)."""
    unsuitable = BadInput(f"The LoRA “{lora.name}” does not fit {name}: it is of another family.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # peft does at the second LoRA, which is meant here
            pipeline.load_lora_weights(
                str(file.parent),
                weight_name=file.name,
                adapter_name=lora.digest,
                local_files_only=True,
                use_safetensors=True,
            )
    except LOAD_ERRORS as error:
        raise unsuitable from error
    parts = [part for part in pipeline.components.values() if isinstance(part, nn.Module)]
    changed = [part for part in parts if attach(part, lora.digest)]
    if not any(part is needed or needed is None for part in changed):
        raise unsuitable


def _check_peft() -> None:
    try:
        import peft  # noqa: F401
    except ImportError as error:
        raise NotHere("LoRAs need the package peft: pip install peft") from error
