"""What the container is asked and what it answers, as values and as an OpenAPI description."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from momalisa.errors import BadInput
from momalisa.models.registry import ModelCard
from momalisa.spec import (
    FPS,
    FRAMES,
    GUIDANCE,
    PROMPT_LENGTH,
    SEED_LIMIT,
    SIZE,
    STEPS,
    STOPS,
    WalkSpec,
    explain,
)

INSTANCES = 16
"""Walks in one request, at most."""
WALK_ID = r"[a-z0-9][a-z0-9-]{0,63}"

Json = dict[str, Any]

_ABOUT = {"sample_key", "walk_id", "film"}
"""What a request may say of a walk beside its spec."""

_WHOLE = {
    "frames": FRAMES,
    "steps": STEPS,
    "size": SIZE,
    "fps": FPS,
}
_REAL = {"guidance": GUIDANCE, "strength": (0.0, 1.0)}
_NUMBERS = {*_WHOLE, *_REAL, "seed"}


@dataclass(frozen=True)
class Asked:
    """One walk of a request."""

    spec: WalkSpec
    walk_id: str | None
    """Where it is stored if its pictures do not fit; None: under an id of its own."""
    film: bool
    """Whether its film is stored then, or its frames only."""


def asked(body: bytes, served: ModelCard) -> list[Asked]:
    """The walks that a request's JSON asks for; `served` is the model that will paint them.

    Raises BadInput with a sentence that names the place, such as "instances.0.frames: ...".
    """
    request = _object(_json(body), "The request", {"instances", "parameters"})
    parameters = request.get("parameters")
    shared = _object({} if parameters is None else parameters, "parameters", _fields())
    _check_numbers(shared, "parameters")
    instances = request.get("instances")
    if not isinstance(instances, list) or not 1 <= len(instances) <= INSTANCES:
        raise BadInput(f"The request needs “instances”: a list of 1 to {INSTANCES} walks.")
    return [
        _walk(instance, shared, served, f"instances.{number}")
        for number, instance in enumerate(instances)
    ]


def defaults(served: ModelCard) -> Json:
    """A spec's fields that follow the model, where the caller leaves them away."""
    return {
        "model": served.name,
        "size": served.size,
        "steps": served.steps,
        "guidance": served.guidance,
    }


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise BadInput("The request's body is not JSON.") from None


def _object(value: Any, name: str, known: set[str]) -> Json:
    """The value if it is an object with none but known keys."""
    if not isinstance(value, dict):
        raise BadInput(f"{name} must be a JSON object.")
    if foreign := set(value) - known:
        raise BadInput(f"{name} has no setting named “{min(foreign)[:40]}”.")
    return value


def _fields() -> set[str]:
    return set(WalkSpec.model_fields) - {"stops"}


def _walk(instance: Any, shared: Json, served: ModelCard, where: str) -> Asked:
    given = dict(_object(instance, where, _fields() | {"stops", *_ABOUT}))
    walk_id, film = given.pop("walk_id", None), given.pop("film", True)
    if walk_id is not None and not _is_id(walk_id):
        raise BadInput(f"{where}.walk_id: an id has 1 to 64 small letters, digits and dashes.")
    if not isinstance(film, bool):
        raise BadInput(f"{where}.film: please say true or false.")
    if ("sample_key" in given) == ("stops" in given):
        raise BadInput(f"{where}: a walk needs either “sample_key”, its prompts, or “stops”.")
    if "sample_key" in given:
        given["stops"] = _stops(given.pop("sample_key"), where)
    _check_numbers(given, where)
    spec = _spec(defaults(served) | shared | given, where)
    if spec.model != served.name:
        raise BadInput(f"{where}.model: this container paints with “{served.name}” only.")
    return Asked(spec, walk_id, film)


def _check_numbers(fields: Json, where: str) -> None:
    """Raise BadInput for text or a truth value in place of a number, which a spec would read."""
    stops = fields.get("stops")
    places = {where: fields}
    if isinstance(stops, list):
        places |= {f"{where}.stops.{number}": stop for number, stop in enumerate(stops)}
    for place, found in places.items():
        for name in _NUMBERS & set(found) if isinstance(found, dict) else ():
            if isinstance(found[name], bool) or not isinstance(found[name], int | float):
                raise BadInput(f"{place}.{name} must be a number.")


