"""A walk as one value: what is refused, what makes two walks the same film."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from momalisa.spec import WalkSpec, explain
from tests.support.walks import walk_spec


def problems(**changes: Any) -> dict[str, str]:
    with pytest.raises(ValidationError) as caught:
        walk_spec(**changes)
    return explain(caught.value)


@given(
    st.integers(2, 240),
    st.sampled_from(["linear", "ease", "dense-middle"]),
    st.floats(0, 30),
    st.sampled_from(["once", "boomerang", "closed"]),
)
def test_json_round_trip(frames: int, pacing: str, guidance: float, loop: str) -> None:
    spec = walk_spec(frames=frames, pacing=pacing, guidance=guidance, loop=loop)
    again = WalkSpec.model_validate_json(spec.model_dump_json())
    assert (again, again.digest()) == (spec, spec.digest())


@pytest.mark.parametrize(
    "change",
    [
        {"frames": 25},
        {"pacing": "ease"},
        {"interpolation": "slerp"},
        {"negative": "blur"},
        {"steps": 9},
        {"guidance": 5.0},
        {"size": 320},
        {"model": "sd-1.5"},
        {"fps": 12},
        {"loop": "boomerang"},
        {"prompt_weights": True},
        {"stops": [{"prompt": "a red square", "seed": 9}, {"prompt": "a stormy sea", "seed": 8}]},
        {"stops": [{"prompt": "a stormy sea", "seed": 8}, {"prompt": "a red square", "seed": 7}]},
    ],
)
def test_digest_changes_when_the_film_would(change: dict[str, Any]) -> None:
    assert walk_spec(**change).digest() != walk_spec().digest()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"strength": 0.2}, {"strength": 0.9}),
        ({"pacing": "ease", "strength": 0.0}, {"pacing": "dense-middle", "strength": 0.0}),
        ({"guidance": 1.0, "negative": "blur"}, {"guidance": 0.0}),
        ({"guidance": 4}, {"guidance": 4.0}),
        ({"frames": "24"}, {"frames": 24}),
    ],
)
def test_digest_stays_where_the_film_would(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert walk_spec(**one).digest() == walk_spec(**other).digest()


def test_a_size_is_a_square_unless_it_says_both_sides() -> None:
    square, tall = walk_spec(size=256), walk_spec(size="192x320")
    assert (square.width, square.height) == (256, 256)
    assert (tall.width, tall.height, tall.shown_size) == (192, 320, "192 × 320")
    assert tall == walk_spec(size=192, height=320)
    assert tall.digest() != walk_spec(size=192).digest()


def test_a_square_is_stored_as_it_was_before_there_were_others() -> None:
    square, tall = walk_spec(size=256), walk_spec(size="192x320")
    assert "height" not in square.model_dump() | square.model_dump(mode="json")
    assert walk_spec(size="256x256").digest() == walk_spec(size=256, height=256).digest()
    assert square.digest() == walk_spec(size="256x256").digest()
    assert WalkSpec.from_stored(tall.model_dump(mode="json")) == tall


def test_the_largest_pictures_have_as_many_pixels_in_any_shape() -> None:
    assert walk_spec(size="1344x768").pixels <= walk_spec(size=1024).pixels
    assert "more than is painted here" in problems(size="1344x832")["height"]
    assert set(problems(size="100x4096")) == {"size"}
    assert "such as 512x768" in problems(size="2:3")["size"]


def test_white_space_is_folded() -> None:
    spec = walk_spec(stops=[{"prompt": "  a\tred \n square "}, {"prompt": "sea"}])
    assert spec.stops[0].prompt == "a red square"


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("", "needs a prompt"),
        ("  \n ", "needs a prompt"),
        ("x" * 10_000, "10,000 characters"),
        ("\u095c" * 300, "600 characters"),  # so many are stored
        ("<script>alert(1)</script>", "holds code"),
        ("a \x00 square", "control characters"),
        ("a \u202e square", "control characters"),
        (None, "must be text"),
    ],
)
def test_bad_prompts_are_refused_in_words(prompt: object, said: str) -> None:
    found = problems(stops=[{"prompt": prompt}, {"prompt": "sea"}])
    assert said in found["stops.0.prompt"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("frames", 0),
        ("frames", 1),
        ("frames", 100_000),
        ("frames", 2.5),
        ("frames", True),
        ("frames", "many"),
        ("steps", 0),
        ("steps", float("inf")),
        ("guidance", float("nan")),
        ("guidance", -1),
        ("strength", 1.5),
        ("size", 100),
        ("size", 4096),
        ("height", 100),
        ("height", 4096),
        ("fps", 0),
        ("pacing", "sideways"),
        ("loop", None),
        ("model", " "),
        ("unknown", 1),
    ],
)
def test_bad_values_are_named_by_their_field(field: str, value: object) -> None:
    found = problems(**{field: value})
    assert list(found) == [field]
    assert found[field].endswith(".")


@pytest.mark.parametrize("seed", [-1, 2**70, 2**32, "x", 1.5])
def test_bad_seeds_are_refused(seed: object) -> None:
    found = problems(stops=[{"prompt": "a", "seed": 1}, {"prompt": "b", "seed": seed}])
    assert "whole number from 0 to 4,294,967,295" in found["stops.1.seed"]


def test_all_problems_are_reported_at_once() -> None:
    assert set(problems(stops=[{"prompt": ""}, {"prompt": ""}], frames=0)) == {
        "stops.0.prompt",
        "stops.1.prompt",
        "frames",
    }


def test_equal_neighbours_are_refused() -> None:
    assert "are the same" in problems(stops=[{"prompt": "sea"}, {"prompt": " Sea"}])["stops"]


def test_closed_walk_that_repeats_its_start_is_refused() -> None:
    stops = [{"prompt": p} for p in ("sea", "city", "sea")]
    assert "leave it off" in problems(stops=stops, loop="closed")["stops"]
    assert walk_spec(stops=stops, loop="once")


@pytest.mark.parametrize("count", [0, 1, 13])
def test_a_walk_has_two_to_twelve_stops(count: int) -> None:
    stops = [{"prompt": f"picture {n}"} for n in range(count)]
    assert "2 to 12 stops" in problems(stops=stops)["stops"]


@given(st.integers(2, 5), st.integers(2, 40), st.sampled_from(["once", "boomerang", "closed"]))
def test_no_frame_stands_twice_at_a_joint(stops: int, frames: int, loop: str) -> None:
    spec = walk_spec(
        stops=[{"prompt": f"picture {n}"} for n in range(stops)], frames=frames, loop=loop
    )
    distance = [place.leg + place.t for place in spec.places()]
    assert all(b > a for a, b in pairwise(distance))
    legs = stops if loop == "closed" else stops - 1
    assert len(distance) == legs * (frames - 1) + (loop != "closed")


@given(st.integers(2, 40), st.sampled_from(["once", "boomerang", "closed"]))
def test_no_frame_follows_itself_in_the_film(frames: int, loop: str) -> None:
    spec = walk_spec(frames=frames, loop=loop, stops=[{"prompt": p} for p in "abc"])
    order = spec.film_order()
    assert set(order) == set(range(len(spec.places())))
    assert all(a != b for a, b in pairwise(order))
    assert loop == "once" or order[0] != order[-1]


@pytest.mark.parametrize("seed", [10**12, 10**400])
def test_a_number_of_many_digits_gets_a_sentence(seed: int) -> None:
    stops = [{"prompt": "a red square", "seed": seed}, {"prompt": "a stormy sea"}]
    digits = len(str(seed))
    assert f"not a number of {digits} digits." in problems(stops=stops)["stops.0.seed"]


def test_what_only_guided_steps_have_is_no_shortcut_of_others() -> None:
    with_it, without = (walk_spec(guidance=0.0, without=left) for left in ((), ("interval",)))
    assert "interval" not in with_it.shortcuts
    assert with_it.digest() == without.digest()
