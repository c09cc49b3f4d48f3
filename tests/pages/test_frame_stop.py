"""A film's frame as a stop of the next walk."""

from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from momalisa.engine.frame_cache import frame_key, open_frame_cache
from momalisa.errors import BadInput
from momalisa.models.cards import ATELIER
from momalisa.settings import settings
from momalisa.spec import LEFT_OUT, Place, WalkSpec
from momalisa.stop import Stop
from momalisa.ui.components.scrubber import Chosen, _read_choice
from momalisa.ui.create import frame_stop
from momalisa.ui.submit import spec_of
from tests.support.pages import MakeWalk, UpdateWalk, stored_walk
from tests.support.waiting import PATIENCE
from tests.support.walks import walk_spec

IMAGE = {"digest": "0a" * 32, "credit": {"artist": "Claude Monet"}}
KEYS = [f"{number}" * 64 for number in range(3)]


def progress(*keys: str) -> list[list[object]]:
    return [[place, key] for place, key in enumerate(keys)]


def test_a_place_that_is_nearly_a_frames_is_the_frame(
    add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    walk = add_film("a moon", "a sea", frames=4, without=LEFT_OUT)
    update_walk(walk, progress=progress(*KEYS, "f" * 64))
    walk, spec = stored_walk(walk.id), spec_of(walk)
    frame = frame_stop.find_stop(walk, spec, 0.33).between
    assert frame is not None
    assert (frame.start, frame.end, frame.t) == (*spec.stops, spec.places()[1].t)
    between = frame_stop.find_stop(walk, spec, 0.45).between
    assert between is not None
    assert between.t == pytest.approx(0.45)
    assert [frame_stop.find_stop(walk, spec, at) for at in (0.0, 1.0)] == list(spec.stops)


def test_a_frame_on_the_way_from_a_picture_is_taken_as_a_picture(
    add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    stops = [{"prompt": "", "seed": 7, "image": IMAGE}, {"prompt": "a sea", "seed": 8}]
    walk = add_film(stops=stops)
    update_walk(walk, progress=progress(*KEYS))
    walk, spec = stored_walk(walk.id), spec_of(walk)
    assert frame_stop.find_stop(walk, spec, 0.0) == spec.stops[0]
    with pytest.raises(BadInput, match="no finished frame at this place"):
        frame_stop.find_stop(walk, spec, 0.3)
    with pytest.raises(BadInput, match="no longer at hand"):
        frame_stop.find_stop(walk, spec, 0.5)
    open_frame_cache(settings()).put(KEYS[1], np.zeros((64, 64, 3), np.uint8))
    stop = frame_stop.find_stop(walk, spec, 0.5)
    assert stop.image is not None
    assert stop.image.credit is not None
    assert stop.image.credit.artist == "Claude Monet"
    assert walk_spec(stops=[stop, {"prompt": "a tree"}])


def test_between_the_frames_of_a_film_by_attention_the_picture_painted_there_is_taken(
    add_film: MakeWalk,
) -> None:
    """Its frames depend on their leg, so that it is no frame between two texts."""
    walk = stored_walk(add_film("a moon", "a sea", **ATELIER.new_walk).id)
    spec = spec_of(walk)
    with pytest.raises(BadInput, match="no finished frame at this place"):
        frame_stop.find_stop(walk, spec, 0.3)
    key = frame_key(spec, Place(0, 0.3), walk.model_digest)
    open_frame_cache(settings()).put(key, np.zeros((64, 64, 3), np.uint8))
    stop = frame_stop.find_stop(walk, spec, 0.3)
    assert stop.image is not None
    assert stop.between is None


@pytest.mark.parametrize(
    ("sent", "chosen"),
    [
        ({"position": 0.5, "as_end": False}, Chosen(0.5, False)),
        ({"position": 2, "as_end": True}, Chosen(2.0, True)),
        ({"position": 2.1}, None),
        ({"position": float("nan")}, None),
        ({"position": "0.5"}, None),
        ("0.5", None),
        (None, None),
    ],
)
def test_only_a_place_on_the_way_can_be_chosen(sent: object, chosen: Chosen | None) -> None:
    assert _read_choice(sent, 2) == chosen


def open_in_draft(*films: tuple[str, bool]) -> None:
    from momalisa.ui import history
    from momalisa.ui.create.frame_stop import open_with_frame

    for walk_id, as_end in films:
        walk = history.find_walk(walk_id)
        assert walk is not None
        open_with_frame(walk, 0.45, as_end=as_end)


def test_two_films_are_joined_at_their_frames(
    add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = add_film("a moon", "a sea", without=LEFT_OUT)
    other = add_film("a mask", "a skyline", size=128, without=LEFT_OUT)
    monkeypatch.setattr("momalisa.ui.film_detail.open_create_form", lambda: None)
    args = ((one.id, False), (other.id, True))
    at = AppTest.from_function(open_in_draft, default_timeout=PATIENCE, args=args).run()
    assert not at.exception
    values: dict[str, Any] = at.session_state.starts
    stops = [
        Stop.model_validate({p: values[f"{p}_{n}"] for p in ("prompt", "seed", "between")})
        for n in at.session_state.stop_ids
    ]
    assert [stop.name for stop in stops] == [
        "between a moon and a sea",
        "between a mask and a skyline",
    ]
    assert WalkSpec(stops=tuple(stops)).title().startswith("between a moon")


def show_stops_of_joined(*films: tuple[str, bool]) -> None:
    from momalisa.ui import history
    from momalisa.ui.create import stops_form
    from momalisa.ui.create.frame_stop import open_with_frame

    for walk_id, as_end in films:
        walk = history.find_walk(walk_id)
        assert walk is not None
        open_with_frame(walk, 0.45, as_end=as_end)
    stops_form.show_stops({})


@pytest.mark.parametrize("changes", [{}, {"pacing": "ease"}, {"size": 128}, {"steps": 9}])
def test_a_joined_film_of_other_settings_is_said_to_be_painted_anew(
    add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    one = add_film("a moon", "a sea", without=LEFT_OUT)
    other = add_film("a mask", "a skyline", without=LEFT_OUT, **changes)
    monkeypatch.setattr("momalisa.ui.film_detail.open_create_form", lambda: None)
    args = ((one.id, False), (other.id, True))
    at = AppTest.from_function(show_stops_of_joined, default_timeout=PATIENCE, args=args).run()
    assert not at.exception
    said = [str(caption.value) for caption in at.caption]
    assert len(said) == bool({"size", "steps"} & set(changes))
    film = spec_of(one)
    assert all("painted anew" in one and f"{film.steps} steps" in one for one in said)
