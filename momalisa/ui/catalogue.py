"""The films on the wall as a table to take along."""

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from db import walks
from db.wanted import Filters
from momalisa.ui import history


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
    """The films as CSV; begins with a mark by which spreadsheets know that it is UTF-8."""
    return _table(filters).to_csv(index=False).encode("utf-8-sig")


def json(filters: Filters) -> bytes:
    """The films as a JSON list of objects."""
    return _table(filters).to_json(orient="records", force_ascii=False, indent=2).encode()


def _table(filters: Filters) -> pd.DataFrame:
    with history.reading() as session:
        return pd.DataFrame(walks.export(session=session, **filters))
