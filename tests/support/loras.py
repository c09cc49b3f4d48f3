"""Random LoRAs for tiny pipelines, written as diffusers writes them."""

from pathlib import Path
from typing import Any

LAYERS = [
    *("to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "proj_mlp", "conv1", "time_emb_proj"),
    *("all_x_embedder.2-1", "cap_embedder.1"),  # of which one matrix has the tokens of all samples
]
"""Of the network; those that a family has not are passed over."""
TEXT_LAYERS = ["q_proj", "k_proj", "v_proj", "out_proj"]


def write_lora(pipeline: Any, folder: Path, name: str, *, seed: int = 0, text: bool = True) -> Path:
    """A LoRA of a pipeline's network, and of its first text encoder; of a noticeable effect."""
    import torch

    torch.manual_seed(seed)
    kind = "unet" if hasattr(pipeline, "unet") else "transformer"
    layers = {f"{kind}_lora_layers": _random(getattr(pipeline, kind), LAYERS)}
    if text and _has_text_layers(pipeline):
        layers["text_encoder_lora_layers"] = _random(pipeline.text_encoder, TEXT_LAYERS)
    folder.mkdir(parents=True, exist_ok=True)
    file = f"{name}.safetensors"
    pipeline.save_lora_weights(folder, weight_name=file, safe_serialization=True, **layers)
    return folder / file


def _has_text_layers(pipeline: Any) -> bool:
    """Whether LoRAs of the pipeline change its first text encoder: a CLIP, and no T5."""
    import inspect

    parts = inspect.signature(pipeline.save_lora_weights).parameters
    names = [name for name, _ in pipeline.text_encoder.named_modules()]
    return "text_encoder_lora_layers" in parts and any(name.endswith("q_proj") for name in names)


def kohya_form(lora: Path) -> bytes:
    """A LoRA of Stable Diffusion as other programs write it: other names, and a scale of its own.

    Each pair of matrices has as its scale half of their rank, so the LoRA has half its effect.
    """
    import torch
    from safetensors.torch import load_file, save

    found = {}
    for name, matrix in load_file(lora).items():
        layer, _, kind = name.removesuffix(".weight").rpartition(".")
        part, _, path = layer.partition(".")
        prefix = {"unet": "lora_unet", "text_encoder": "lora_te_text_model"}[part]
        stem = f"{prefix}_{path.removeprefix('text_model.').replace('.', '_')}"
        found[f"{stem}.{'lora_down' if kind == 'lora_A' else 'lora_up'}.weight"] = matrix
        found[f"{stem}.alpha"] = torch.tensor(2.0)
    return save(found)


def _random(module: Any, layers: list[str]) -> dict[str, Any]:
    """The matrices of a random LoRA for the layers with these names; the module stays as it is."""
    from copy import deepcopy

    import torch
    from peft import LoraConfig, get_peft_model_state_dict

    own = deepcopy(module)
    own.add_adapter(LoraConfig(r=4, target_modules=layers, init_lora_weights="gaussian"))
    matrices = get_peft_model_state_dict(own)
    return {name: 0.5 * torch.randn_like(matrix) for name, matrix in matrices.items()}
