"""Reads specs for the pipeline from a CSV or JSON file."""

import csv
import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from momalisa.errors import BadInput, ModelBroken, ModelNotFound
from momalisa.field_checks import count_from_one
from momalisa.loras import parse_lora
from momalisa.models.lora_files import name_loras
from momalisa.models.registry import available, find
from momalisa.settings import settings
from momalisa.spec import LEFT_OUT, WalkSpec, explain, pair_with_seeds

Entry = tuple[str, Any]
"""The place of a walk in its file, such as "line 3", and its unchecked fields."""


def read_walks(path: Path) -> list[WalkSpec]:
    """Read and check all walks of a file.

    A .json file holds a spec or a list of specs. A .csv file has one line for each walk. Its
    columns are a spec's fields, but "prompts" ("dog | cat") in place of the stops and optionally
    "seeds" ("7 | 9", or one for all) and "loras" ("ink=0,1 | gold=0.5"). Empty cells get the
    default; the defaults of size, steps, guidance and what is left out are the model's. Raises
    BadInput that lists every invalid walk.
    """
    is_json = path.suffix == ".json"
    try:
        entries = _read_json(path) if is_json else _read_csv(path)
    except (OSError, ValueError, csv.Error) as error:
        raise BadInput(f"{path} could not be read: {error}") from error
    walks, problems = [], []
    for place, row in entries:
        try:
            walks.append(_make_spec(row if is_json else _fields_of_line(row)))
        except ValidationError as error:
            found = explain(error).items()
            problems += [f"{place}: {count_from_one(field)}: {text}" for field, text in found]
        except BadInput as error:
            problems.append(f"{place}: {error}")
    if problems or not walks:
        raise BadInput("\n".join([f"{path} holds walks that cannot be made.", *problems]))
    return walks


def _read_json(path: Path) -> list[Entry]:
    value = json.loads(path.read_text())
    specs = value if isinstance(value, list) else [value]
    return [(f"walk {number}", spec) for number, spec in enumerate(specs, start=1)]


def _read_csv(path: Path) -> list[Entry]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        table = csv.DictReader(file, restkey="more cells than columns")
        return [(f"line {table.line_num}", row) for row in table]


def _fields_of_line(row: dict[str, Any]) -> dict[str, Any]:
    """Convert the cells of a CSV line to a spec's fields."""
    cells = {name: cell for name, cell in row.items() if cell}
    prompts, seeds = (_split(cells.pop(name, "")) for name in ("prompts", "seeds"))
    loras = [parse_lora(text) for text in _split(cells.pop("loras", ""))]
    fields: dict[str, Any] = cells | {"stops": pair_with_seeds(prompts, seeds)}
    return fields | ({"loras": loras} if loras else {})


def _split(cell: str) -> list[str]:
    return [part.strip() for part in cell.split("|")] if cell else []


def _make_spec(fields: Any) -> WalkSpec:
    """Validate a spec; fields that are missing get the model's defaults."""
    if not isinstance(fields, dict):
        return WalkSpec.model_validate(fields)
    model = fields.get("model", settings().model)
    if isinstance(fields.get("loras"), list):
        fields = {**fields, "loras": name_loras(fields["loras"])}
    return WalkSpec.model_validate({"model": model, **_defaults_of(model), **fields})


def _defaults_of(model: object) -> dict[str, Any]:
    """A new walk's default fields; of a model that is not on this machine those of any model."""
    try:
        cards = {card.name: card for card in available()}
        return (cards.get(str(model)) or find(str(model))).new_walk
    except (ModelNotFound, ModelBroken):
        return {"without": LEFT_OUT}
