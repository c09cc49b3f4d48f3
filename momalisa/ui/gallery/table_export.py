"""Export of the films found as a table, in CSV or JSON."""

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO
from urllib.parse import urlencode

import streamlit as st

from db import walks
from db.gallery_query import Filters
from momalisa.errors import Cancelled
from momalisa.ui import history
from momalisa.ui.gallery.filters import current_query

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "'")
"""The characters that begin a formula in spreadsheets, and the quote that marks a text."""
PATH = "/pictures/films"
"""The URL path of the tables, without their suffix."""

Stopped = Callable[[], bool]
"""Says whether all who waited for a table are gone."""


def show_export_links() -> None:
    """Show the links that download the films found; the table is written when one is followed."""
    for kind in WRITERS:
        st.link_button(
            kind.upper(),
            table_url(kind, current_query()),
            help="All that is known of the films found, as a table",
            icon=":material/download:",
            type="tertiary",
        )


def table_url(kind: str, query: str) -> str:
    """The URL of the table of the films that a query string of the Gallery finds."""
    return f"{PATH}.{kind}?{urlencode({'of': query})}"


def write_csv(file: TextIO, filters: Filters, stopped: Stopped) -> None:
    """Write CSV for spreadsheets: with a byte order mark, formulas escaped. Raises Cancelled.

    A text that begins like a formula, or with a quote, gets a leading quote; removing the first
    quote of each such text restores it.
    """
    file.write("\ufeff")
    writer = csv.writer(file, lineterminator="\n")
    for number, row in enumerate(_rows(filters, stopped)):
        if number == 0:
            writer.writerow(row)
        writer.writerow(map(_escape_formula, row.values()))


def _escape_formula(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA_STARTS) else cell


def write_json(file: TextIO, filters: Filters, stopped: Stopped) -> None:
    """Write a JSON list of objects, one a line. Raises Cancelled."""
    file.write("[")
    for number, row in enumerate(_rows(filters, stopped)):
        file.write(",\n" if number else "\n")
        json.dump(row, file, ensure_ascii=False)
    file.write("\n]\n")


WRITERS: Mapping[str, Callable[[TextIO, Filters, Stopped], None]] = {
    "csv": write_csv,
    "json": write_json,
}
"""The formats, by their file names' suffix."""
CONTENT_TYPES = {"csv": "text/csv; charset=utf-8", "json": "application/json"}


def _rows(filters: Filters, stopped: Stopped) -> Iterator[dict[str, Any]]:
    """The films found, one after another, so that the memory does not grow with them."""
    with history.reading() as session:
        for row in walks.export(session=session, **filters):
            if stopped():
                raise Cancelled("Nobody waits for this any more.")
            yield row
