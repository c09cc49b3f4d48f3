"""Export of the films found as a table, in CSV or JSON."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from db import walks
from db.gallery_query import Filters
from momalisa.ui import history

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")
"""The characters that begin a formula in spreadsheets, and the quote that marks a text."""


def show_export_buttons(filters: Filters) -> None:
    """Show the download buttons; the table is generated when one is pressed."""
    kinds: tuple[tuple[str, str, Callable[[Filters], bytes]], ...] = (
        ("CSV", "text/csv", to_csv),
        ("JSON", "application/json", to_json),
    )
    for name, media_type, export in kinds:
        st.download_button(
            name,
            partial(export, filters),
            f"films.{name.lower()}",
            media_type,
            key=f"export_{name}",
            help="All that is known of the films found, as a table",
            on_click="ignore",
            icon=":material/download:",
            type="tertiary",
        )


def to_csv(filters: Filters) -> bytes:
    """Export as CSV for spreadsheets: UTF-8 with a byte order mark, formulas escaped.

    A text that begins like a formula, or with a quote, gets a leading quote; removing the first
    quote of each such text restores it.
    """
    table = _table(filters).map(_escape_formula)
    return table.to_csv(index=False).encode("utf-8-sig")


def _escape_formula(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def to_json(filters: Filters) -> bytes:
    """Export as a JSON list of objects."""
    return _table(filters).to_json(orient="records", force_ascii=False, indent=2).encode()


def _table(filters: Filters) -> pd.DataFrame:
    with history.reading() as session:
        return pd.DataFrame(walks.export(session=session, **filters))
