"""Invalid requests get status 400 and a message; unknown routes get JSON errors."""

from typing import Any

import pytest

from tests.support.container import Container

NOT_OBJECTS: list[Any] = [None, [], "dog", 7, {}, {"prompt": "dog"}]
BAD_LISTS: list[Any] = [None, "dog", ["a"], ["a", "a"], [1, 2], []]
VALID: dict[str, Any] = {"sample_key": ["a", "b"], "frames": 2, "steps": 1, "size": 64}
STOPS = [{"prompt": "a"}, {"prompt": "b"}]
BAD_BODIES: list[Any] = [
    *(b"", b"{", b"[]", b"null", b"\xff\xfe", b"1", b'"walk"', b"[" * 100_000, b"9" * 5_000),
    *({}, {"instances": None}, {"instances": {}}, {"instances": []}, {"instances": "dog"}),
    *({"instances": [VALID] * 17}, {"instance": [VALID]}, {"instances": [VALID], "parameter": {}}),
    *({"instances": [VALID], "parameters": value} for value in ([1], "dog", 3, [], "", False)),
    *({"instances": [VALID], "parameters": {name: 1}} for name in ("stops", "warp", "walk_id")),
    *({"instances": [value]} for value in NOT_OBJECTS),
    *({"instances": [{"sample_key": value}]} for value in BAD_LISTS),
    *({"instances": [{"sample_key": value}]} for value in (["a"] * 13, ["", "b"], {"a": 1})),
    *({"instances": [{"sample_key": ["a", text]}]} for text in ("<script>", "\0", "x" * 501, None)),
    {"instances": [VALID | {"stops": STOPS}]},
    *({"instances": [{"stops": value}]} for value in (*BAD_LISTS, [{"seed": 1}] * 2)),
    {"instances": [{"stops": [{"prompt": "a", "seed": -1}, {"prompt": "b"}]}]},
    *({"instances": [VALID | {"frames": value}]} for value in (0, 1, 241, "many", 2.5, None, [3])),
    *({"instances": [VALID | {"steps": value}]} for value in (0, 101, 1e99, True, "1e3")),
    *({"instances": [VALID | {"size": value}]} for value in (0, 63, 65, 1025, -64)),
    *({"instances": [VALID | {"guidance": value}]} for value in (-1, 31, "much", None)),
    *({"instances": [VALID | {"pacing": value}]} for value in ("fast", 1, None)),
    *({"instances": [VALID | {"model": value}]} for value in ("sd-1.5", "../../etc", 1, "")),
    *(
        {"instances": [VALID | {"walk_id": value}]}
        for value in ("", "../x", "A", 7, "x" * 65, "a\n")
    ),
    *({"instances": [VALID | {"film": value}]} for value in ("no", 0, None)),
    b'{"instances": [{"sample_key": ["a", "b"], "frames": NaN}]}',
    b'{"instances": [{"sample_key": ["a", "b"], "frames": Infinity}]}',
    b'{"instances": [{"sample_key": ["a", "\\ud800"]}]}',
    b'{"instances": [{"sample_key": ["a", "b"], "\\ud800": 1}]}',
    b'{"\\ud800": 1}',
    {"instances": [VALID, VALID | {"fps": 51}]},
]


def test_bad_bodies_are_many() -> None:
    assert len(BAD_BODIES) >= 50


@pytest.mark.parametrize("bad", BAD_BODIES, ids=lambda bad: repr(bad)[:60])
def test_bad_bodies_get_a_message(container: Container, bad: Any) -> None:
    response = container.predict(bad)
    assert (response.status, response.error_code) == (400, "bad_input")
    assert response.headers["Content-Type"] == "application/json"
    assert "Traceback" not in response.text


def test_bad_bodies_cause_no_traceback(container: Container) -> None:
    assert container.get("/health").status == 200
    assert "Traceback" not in container.log


def test_too_large_a_body_is_refused(container: Container) -> None:
    assert container.predict(b" " * 1_600_000).status == 413


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/predict", 405),
        ("POST", "/health", 405),
        ("GET", "/", 404),
        ("PUT", "/v1/endpoints/1/deployedModels/2", 405),
    ],
)
def test_unknown_routes_and_methods_get_json_errors(
    container: Container, method: str, path: str, status: int
) -> None:
    response = container.send(method, path)
    assert (response.status, bool(response.error_code)) == (status, True)
