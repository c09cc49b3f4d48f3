"""Parses and checks the container's requests; `description` describes them in OpenAPI."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from momalisa.cloud import request_pictures
from momalisa.cloud.request_pictures import Source
from momalisa.errors import BadInput
from momalisa.models.cards import ModelCard
from momalisa.models.lora_files import name_loras
from momalisa.picture_size import SIZE
from momalisa.spec import FPS, FRAMES, GUIDANCE, STEPS, WalkSpec, explain

INSTANCES = 16
"""Walks in one request, at most."""
WALK_ID = r"[a-z0-9][a-z0-9-]{0,63}"

Json = dict[str, Any]

_EXTRA_FIELDS = {"sample_key", "walk_id", "film"}
"""Fields of an instance that are not a spec's."""

INTEGER_LIMITS = {
    "frames": FRAMES,
    "steps": STEPS,
    "size": SIZE,
    "height": SIZE,
    "fps": FPS,
}
FLOAT_LIMITS = {"guidance": GUIDANCE, "strength": (0.0, 1.0)}
_NUMBERS = {*INTEGER_LIMITS, *FLOAT_LIMITS, "seed", "t", "x", "y", "zoom"}
_NESTED = {"image", "crop", "between", "start", "end"}


@dataclass(frozen=True)
class WalkRequest:
    """One instance of a request."""

    spec: WalkSpec
    walk_id: str | None
    """The id to store it under if the frames do not fit into the response; None: a digest."""
    film: bool
    """Whether to store the film as well, or only the frames."""
    sources: Mapping[str, Source] = field(default_factory=dict)
    """Where the pictures of its stops come from, by the digests that stand for them."""
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    """Their files by digest, once `take_in_pictures` has them."""


def parse_request(body: bytes, card: ModelCard) -> list[WalkRequest]:
    """Parse and check a request's JSON; `card` describes the served model.

    Raises BadInput with a message that starts with the field, such as "instances.0.frames: ...".
    """
    request = _check_object(_parse_json(body), "The request", {"instances", "parameters"})
    parameters = request.get("parameters")
    shared = {} if parameters is None else parameters
    shared = _check_object(shared, "parameters", shared_fields())
    _check_numbers(shared, "parameters")
    instances = request.get("instances")
    if not isinstance(instances, list) or not 1 <= len(instances) <= INSTANCES:
        raise BadInput(f"The request needs “instances”: a list of 1 to {INSTANCES} walks.")
    walks = [
        _parse_instance(instance, shared, card, f"instances.{number}")
        for number, instance in enumerate(instances)
    ]
    if len(_all_sources(walks)) > request_pictures.MOST:
        raise BadInput(f"A request has at most {request_pictures.MOST} pictures.")
    return walks


def take_in_pictures(walks: list[WalkRequest], home: Path) -> list[WalkRequest]:
    """The walks with the files of their stops' pictures, checked or fetched from museums.

    Raises BadInput with a message that starts with the field, or ServiceError.
    """
    found = request_pictures.take_in(_all_sources(walks), home)
    made = []
    for number, walk in enumerate(walks):
        pictures = [found[digest].picture for digest in walk.sources]
        files = {picture.digest: picture.data for picture in pictures}
        spec = request_pictures.name_pictures(walk.spec, found)
        # Again, since two files may hold the same picture.
        spec = _make_spec(spec.model_dump(), f"instances.{number}")
        made.append(replace(walk, spec=spec, pictures=files))
    return made


def _all_sources(walks: list[WalkRequest]) -> dict[str, Source]:
    return {digest: source for walk in walks for digest, source in walk.sources.items()}


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


def shared_fields() -> set[str]:
    """A spec's fields that may be set for all instances at once."""
    return set(WalkSpec.model_fields) - {"stops"}


def _parse_instance(instance: Any, shared: Json, card: ModelCard, where: str) -> WalkRequest:
    """Parse one instance; `where` names it in error messages."""
    fields = dict(_check_object(instance, where, shared_fields() | {"stops", *_EXTRA_FIELDS}))
    walk_id, film = fields.pop("walk_id", None), fields.pop("film", True)
    if walk_id is not None and not _is_id(walk_id):
        raise BadInput(f"{where}.walk_id: an id has 1 to 64 small letters, digits and dashes.")
    if not isinstance(film, bool):
        raise BadInput(f"{where}.film: please say true or false.")
    if ("sample_key" in fields) == ("stops" in fields):
        raise BadInput(f"{where}: a walk needs either “sample_key”, its prompts, or “stops”.")
    sources: dict[str, Source] = {}
    if "sample_key" in fields:
        fields["stops"] = _make_stops(fields.pop("sample_key"), where)
    _check_numbers(fields, where)
    if "stops" in fields:
        fields["stops"], sources = request_pictures.read_sources(fields["stops"], where)
    spec = _make_spec(_with_loras(card.new_walk | shared | fields, where), where)
    if spec.model != card.name:
        raise BadInput(f"{where}.model: this container paints with “{card.name}” only.")
    return WalkRequest(spec, walk_id, film, sources)


def _with_loras(fields: Json, where: str) -> Json:
    """The fields with the digests of LoRAs that are given by name."""
    loras = fields.get("loras")
    if not isinstance(loras, list) or not all(isinstance(lora, dict) for lora in loras):
        return fields
    try:
        return fields | {"loras": name_loras(loras)}
    except BadInput as error:
        raise BadInput(f"{where}.loras: {error}") from None


def _check_numbers(value: Any, where: str) -> None:
    """Raise BadInput for what pydantic would convert: texts for numbers, numbers for booleans.

    Stops are looked into, with the crops of their pictures and the frames that they lie between.
    """
    if not isinstance(value, dict):
        return
    for name in _NUMBERS & set(value):
        if isinstance(value[name], bool) or not isinstance(value[name], int | float):
            raise BadInput(f"{where}.{name} must be a number.")
    if not isinstance(value.get("prompt_weights", False), bool):
        raise BadInput(f"{where}.prompt_weights: please say true or false.")
    for name in _NESTED & set(value):
        _check_numbers(value[name], f"{where}.{name}")
    stops = value.get("stops")
    for number, stop in enumerate(stops if isinstance(stops, list) else ()):
        _check_numbers(stop, f"{where}.stops.{number}")


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
