"""The container, fuzzed over HTTP from its OpenAPI description."""

from typing import Any

import pytest

from momalisa.picture_size import SIZE
from momalisa.spec import FRAMES, STEPS
from tests.support.container import Container

SIDE = (64, SIZE[1], 64)
CAPS = {"frames": (3, FRAMES[1], 1), "steps": (2, STEPS[1], 1), "size": SIDE, "height": SIDE}
"""(replacement of larger numbers, largest valid number, divisor of both)."""


def reduce_work(case: Any) -> None:
    """Lower the numbers of a valid case and remove walks and stops, to save time."""
    if not isinstance(case.body, dict) or not isinstance(case.body.get("instances"), list):
        return
    case.body["instances"][2:] = []
    for place in [case.body.get("parameters"), *case.body["instances"]]:
        if isinstance(place, dict):
            for name, (cap, limit, unit) in CAPS.items():
                number: Any = place.get(name)
                if type(number) in (int, float) and cap < number <= limit and number % unit == 0:
                    place[name] = cap
            if isinstance(place.get("stops"), list):
                place["stops"][3:] = []


def drop_texts(fields: dict[str, Any]) -> None:
    """Drop texts of which a schema cannot say what they may hold, or with what they go."""
    for name in ("negative", "middle"):
        fields.pop(name, None)


def make_valid(case: Any) -> None:
    """Set different prompts, which a schema cannot require, and low defaults."""
    for walk in case.body["instances"]:
        walk.setdefault("frames", 2)
        walk.setdefault("steps", 1)
        drop_texts(walk)
        if "sample_key" in walk:
            walk["sample_key"] = ["a red square", "a stormy sea"]
        else:
            for number, stop in enumerate(walk["stops"]):
                stop.pop("image", None)  # no random text is a picture
                stop.pop("between", None)
                stop["prompt"] = f"a red square, {number}"
    drop_texts(case.body.get("parameters") or {})


def test_description_has_version_and_routes(container: Container) -> None:
    description = container.get("/openapi.json").json
    assert description["openapi"].startswith("3.1")
    assert set(description["paths"]) == {"/health", "/predict"}


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_fuzzed_requests_conform_to_the_description(container: Container, mode: str) -> None:
    import schemathesis
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis.checks import not_a_server_error
    from schemathesis.generation.modes import GenerationMode
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        negative_data_rejection,
        response_schema_conformance,
        status_code_conformance,
    )

    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
        negative_data_rejection,
    ]
    schema = schemathesis.openapi.from_url(f"{container.url}/openapi.json")
    operation = schema["/predict"]["POST"]
    statuses: set[int] = set()

    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=GenerationMode(mode)))
    def send(case: Any) -> None:
        reduce_work(case)
        if mode == "positive":
            make_valid(case)
        response = case.call(timeout=120)
        statuses.add(response.status_code)
        case.validate_response(response, checks=checks)

    send()
    assert (200 if mode == "positive" else 400) in statuses
    assert "Traceback" not in container.log
