"""Reads fields of records that came from outside: of any type, any length, with any characters."""

import html
import re
from typing import Any

LONGEST_TEXT = 500
"""Characters; a wall label has room for far fewer."""
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,100}>")


def text_of(value: Any) -> str:
    """A string on one line, without HTML and control characters; of anything else nothing."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        return ""
    plain = html.unescape(_TAG.sub("", value[: 4 * LONGEST_TEXT]))
    # Control and format characters could rewrite what a terminal or a label shows.
    if not plain.isprintable():
        plain = "".join(c if c.isprintable() else " " for c in plain)
    return " ".join(plain.split())[:LONGEST_TEXT]


def dicts_of(value: Any) -> list[dict[str, Any]]:
    """The dicts of a list; a single dict counts as a list of one, as JSON-LD has it."""
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, dict)]


def dict_of(value: Any) -> dict[str, Any]:
    """A dict; an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def number_of(value: Any) -> int:
    """A whole number that is not negative; 0 in place of anything else."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", value):
        return int(value)
    return value if isinstance(value, int) and 0 < value < 10**9 else 0
