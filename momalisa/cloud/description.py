"""Describes the container's requests and responses in OpenAPI, with the limits of its parser."""

from collections.abc import Mapping
from typing import Any, get_args

from momalisa.cloud.request_format import (
    FLOAT_LIMITS,
    INSTANCES,
    INTEGER_LIMITS,
    WALK_ID,
    Json,
    shared_fields,
)
from momalisa.cloud.request_pictures import LONGEST_NAME
from momalisa.field_checks import TEXT_LENGTH
from momalisa.loras import MOST, WEIGHT
from momalisa.models.cards import ModelCard
from momalisa.picture_size import SIDE_UNIT
from momalisa.spec import SEED_LIMIT, STOPS, WalkSpec
from momalisa.stop import ZOOM, Between, Credit


def describe_openapi(card: ModelCard, health: str, predict: str) -> Json:
    """The container's OpenAPI 3.1 description, with the limits that `parse_request` enforces.

    `health` and `predict` are the routes.
    """
    error_texts = {
        "400": "the request is invalid; the message says why",
        "413": "the request is too large, or the response is and there is no store",
        "429": "the queue is full; Retry-After says when to retry",
        "500": "an internal error; the container's log has the details",
        "502": "the film could not be stored, or a museum did not give a picture",
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
    prompt = text | {"minLength": 1, "maxLength": TEXT_LENGTH}
    settings = _settings(card)
    walk_id = {"type": ["string", "null"], "pattern": f"^{WALK_ID}$"}
    fields = settings | {"walk_id": walk_id, "film": {"type": "boolean", "default": True}}
    walks = [
        _object(fields | {"sample_key": _list(prompt, *STOPS)}, "sample_key"),
        _object(fields | {"stops": _list(_ref("Stop"), *STOPS)}, "stops"),
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
        **_stops(prompt),
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


def _stops(prompt: Json) -> Json:
    """The schemas of stops by name: a prompt, a picture, or a frame between two of the others."""
    text = {"type": "string", "maxLength": TEXT_LENGTH}
    seed = _number("integer", (0, SEED_LIMIT - 1))
    share = _number("number", (0.0, 1.0))
    addresses = {
        name: text | {"pattern": "^(https?://.*)?$"}
        for name in ("licence_address", "record_address")
    }
    common = {
        "crop": _object({"x": share, "y": share, "zoom": _number("number", ZOOM)}),
        "credit": _object({**dict.fromkeys(Credit.model_fields, text), **addresses}),
    }
    data = {
        "type": "string",
        "minLength": 1,
        "contentEncoding": "base64",
        "description": "a JPEG, PNG or WebP",
    }
    work = {
        "type": "string",
        "minLength": 1,
        "maxLength": LONGEST_NAME,
        "description": "a museum's work, such as cleveland:1958.31, or the address of a museum's "
        "IIIF image; its credit comes from the museum's record",
    }
    image = {
        "oneOf": [
            _object(common | {"data": data}, "data"),
            _object(common | {"work": work}, "work"),
        ]
    }
    mixes = list(get_args(Between.model_fields["interpolation"].annotation))
    painted = {"anyOf": [_ref("PromptStop"), _ref("FrameStop")]}
    between = _object(
        {"start": painted, "end": painted, "t": share, "interpolation": {"enum": mixes}},
        *("start", "end", "t"),
    )
    return {
        "PromptStop": _object({"prompt": prompt, "seed": seed}, "prompt"),
        "PictureStop": _object({"image": image, "prompt": text, "seed": seed}, "image"),
        "FrameStop": _object(
            {"between": between, "prompt": {"const": ""}, "seed": seed}, "between"
        ),
        "Stop": {"anyOf": [_ref("PromptStop"), _ref("PictureStop"), _ref("FrameStop")]},
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
    settings = {name: schema[name] for name in sorted(shared_fields())}
    defaults = card.new_walk
    for kind, fields in (("integer", INTEGER_LIMITS), ("number", FLOAT_LIMITS)):
        for name, limits in fields.items():
            settings[name] = settings[name] | _number(kind, limits)
    for side in ("size", "height"):
        settings[side] |= {"multipleOf": SIDE_UNIT}
    settings["height"].pop("default", None)  # that of a square
    for name in ("negative", "middle"):
        settings[name] = settings[name] | {"maxLength": TEXT_LENGTH}
    settings["model"] = {"const": card.name}
    settings["loras"] = _list(_lora(), 0, MOST)
    return {
        name: field | ({"default": defaults[name]} if name in defaults else {})
        for name, field in settings.items()
    }
