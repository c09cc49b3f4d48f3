"""A stop: a prompt, a picture with its crop and credit, or a frame of another walk."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from momalisa.spec import WalkSpec, explain
from momalisa.stop import NESTING, Credit, Crop, Stop
from tests.support.walks import walk_spec

DIGEST = "0a" * 32
CREDIT = {"artist": "Claude Monet", "title": "Water Lilies", "licence": "CC0"}
RED, SEA = {"prompt": "a red square", "seed": 7}, {"prompt": "a stormy sea", "seed": 8}


def picture(**changes: Any) -> dict[str, Any]:
    return {"image": {"digest": DIGEST, **changes}}


def frame(depth: int = 1) -> dict[str, Any]:
    start = frame(depth - 1) if depth > 1 else RED
    return {"between": {"start": start, "end": SEA, "t": 0.25}}


def problems(*stops: dict[str, Any], **changes: Any) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        walk_spec(stops=list(stops), **changes)
    return explain(caught.value)


def test_stops_without_a_picture_are_stored_as_they_always_were() -> None:
    assert walk_spec(stops=[RED, SEA]).model_dump()["stops"] == (RED, SEA)
    assert Stop.model_validate(RED).content == RED


@pytest.mark.parametrize("stop", [picture(), picture(credit=CREDIT), frame(), frame(NESTING)])
def test_json_round_trip(stop: dict[str, Any]) -> None:
    spec = walk_spec(stops=[stop, SEA])
    assert WalkSpec.from_stored(spec.model_dump(mode="json")) == spec
    assert WalkSpec.model_validate_json(spec.model_dump_json()).digest() == spec.digest()


def test_a_credit_changes_no_film_but_digest_crop_and_prompt_do() -> None:
    stops = [picture(), picture(credit=CREDIT), picture(crop={"zoom": 2.0})]
    stops += [picture(digest="0b" * 32), {**picture(), "prompt": "lilies"}, RED]
    digests = [walk_spec(stops=[stop, SEA]).digest() for stop in stops]
    assert digests[0] == digests[1]
    assert len(set(digests)) == len(stops) - 1


def test_a_picture_needs_no_prompt_and_gives_the_film_its_title() -> None:
    titles = [
        walk_spec(stops=[stop, SEA]).title()
        for stop in (picture(), {**picture(), "prompt": "lilies"}, picture(credit=CREDIT), frame())
    ]
    assert titles == [
        "a picture → a stormy sea",
        "lilies → a stormy sea",
        "Water Lilies (Claude Monet) → a stormy sea",
        "between a red square and a stormy sea → a stormy sea",
    ]


def test_neighbours_may_share_a_prompt_if_one_is_a_picture() -> None:
    assert walk_spec(stops=[{**picture(), **SEA}, SEA])
    assert walk_spec(stops=[picture(), {**picture(), "prompt": "lilies"}])
    assert walk_spec(stops=[picture(), picture(crop={"x": 0.0})])
    assert "Pictures 1 and 2 are the same" in problems(picture(), picture(credit=CREDIT))["stops"]
    assert "Pictures 1 and 2 are the same" in problems(frame(), frame())["stops"]


@pytest.mark.parametrize(
    ("stop", "field", "said"),
    [
        ({}, "prompt", "lacks its prompt"),
        ({"image": None, "prompt": ""}, "prompt", "needs a prompt"),
        ({"prompt": "\u200b\ufe0f \u2800\ufeff"}, "prompt", "needs a prompt"),
        ({**frame(), "prompt": "sea"}, "prompt", "no prompt of its own"),
        (picture(digest="../etc/passwd"), "image.digest", "64 hex digits"),
        (picture(crop={"zoom": 0.5}), "image.crop.zoom", "from 1 to 16"),
        (picture(crop={"x": float("nan")}), "image.crop.x", "from 0 to 1"),
        (picture(credit={"artist": "<script>"}), "image.credit.artist", "code"),
        (picture(credit={"title": "x" * 501}), "image.credit.title", "501 characters"),
        (
            picture(credit={"record_address": "javascript:x"}),
            "image.credit.record_address",
            "https",
        ),
        (frame(NESTING + 1), "between", "take its picture"),
        ({"between": {"start": picture(), "end": SEA, "t": 0.5}}, "between", "take its picture"),
    ],
)
def test_bad_stops_are_refused_in_words(stop: dict[str, Any], field: str, said: str) -> None:
    found = problems(stop, SEA)
    assert list(found) == [f"stops.0.{field}"]
    assert said in found[f"stops.0.{field}"]


def test_pictures_and_frames_take_no_shortcut_through_their_neighbours() -> None:
    for stop in (picture(), frame()):
        assert not walk_spec(stops=[stop, SEA], without=[]).shortcuts & {"trunk", "glide"}


SIDE = st.integers(16, 4000)


@given(SIDE, SIDE, SIDE, SIDE, st.floats(0, 1), st.floats(0, 1), st.floats(1, 16))
def test_a_crop_has_the_films_shape_and_lies_in_the_picture(
    width: int, height: int, film_width: int, film_height: int, x: float, y: float, zoom: float
) -> None:
    box = Crop(x=x, y=y, zoom=zoom).box((width, height), (film_width, film_height))
    left, top, right, bottom = box
    assert min(left, top) >= 0
    assert right <= width + 1e-6
    assert bottom <= height + 1e-6
    shape = (right - left) / (bottom - top)
    assert shape == pytest.approx(film_width / film_height)


def test_the_usual_crop_is_the_largest_in_the_middle() -> None:
    assert Crop().box((400, 200), (256, 256)) == (100, 0, 300, 200)
    assert Crop(zoom=2.0, x=0.0).box((400, 200), (256, 256)) == (0, 50, 100, 150)


def test_a_credit_reads_as_on_a_wall_label() -> None:
    credit = Credit(**CREDIT, year="1906", museum="Cleveland Museum of Art")
    assert credit.line == "Claude Monet, Water Lilies, 1906. Cleveland Museum of Art. CC0"
    assert Credit().line == "No licence is known"


def test_a_prompt_that_cannot_be_seen_is_none_but_stored_ones_stay() -> None:
    unseen = {**picture(), "prompt": "\u200b\u200d"}
    assert walk_spec(stops=[unseen, SEA]).stops[0].prompt == ""
    stored = {"stops": [{"prompt": "\u200b", "seed": 7}, SEA]}
    assert WalkSpec.from_stored(stored).stops[0].prompt == "\u200b"
    assert walk_spec("👩\u200d🎨", "क्\u200dष").stops[0].prompt == "👩\u200d🎨"
