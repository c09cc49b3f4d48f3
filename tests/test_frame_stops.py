"""A frame of a film begins another walk: by latents where it can, else by its picture."""

from typing import Any

import pytest

from momalisa.commands.stop_images import FoundFrame, warn_of_frames
from momalisa.engine.frame_cache import frame_key
from momalisa.frame_stops import begin_at, credit_frame, find_place
from momalisa.spec import Place, WalkSpec
from tests.support.walks import walk_spec

NIGHT = {"prompt": "a city at night", "seed": 3}


def begin_with(spec: WalkSpec, place: Place) -> WalkSpec:
    stop = begin_at(spec, place)
    assert stop is not None
    return spec.model_copy(
        update={"stops": (stop, *walk_spec(stops=[NIGHT, NIGHT | {"prompt": "b"}]).stops)}
    )


@pytest.mark.parametrize("interpolation", ["lerp", "slerp"])
def test_the_frame_is_the_films_own(interpolation: str) -> None:
    film = walk_spec("a", "b", "c", interpolation=interpolation, mode="exact")
    for place in film.places():
        key = frame_key(film, place, "m")
        assert frame_key(begin_with(film, place), Place(0, 0.0), "m") == key


def test_a_frame_between_frames_is_the_same_again_and_has_bounds() -> None:
    film, place = walk_spec("a", "b", mode="exact"), Place(0, 0.5)
    for _ in range(4):
        key = frame_key(film, place, "m")
        film = begin_with(film, place)
        assert frame_key(film, Place(0, 0.0), "m") == key
    assert begin_at(film, place) is None


@pytest.mark.parametrize(
    "fields",
    [
        {"interpolation": "attention"},
        {"interpolation": "predictions"},
        {"mode": "fast", "without": []},
        {"stops": [{"prompt": "", "image": {"digest": "a" * 64}}, NIGHT]},
    ],
)
def test_other_frames_are_pictures(fields: dict[str, Any]) -> None:
    film = walk_spec(**{"mode": "exact"} | fields)
    assert begin_at(film, Place(0, 0.5)) is None
    assert begin_at(film, Place(0, 1.0)) == film.stops[1]


def test_a_frame_on_the_way_from_a_work_credits_it() -> None:
    """The label of a walk that began with it said that it was a picture of its own."""
    monet, klee = (
        {"prompt": "", "image": {"digest": digit * 64, "credit": {"artist": name, "title": "A"}}}
        for digit, name in (("a", "Monet"), ("b", "Klee"))
    )
    film = walk_spec(stops=[NIGHT, monet, klee, NIGHT, NIGHT | {"prompt": "b"}])
    found = [credit_frame(film, Place(leg, t)) for leg in range(4) for t in (0.0, 0.4, 0.6, 1.0)]
    inside = "Monet, A, in a walk from it"
    assert [credit.line.partition(".")[0] if credit else "" for credit in found] == [
        *("", inside, inside, "Monet, A"),
        *("Monet, A", inside, inside.replace("Monet", "Klee"), "Klee, A"),
        *("Klee, A", *[inside.replace("Monet", "Klee")] * 2, ""),
        *[""] * 4,
    ]
    again = walk_spec(stops=[{**monet, "image": {"digest": "a" * 64, "credit": found[1]}}, NIGHT])
    assert credit_frame(again, Place(0, 0.5)) == found[1]


def test_a_films_frame_is_found_by_its_number_in_the_film() -> None:
    film = walk_spec("a", "b", frames=3, loop="boomerang")
    assert [find_place(film, number) for number in range(5)] == [
        *(Place(0, 0.0), Place(0, 0.5), Place(0, 1.0), Place(0, 0.5)),
        None,
    ]
    even = walk_spec("a", "b", frames=3, pacing="even")
    assert [find_place(even, number) for number in range(3)] == [Place(0, 0.0), None, Place(0, 1.0)]


@pytest.mark.parametrize(
    "changes", [{}, {"prompt_weights": True}, {"size": 128}, {"steps": 9}, {"mode": "fast"}]
)
def test_the_command_says_where_it_is_not_the_films_own(changes: dict[str, Any]) -> None:
    """It was told to be that very frame, and was another."""
    film = walk_spec("a (red)2 sea", "b", mode="exact")
    for t in (0.0, 0.5, 1.0):
        place = Place(0, t)
        stops = begin_with(film, place).stops
        for ordered, number in ((stops, 1), (stops[::-1], len(stops))):
            spec = film.model_copy(update={"stops": ordered, **changes})
            found = {number: FoundFrame(stops[0], film, place)}
            assert len(list(warn_of_frames(spec, found))) == bool(changes)
