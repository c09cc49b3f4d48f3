"""The choice of LoRAs on Create, with a weight for each."""

import streamlit as st

from momalisa.models import lora_files
from momalisa.ui import draft_loras
from momalisa.ui.draft_values import initial_value

HELP = "A file that changes the model's style or subject"
WEIGHT_HELP = "One for all stops, or one for each: with 0, 1 it comes in along the way"


def show_lora_field() -> None:
    """Show the LoRAs of the folder, if there are any, and a weight for each chosen one."""
    chosen = draft_loras.chosen_names()
    names = list(dict.fromkeys([*lora_files.list_names(), *chosen]))
    if not names:
        return
    key = draft_loras.choice_key()
    st.multiselect("LoRAs", names, initial_value(key), key=key, persist_state="session", help=HELP)
    with st.container(horizontal=True):
        for name in chosen:
            draft_loras.typed_weight(name)  # so that there is an initial value
            st.text_input(
                f"Weight of {name}",
                initial_value(draft_loras.weight_key(name)),
                key=draft_loras.weight_key(name),
                persist_state="session",
                help=WEIGHT_HELP,
                width=200,
            )
