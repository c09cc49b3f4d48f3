"""Walks out of a table: hundreds of films from one CSV file, or a few from a JSON file."""

import csv
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from momalisa.cloud.request_format import defaults
from momalisa.errors import BadInput, ModelBroken, ModelNotFound
from momalisa.models.registry import available, find
from momalisa.settings import settings
from momalisa.spec import WalkSpec, explain, seeded


def walks_in(path: Path) -> list[WalkSpec]:
    """The walks of a file, all of them checked before any is painted.

    A .json file holds a spec, or a list of them. A .csv file has a line for each walk and columns
    named as a spec's fields, with "prompts" in place of the stops ("dog | cat") and, if they
    matter, "seeds" ("7 | 9", or one for all). An empty cell means the usual value; the usual size,
    steps and guidance are the model's own. Raises BadInput with every line that is wrong.
    """
    read, fields_of = (_of_json, _as_it_is) if path.suffix == ".json" else (_of_csv, _fields)
    try:
        rows = read(path)
    except (OSError, ValueError, csv.Error) as error:
        raise BadInput(f"{path} could not be read: {error}") from error
    walks, wrong = [], []
    for number, row in rows:
        try:
            walks.append(_spec(fields_of(row)))
        except ValidationError as error:
            wrong += [f"{number}: {field}: {text}" for field, text in explain(error).items()]
        except BadInput as error:
            wrong.append(f"{number}: {error}")
    if wrong or not walks:
        raise BadInput("\n".join([f"{path} holds walks that cannot be made.", *wrong]))
    return walks


Row = tuple[str, Any]
"""Where a walk stands in its file, and its fields."""


def _of_json(path: Path) -> list[Row]:
    found = json.loads(path.read_text())
    listed = found if isinstance(found, list) else [found]
    return [(f"walk {number}", spec) for number, spec in enumerate(listed, start=1)]


def _of_csv(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        table = csv.DictReader(file, restkey="more cells than columns")
        return [(f"line {table.line_num}", row) for row in table]


def _as_it_is(row: Any) -> Any:
    return row


def _fields(row: dict[str, Any]) -> dict[str, Any]:
    """A spec's fields from a line's cells."""
    cells = {name: cell for name, cell in row.items() if cell}
    prompts, seeds = (_split(cells.pop(name, "")) for name in ("prompts", "seeds"))
    return cells | {"stops": seeded(prompts, seeds)}


def _split(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("|")] if cell else []


def _spec(fields: Any) -> WalkSpec:
    if not isinstance(fields, dict):
        return WalkSpec.model_validate(fields)
    model = fields.get("model", settings().model)
    return WalkSpec.model_validate({"model": model, **_own(model), **fields})


def _own(model: object) -> dict[str, Any]:
    """A model's own size, steps and guidance, as far as they are known: it may be elsewhere."""
    try:
        known = {card.name: card for card in available()}
        return defaults(known.get(str(model)) or find(str(model)))
    except (ModelNotFound, ModelBroken):
        return {}
