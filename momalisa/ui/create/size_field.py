"""The choice of a size on Create: the model's shapes first, then squares."""

import streamlit as st

from momalisa.picture_size import describe_size, name_shape, sizes_by_aspect, write_size
from momalisa.ui import draft
from momalisa.ui.draft_values import initial_value

SQUARES = (128, 192, 256, 320, 384, 448, 512, 640, 768, 1024)


def show_size_field() -> None:
    """Show the sizes with about as many pixels as the model's own, then other squares."""
    key, card = draft.widget_key("size"), draft.chosen_card()
    shapes = sizes_by_aspect(card.size) if card else {}
    own = [write_size(*size) for size in shapes.values()]
    chosen = (initial_value(key), draft.field_value("size"))
    options = list(dict.fromkeys([*own, *map(str, SQUARES), *filter(None, chosen)]))
    st.selectbox(
        "Size",
        options,
        options.index(initial_value(key)),
        key=key,
        persist_state="session",
        # Of the size alone: Streamlit takes a label that is not there any more for a typed text.
        format_func=lambda size: ", ".join(filter(None, [describe_size(size), name_shape(size)])),
        accept_new_options=True,
        help="In the shape you like. Others may be typed, such as 512x768, in multiples of 64",
    )
