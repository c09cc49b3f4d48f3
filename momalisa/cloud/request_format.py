"""Parses the container's requests and describes its requests and responses in OpenAPI."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from momalisa.errors import BadInput
from momalisa.field_checks import TEXT_LENGTH
from momalisa.loras import MOST, WEIGHT
from momalisa.models.cards import ModelCard
from momalisa.models.lora_files import name_loras
from momalisa.picture_size import SIDE_UNIT, SIZE
from momalisa.spec import (
    FPS,
    FRAMES,
    GUIDANCE,
    SEED_LIMIT,
    STEPS,
    STOPS,
    WalkSpec,
    explain,
)

INSTANCES = 16
"""Walks in one request, at most."""
WALK_ID = r"[a-z0-9][a-z0-9-]{0,63}"

Json = dict[str, Any]

_EXTRA_FIELDS = {"sample_key", "walk_id", "film"}
"""Fields of an instance that are not a spec's."""

_INTEGER_LIMITS = {
    "frames": FRAMES,
    "steps": STEPS,
    "size": SIZE,
    "height": SIZE,
    "fps": FPS,
}
_FLOAT_LIMITS = {"guidance": GUIDANCE, "strength": (0.0, 1.0)}
_NUMBERS = {*_INTEGER_LIMITS, *_FLOAT_LIMITS, "seed"}


@dataclass(frozen=True)
class WalkRequest:
    """One instance of a request."""

    spec: WalkSpec
    walk_id: str | None
    """The id to store it under if the frames do not fit into the response; None: a digest."""
    film: bool
    """Whether to store the film as well, or only the frames."""


def parse_request(body: bytes, card: ModelCard) -> list[WalkRequest]:
    """Parse and check a request's JSON; `card` describes the served model.

    Raises BadInput with a message that starts with the field, such as "instances.0.frames: ...".
    """
    request = _check_object(_parse_json(body), "The request", {"instances", "parameters"})
    parameters = request.get("parameters")
    shared = {} if parameters is None else parameters
    shared = _check_object(shared, "parameters", _shared_fields())
    _check_numbers(shared, "parameters")
    instances = request.get("instances")
    if not isinstance(instances, list) or not 1 <= len(instances) <= INSTANCES:
        raise BadInput(f"The request needs “instances”: a list of 1 to {INSTANCES} walks.")
    return [
        _parse_instance(instance, shared, card, f"instances.{number}")
        for number, instance in enumerate(instances)
    ]


def _parse_json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise BadInput("The request's body is not JSON.") from None


def _check_object(value: Any, name: str, allowed: set[str]) -> Json:
    """Return the value if it is an object; rejects unknown keys."""
    if not isinstance(value, dict):
        raise BadInput(f"{name} must be a JSON object.")
    if unknown := set(value) - allowed:
        raise BadInput(f"{name} has no setting named “{min(unknown)[:40]}”.")
    return value


def _shared_fields() -> set[str]:
    """A spec's fields that may be set for all instances at once."""
    return set(WalkSpec.model_fields) - {"stops"}


def _parse_instance(instance: Any, shared: Json, card: ModelCard, where: str) -> WalkRequest:
    """Parse one instance; `where` names it in error messages."""
    fields = dict(_check_object(instance, where, _shared_fields() | {"stops", *_EXTRA_FIELDS}))
    walk_id, film = fields.pop("walk_id", None), fields.pop("film", True)
    if walk_id is not None and not _is_id(walk_id):
        raise BadInput(f"{where}.walk_id: an id has 1 to 64 small letters, digits and dashes.")
    if not isinstance(film, bool):
        raise BadInput(f"{where}.film: please say true or false.")
    if ("sample_key" in fields) == ("stops" in fields):
        raise BadInput(f"{where}: a walk needs either “sample_key”, its prompts, or “stops”.")
    if "sample_key" in fields:
        fields["stops"] = _make_stops(fields.pop("sample_key"), where)
    _check_numbers(fields, where)
    spec = _make_spec(_with_loras(card.new_walk | shared | fields, where), where)
    if spec.model != card.name:
        raise BadInput(f"{where}.model: this container paints with “{card.name}” only.")
    return WalkRequest(spec, walk_id, film)


def _with_loras(fields: Json, where: str) -> Json:
    """The fields with the digests of LoRAs that are given by name."""
    loras = fields.get("loras")
    if not isinstance(loras, list) or not all(isinstance(lora, dict) for lora in loras):
        return fields
    try:
        return fields | {"loras": name_loras(loras)}
    except BadInput as error:
        raise BadInput(f"{where}.loras: {error}") from None


def _check_numbers(fields: Json, where: str) -> None:
    """Raise BadInput for strings and booleans in number fields, which pydantic would convert."""
    stops = fields.get("stops")
    objects = {where: fields}
    if isinstance(stops, list):
        objects |= {f"{where}.stops.{number}": stop for number, stop in enumerate(stops)}
    for place, value in objects.items():
        for name in _NUMBERS & set(value) if isinstance(value, dict) else ():
            if isinstance(value[name], bool) or not isinstance(value[name], int | float):
                raise BadInput(f"{place}.{name} must be a number.")


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(WALK_ID, value) is not None


