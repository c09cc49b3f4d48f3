"""Reads the spec of a walk back from a film, a frame, an archive or a record of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from momalisa import limited_process
from momalisa.errors import BadInput
from momalisa.field_checks import count_from_one
from momalisa.film.embedded_text import (
    FILE_LIMIT,
    RECORD,
    RECORD_BYTES,
    TOO_LONG,
    check_file_size,
    extract_text,
)
from momalisa.spec import WalkSpec, explain

READ_MEMORY, READ_SECONDS = 2 * FILE_LIMIT, 20.0
"""What the process that reads a file from outside may use."""
_NO_SETTINGS = (
    "This file holds no settings of a walk. Films and frames that were downloaded here do, "
    f"and so does a {RECORD}."
)


def read_spec(data: bytes, name: str) -> WalkSpec:
    """Read the spec embedded in an uploaded film, frame, ZIP or walk.json, or a bare spec.

    Raises BadInput, with the file's `name` in the message.
    """
    with _naming(name):
        return _parse_spec(extract_text(data))


def read_spec_from_file(path: Path, name: str) -> WalkSpec:
    """Read the spec in a file from outside, as `read_spec` does, decoded in a limited process."""
    with _naming(name):
        check_file_size(path.stat().st_size)
        text = limited_process.call(
            "momalisa.film.embedded_text:extract_text_of_file",
            memory=READ_MEMORY,
            seconds=READ_SECONDS,
            path=str(path),
        )
        return _parse_spec(text)


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Put a file's name in front of the message of a BadInput."""
    try:
        yield
    except BadInput as problem:
        shown_name = "".join(c for c in name if c.isprintable())[:60]
        raise BadInput(f"“{shown_name}”: {problem}") from problem


def _parse_spec(text: str | bytes) -> WalkSpec:
    """Parse a spec, or a record that contains one. Raises BadInput."""
    if len(text) > RECORD_BYTES:
        raise BadInput(TOO_LONG)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise BadInput(_NO_SETTINGS) from None
    fields = value.get("spec", value) if isinstance(value, dict) else {}
    if not isinstance(fields, dict) or "stops" not in fields:
        raise BadInput(_NO_SETTINGS)
    try:
        return WalkSpec.from_stored(fields)
    except ValidationError as error:
        field, sentence = next(iter(explain(error).items()))
        where = f"At {count_from_one(field)}: " if field.startswith("stops.") else ""
        raise BadInput(f"The settings in this file cannot be used. {where}{sentence}") from None
