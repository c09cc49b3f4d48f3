"""The LoRAs of the draft: which are chosen, and the weight that is typed for each."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from momalisa.loras import split_weights
from momalisa.models import lora_files
from momalisa.ui.draft_values import initial_values, widget_value

_VERSION = "loras_version"


def set_loras(loras: Sequence[Mapping[str, Any]]) -> None:
    """Set LoRAs with names and weights, by giving their widgets new keys."""
    values = initial_values()
    values[_VERSION] = int(values.get(_VERSION, 0)) + 1
    values[choice_key()] = [str(lora["name"]) for lora in loras]
    for lora in loras:
        weights = ", ".join(f"{weight:g}" for weight in lora["weights"])
        values[weight_key(str(lora["name"]))] = weights


def choice_key() -> str:
    """The key of the widget that chooses LoRAs."""
    return f"loras_{initial_values().get(_VERSION, 0)}"


def weight_key(name: str) -> str:
    """The key of the field for a LoRA's weight."""
    return f"lora_weight_{initial_values().get(_VERSION, 0)}_{name}"


def chosen_names() -> list[str]:
    """The names of the chosen LoRAs."""
    initial_values().setdefault(choice_key(), [])
    names = widget_value(choice_key())
    return [str(name) for name in names] if isinstance(names, list) else []


def keys() -> list[str]:
    """The keys of all values, for the draft's shape."""
    return [_VERSION, choice_key(), *map(weight_key, chosen_names())]


def read_loras() -> list[dict[str, Any]]:
    """The LoRAs as fields of a spec. Raises BadInput for one that is not there."""
    return lora_files.name_loras(
        {"name": name, "weights": split_weights(str(typed_weight(name)))} for name in chosen_names()
    )


def typed_weight(name: str) -> Any:
    """What is typed as a LoRA's weight."""
    initial_values().setdefault(weight_key(name), "1")
    return st.session_state.get(weight_key(name), initial_values()[weight_key(name)])