def _make_stops(prompts: Any, where: str) -> list[Json]:
    if not isinstance(prompts, list):
        raise BadInput(f"{where}.sample_key: please give a list of prompts.")
    return [{"prompt": prompt} for prompt in prompts]


def _make_spec(fields: Json, where: str) -> WalkSpec:
    try:
        return WalkSpec.model_validate(fields)
    except ValidationError as error:
        problems = (f"{where}.{field}: {text}" for field, text in explain(error).items())
        raise BadInput(" ".join(problems)) from None


def error_body(code: str, message: str) -> Json:
    """The body of every error response."""
    return {"error": {"code": code, "message": message}}


def describe_openapi(card: ModelCard, health: str, predict: str) -> Json:
    """The container's OpenAPI 3.1 description, with the limits that `parse_request` enforces.

    `health` and `predict` are the routes.
    """
    error_texts = {
        "400": "the request is invalid; the message says why",
        "413": "the request is too large, or the response is and there is no store",
        "429": "the queue is full; Retry-After says when to retry",
        "500": "an internal error; the container's log has the details",
        "502": "the film could not be stored",
        "503": "loading or stopping; Retry-After says when to retry",
    }
    errors = {code: _response(text, _ref("Error")) for code, text in error_texts.items()}
    ready = {"200": _response("the model is loaded", _ref("Ready")), "503": errors["503"]}
    predicted = {"200": _response("a prediction for each instance", _ref("Answer")), **errors}
    body = {"required": True, "content": {"application/json": {"schema": _ref("Request")}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "MOMA Lisa, the prediction container", "version": "1"},
        "paths": {
            health: {"get": {"operationId": "health", "responses": ready}},
            predict: {
                "post": {"operationId": "predict", "requestBody": body, "responses": predicted}
            },
        },
        "components": {"schemas": _schemas(card)},
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _response(text: str, schema: Json) -> Json:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _object(properties: Mapping[str, Any], *required: str) -> Json:
    """The schema of an object with these properties and no others."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def _list(items: Json, low: int, high: int) -> Json:
    return {"type": "array", "items": items, "minItems": low, "maxItems": high}


def _number(kind: str, limits: tuple[float, float]) -> Json:
    low, high = limits
    return {"type": kind, "minimum": low, "maximum": high}


def _schemas(card: ModelCard) -> Json:
    """The schemas of requests and responses, by name."""
    text = {"type": "string"}
    prompt = {"type": "string", "minLength": 1, "maxLength": TEXT_LENGTH}
    stop = _object({"prompt": prompt, "seed": _number("integer", (0, SEED_LIMIT - 1))}, "prompt")
    settings = _settings(card)
    walk_id = {"type": ["string", "null"], "pattern": f"^{WALK_ID}$"}
    fields = settings | {"walk_id": walk_id, "film": {"type": "boolean", "default": True}}
    walks = [
        _object(fields | {"sample_key": _list(prompt, *STOPS)}, "sample_key"),
        _object(fields | {"stops": _list(stop, *STOPS)}, "stops"),
    ]
    file = _object({"key": text, "url": text}, "key", "url")
    common = {"spec": {"type": "object"}, "digest": text, "made": {"type": "object"}}
    pictures = _object(
        common | {"pictures": {"type": "array", "items": text | {"contentEncoding": "base64"}}},
        *(*common, "pictures"),
    )
    files = {"walk_id": text, "store": text, "frames": {"type": "array", "items": file}}
    stored = _object(common | files | {"film": file}, *common, *files)
    error = _object({"code": text, "message": text}, "code", "message")
    return {
        "Request": _object(
            {
                "instances": _list({"anyOf": walks}, 1, INSTANCES),
                "parameters": _object(settings) | {"type": ["object", "null"]},
            },
            "instances",
        ),
        "Answer": _object(
            {"predictions": _list({"oneOf": [pictures, stored]}, 1, INSTANCES)}, "predictions"
        ),
        "Ready": _object(
            dict.fromkeys(("status", "model", "digest", "device"), text), "status", "model"
        ),
        "Error": _object({"error": error}, "error"),
    }


def _lora() -> Json:
    """The schema of a LoRA: a file of the container's folder, by name or by digest."""
    weights = _list(_number("number", WEIGHT), 1, STOPS[1])
    name = {"type": "string", "minLength": 1, "maxLength": TEXT_LENGTH}
    digest = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
    return _object({"name": name, "digest": digest, "weights": weights}, "name")


def _settings(card: ModelCard) -> Json:
    """The schemas of a spec's fields without the stops: pydantic's, and limits of validators."""
    schema = WalkSpec.model_json_schema()["properties"]
    settings = {name: schema[name] for name in sorted(_shared_fields())}
    defaults = card.new_walk
    for kind, fields in (("integer", _INTEGER_LIMITS), ("number", _FLOAT_LIMITS)):
        for name, limits in fields.items():
            settings[name] = settings[name] | _number(kind, limits)
    for side in ("size", "height"):
        settings[side] |= {"multipleOf": SIDE_UNIT}
    settings["height"].pop("default", None)  # that of a square
    settings["negative"] = settings["negative"] | {"maxLength": TEXT_LENGTH}
    settings["model"] = {"const": card.name}
    settings["loras"] = _list(_lora(), 0, MOST)
    return {
        name: field | ({"default": defaults[name]} if name in defaults else {})
        for name, field in settings.items()
    }
