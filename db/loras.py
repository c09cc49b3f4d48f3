"""What is said of the LoRAs of a walk, which its stored spec names."""

from typing import Any


def describe_loras(spec: dict[str, Any]) -> str:
    """Names and weights of the LoRAs in a stored spec, for tables: "ink at 0, 1; gold at 0.5"."""
    weights = ((lora["name"], lora.get("weights", [1.0])) for lora in spec.get("loras", []))
    return "; ".join(f"{name} at {', '.join(f'{w:g}' for w in each)}" for name, each in weights)