def _is_id(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(WALK_ID, value) is not None


def _stops(prompts: Any, where: str) -> list[Json]:
    if not isinstance(prompts, list):
        raise BadInput(f"{where}.sample_key: please give a list of prompts.")
    return [{"prompt": prompt} for prompt in prompts]


def _spec(fields: Json, where: str) -> WalkSpec:
    try:
        return WalkSpec.model_validate(fields)
    except ValidationError as error:
        problems = (f"{where}.{field}: {text}" for field, text in explain(error).items())
        raise BadInput(" ".join(problems)) from None


def error(code: str, message: str) -> Json:
    """The body of every answer that is none."""
    return {"error": {"code": code, "message": message}}


def openapi(served: ModelCard, health: str, predict: str) -> Json:
    """The container's OpenAPI 3.1 description, from the very limits that `asked` keeps."""
    wrong = {
        "400": "what was asked for cannot be done, and why",
        "413": "the request, or the answer without a store for it, is too large",
        "429": "the line is full; Retry-After says when to come back",
        "500": "the fault is the container's, and its log says more",
        "502": "the film could not be stored",
        "503": "loading or stopping; Retry-After says when to come back",
    }
    ill = {code: _answer(text, _ref("Error")) for code, text in wrong.items()}
    ready = {"200": _answer("the model is loaded", _ref("Ready")), "503": ill["503"]}
    painted = {"200": _answer("a prediction for each instance", _ref("Answer")), **ill}
    body = {"required": True, "content": {"application/json": {"schema": _ref("Request")}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "MOMA Lisa, the prediction container", "version": "1"},
        "paths": {
            health: {"get": {"operationId": "health", "responses": ready}},
            predict: {
                "post": {"operationId": "predict", "requestBody": body, "responses": painted}
            },
        },
        "components": {"schemas": _schemas(served)},
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(text: str, schema: Json) -> Json:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _closed(properties: Mapping[str, Any], *required: str) -> Json:
    """An object with these properties and no others."""
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


def _schemas(served: ModelCard) -> Json:
    text = {"type": "string"}
    prompt = {"type": "string", "minLength": 1, "maxLength": PROMPT_LENGTH}
    stop = _closed({"prompt": prompt, "seed": _number("integer", (0, SEED_LIMIT - 1))}, "prompt")
    settings = _settings(served)
    walk_id = {"type": ["string", "null"], "pattern": f"^{WALK_ID}$"}
    own = settings | {"walk_id": walk_id, "film": {"type": "boolean", "default": True}}
    walks = [
        _closed(own | {"sample_key": _list(prompt, *STOPS)}, "sample_key"),
        _closed(own | {"stops": _list(stop, *STOPS)}, "stops"),
    ]
    place = _closed({"key": text, "url": text}, "key", "url")
    about = {"spec": {"type": "object"}, "digest": text, "made": {"type": "object"}}
    pictures = _closed(
        about | {"pictures": {"type": "array", "items": text | {"contentEncoding": "base64"}}},
        *(*about, "pictures"),
    )
    places = {"walk_id": text, "store": text, "frames": {"type": "array", "items": place}}
    stored = _closed(about | places | {"film": place}, *about, *places)
    told = _closed({"code": text, "message": text}, "code", "message")
    return {
        "Request": _closed(
            {
                "instances": _list({"anyOf": walks}, 1, INSTANCES),
                "parameters": _closed(settings) | {"type": ["object", "null"]},
            },
            "instances",
        ),
        "Answer": _closed(
            {"predictions": _list({"oneOf": [pictures, stored]}, 1, INSTANCES)}, "predictions"
        ),
        "Ready": _closed(
            dict.fromkeys(("status", "model", "digest", "device"), text), "status", "model"
        ),
        "Error": _closed({"error": told}, "error"),
    }


def _settings(served: ModelCard) -> Json:
    """A spec's fields but the stops, as pydantic describes them, with the limits it cannot see."""
    schema = WalkSpec.model_json_schema()["properties"]
    settings = {name: schema[name] for name in sorted(_fields())}
    own = defaults(served)
    for kind, fields in (("integer", _WHOLE), ("number", _REAL)):
        for name, limits in fields.items():
            settings[name] = settings[name] | _number(kind, limits)
    settings["size"] |= {"multipleOf": 64}
    settings["negative"] = settings["negative"] | {"maxLength": PROMPT_LENGTH}
    settings["model"] = {"const": served.name}
    return {
        name: field | ({"default": own[name]} if name in own else {})
        for name, field in settings.items()
    }
