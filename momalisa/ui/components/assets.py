"""Registration of a component from the asset files beside its module."""

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

FOLDER = Path(__file__).parent


def register_component(name: str) -> ComponentRenderer:
    """Register the component `momalisa_<name>` with those of its three asset files that exist."""
    html, css, js = (_read(FOLDER / f"{name}.{kind}") for kind in ("html", "css", "js"))
    return st.components.v2.component(f"momalisa_{name}", html=html, css=css, js=js)


def _read(file: Path) -> str | None:
    return file.read_text() if file.is_file() else None
