"""The films on the wall as a table to take along."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from db import walks
from db.gallery_query import Filters
from momalisa.ui import history

FORMULA = ("=", "+", "-", "@", "\t", "\r", "'")
"""What spreadsheets take for a formula's beginning, and the quote by which they know a text."""


def take_along(filters: Filters) -> None:
    """One button for a spreadsheet, one for a program; the table is made once one is pressed."""
    kinds: tuple[tuple[str, str, Callable[[Filters], bytes]], ...] = (
        ("CSV", "text/csv", csv),
        ("JSON", "application/json", json),
    )
    for name, media_type, written in kinds:
        st.download_button(
            name,
            partial(written, filters),
            f"films.{name.lower()}",
            media_type,
            key=f"export_{name}",
            help="All that is known of the films found, as a table",
            on_click="ignore",
            icon=":material/download:",
            type="tertiary",
        )


def csv(filters: Filters) -> bytes:
    """The films as CSV, for spreadsheets: with the mark of UTF-8, and no prompt is a formula.

    A quote stands before a text that would be one, and before a text that begins with a quote:
    without the first quote of each text that has one, all are as they were.
    """
    told = _table(filters).map(_plain)
    return told.to_csv(index=False).encode("utf-8-sig")


def _plain(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def json(filters: Filters) -> bytes:
    """The films as a JSON list of objects."""
    return _table(filters).to_json(orient="records", force_ascii=False, indent=2).encode()


def _table(filters: Filters) -> pd.DataFrame:
    with history.reading() as session:
        return pd.DataFrame(walks.export(session=session, **filters))
