"""Random LoRAs for tiny pipelines, written as diffusers writes them."""

from pathlib import Path
from typing import Any

LAYERS = ["to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "proj_mlp", "conv1", "time_emb_proj"]
"""Of the network; those that a family has not are passed over."""
TEXT_LAYERS = ["q_proj", "v_proj"]


def write_lora(pipeline: Any, folder: Path, name: str, *, seed: int = 0, text: bool = True) -> Path:
    """A LoRA of a pipeline's network, and of its first text encoder; of a noticeable effect."""
    import torch

    torch.manual_seed(seed)
    kind = "unet" if hasattr(pipeline, "unet") else "transformer"
    layers = {f"{kind}_lora_layers": _random(getattr(pipeline, kind), LAYERS)}
    if text and "text_encoder_lora_layers" in _arguments(pipeline.save_lora_weights):
        layers["text_encoder_lora_layers"] = _random(pipeline.text_encoder, TEXT_LAYERS)
    folder.mkdir(parents=True, exist_ok=True)
    file = f"{name}.safetensors"
    pipeline.save_lora_weights(folder, weight_name=file, safe_serialization=True, **layers)
    return folder / file


def _arguments(function: Any) -> set[str]:
    import inspect

    return set(inspect.signature(function).parameters)


def _random(module: Any, layers: list[str]) -> dict[str, Any]:
    """The matrices of a random LoRA for the layers with these names; the module stays as it is."""
    from copy import deepcopy

    import torch
    from peft import LoraConfig, get_peft_model_state_dict

    own = deepcopy(module)
    own.add_adapter(
        LoraConfig(r=4, lora_alpha=8, target_modules=layers, init_lora_weights="gaussian")
    )
    matrices = get_peft_model_state_dict(own)
    return {name: 0.5 * torch.randn_like(matrix) for name, matrix in matrices.items()}
