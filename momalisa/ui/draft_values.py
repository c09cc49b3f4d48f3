"""What Create's form holds: the value of each widget, by its key, in the session."""

from typing import Any

import streamlit as st


def initial_values() -> dict[str, Any]:
    """Initial values by widget key, and values that have no widget."""
    values: dict[str, Any] = st.session_state.setdefault("starts", {})
    return values


def initial_value(key: str) -> Any:
    """The value that a widget shows until it is changed."""
    return initial_values()[key]


def widget_value(key: str) -> Any:
    """The current value of a widget, not validated; a text only where it begins as one.

    A client that is no browser can send a text for what is chosen from a list of numbers.
    """
    value, initial = st.session_state.get(key, initial_value(key)), initial_value(key)
    return initial if isinstance(value, str) and not isinstance(initial, str) else value
