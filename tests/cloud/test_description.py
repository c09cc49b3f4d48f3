"""The container against its own OpenAPI description, asked by a fuzzer over HTTP."""

from typing import Any

import pytest

from momalisa.spec import FRAMES, SIZE, STEPS
from tests.support.container import Container

CAPS = {"frames": (3, FRAMES[1], 1), "steps": (2, STEPS[1], 1), "size": (64, SIZE[1], 64)}
"""What stands for a larger number, up to which one, and of what both are multiples."""


def small(case: Any) -> None:
    """The case with less work in it, if it is a walk: the fuzzer does not spare a CPU."""
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


def plain(case: Any) -> None:
    """The case with less by default, and with prompts that differ, which a schema cannot say."""
    for walk in case.body["instances"]:
        walk.setdefault("frames", 2)
        walk.setdefault("steps", 1)
        walk.pop("negative", None)
        if "sample_key" in walk:
            walk["sample_key"] = ["a red square", "a stormy sea"]
        else:
            for number, stop in enumerate(walk["stops"]):
                stop["prompt"] = f"a red square, {number}"
    (case.body.get("parameters") or {}).pop("negative", None)


def test_description_is_one(container: Container) -> None:
    described = container.get("/openapi.json").json
    assert described["openapi"].startswith("3.1")
    assert set(described["paths"]) == {"/health", "/predict"}


@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_fuzzed_requests_get_what_the_description_promises(container: Container, mode: str) -> None:
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
    seen: set[int] = set()

    @settings(
        max_examples=40,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=GenerationMode(mode)))
    def ask(case: Any) -> None:
        small(case)
        if mode == "positive":
            plain(case)
        response = case.call(timeout=120)
        seen.add(response.status_code)
        case.validate_response(response, checks=checks)

    ask()
    assert (200 if mode == "positive" else 400) in seen
    assert "Traceback" not in container.log
