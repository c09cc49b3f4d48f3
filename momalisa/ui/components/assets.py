"""Registration of a component from the asset files beside its module."""

from pathlib import Path

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

FOLDER = Path(__file__).parent


def register_component(name: str) -> ComponentRenderer:
    """Register the component `momalisa_<name>` with its HTML, CSS and JavaScript files."""
    html, css, js = ((FOLDER / f"{name}.{kind}").read_text() for kind in ("html", "css", "js"))
    return st.components.v2.component(f"momalisa_{name}", html=html, css=css, js=js)
