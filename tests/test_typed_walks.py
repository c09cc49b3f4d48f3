"""Sizes, LoRAs, prompts for the middle: on the command line, in batch files and requests."""

import json
from pathlib import Path
from typing import Any

import pytest

from momalisa.__main__ import build_parser
from momalisa.cloud.batch_file import read_walks
from momalisa.cloud.description import describe_openapi
from momalisa.cloud.request_format import parse_request
from momalisa.commands import walk as walk_command
from momalisa.errors import BadInput
from momalisa.models.cards import ATELIER
from momalisa.settings import settings
from momalisa.spec import WalkSpec
from tests.support.lora_files import put_lora


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two LoRAs."""
    monkeypatch.setenv("MOMALISA_LORAS", str(tmp_path / "loras"))
    settings.cache_clear()
    put_lora(tmp_path / "loras", "ink")
    put_lora(tmp_path / "loras", "gold")
    return tmp_path / "loras"


def of_command(*options: str) -> WalkSpec:
    spec, *_ = walk_command.build_spec(build_parser().parse_args(["walk", "a", "b", *options]))
    return spec


def of_table(tmp_path: Path, cells: dict[str, str]) -> WalkSpec:
    path = tmp_path / "walks.csv"
    lines = [
        ",".join(["prompts", *cells]),
        ",".join(["a | b", *(f'"{c}"' for c in cells.values())]),
    ]
    path.write_text("\n".join(lines))
    (spec,) = read_walks(path)
    return spec


def of_request(**fields: Any) -> WalkSpec:
    body = json.dumps({"instances": [{"sample_key": ["a", "b"], **fields}]})
    (request,) = parse_request(body.encode(), ATELIER)
    return request.spec


def test_width_and_height_are_given_everywhere(tmp_path: Path) -> None:
    found = [
        of_command("--size", "192x320"),
        of_table(tmp_path, {"size": "192x320"}),
        of_table(tmp_path, {"size": "192", "height": "320"}),
        of_request(size=192, height=320),
    ]
    assert {(spec.width, spec.height) for spec in found} == {(192, 320)}
    assert of_command().shown_size == of_request().shown_size == "256 × 256"


def test_loras_are_given_everywhere(tmp_path: Path) -> None:
    found = [
        of_command("--lora", "ink=0,1", "--lora", "gold"),
        of_table(tmp_path, {"loras": "ink=0,1 | gold"}),
        of_request(loras=[{"name": "ink", "weights": [0, 1]}, {"name": "gold"}]),
    ]
    labels = {tuple(lora.label for lora in spec.loras) for spec in found}
    assert labels == {("ink at 0, 1", "gold at 1")}
    assert len({spec.loras for spec in found}) == 1
    assert WalkSpec.from_stored(found[0].model_dump(mode="json")) == found[0]


def test_weights_of_words_are_switched_on_everywhere(tmp_path: Path) -> None:
    found = [
        of_command("--prompt-weights"),
        of_table(tmp_path, {"prompt_weights": "true"}),
        of_request(prompt_weights=True),
    ]
    assert all(spec.prompt_weights for spec in found)
    assert not of_command().prompt_weights
    assert not of_request().prompt_weights


def test_a_prompt_for_the_middle_is_given_everywhere(tmp_path: Path) -> None:
    found = [
        of_command("--interpolation", "attention", "--middle", "a moon"),
        of_table(tmp_path, {"interpolation": "attention", "middle": "a moon"}),
        of_request(interpolation="attention", middle="a moon"),
    ]
    assert {spec.middle for spec in found} == {"a moon"}
    assert of_command().middle == ""


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("silver=1", "There is no LoRA “silver”"),
        ("ink=1,2,3", "3 weights for 2 stops"),
        ("ink=much", "A LoRA's weight must be a number from -4 to 4"),
        ("ink=9", "A LoRA's weight must be a number from -4 to 4"),
    ],
)
def test_what_is_wrong_with_a_lora_is_said(tmp_path: Path, typed: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        of_table(tmp_path, {"loras": typed})
    with pytest.raises((BadInput, ValueError), match=said):
        of_command("--lora", typed)


def test_the_description_tells_of_both() -> None:
    schemas = describe_openapi(ATELIER, "/health", "/predict")["components"]["schemas"]
    shared = schemas["Request"]["properties"]["parameters"]["properties"]
    assert shared["height"]["multipleOf"] == shared["size"]["multipleOf"] == 64
    assert shared["loras"]["items"]["required"] == ["name"]
    assert (shared["prompt_weights"]["type"], shared["prompt_weights"]["default"]) == (
        "boolean",
        False,
    )
    assert "$ref" not in json.dumps(shared)


def test_a_model_of_squares_says_so() -> None:
    assert "trained on squares" in ATELIER.warn_of_shape(256, 384)
    assert ATELIER.warn_of_shape(384, 384) == ""
