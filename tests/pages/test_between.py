"""The pictures between a walk's frames: asked for over HTTP, answered by whoever paints."""

from collections.abc import Callable, Iterator
from threading import Timer
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from db import stills
from db.models import Still
from db.session import reading, writing
from momalisa.settings import settings
from momalisa.ui import between
from momalisa.ui import stills as door

from .conftest import Hang, Keep, Visit, component, spec

KEY = "ab" + "0" * 62
Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def ask_for(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Ask for a walk's picture; gives the status, and where it is or why there is none."""
    monkeypatch.setattr(door, "PATIENCE", 2.0)
    with TestClient(Starlette(routes=door.ROUTES), follow_redirects=False) as client:

        def _ask(walk_id: str, place: str = "0/0.25", looker: str = "me") -> tuple[int, str]:
            answer = client.get(door.address(walk_id, looker) + place)
            return answer.status_code, answer.headers.get("location") or answer.text

        yield _ask


def asked() -> list[Still]:
    with reading(settings().database) as session:
        return list(session.query(Still))


def paint(**end: str) -> None:
    """Be the worker that takes up the next still."""
    with writing(settings().database) as session:
        still = stills.claim(session=session, owner="test")
        assert still is not None
        finish = stills.answer if "key" in end else stills.fail
        finish(session=session, still_id=still.id, owner="test", **end)


def test_a_picture_is_asked_for_and_found_in_the_frame_cache(ask_for: Ask, hang: Hang) -> None:
    walk = hang()
    painter = Timer(0.2, paint, kwargs={"key": KEY})
    painter.start()
    assert ask_for(walk.id) == (307, f"/pictures/frames/{KEY}.png")
    painter.join()
    (still,) = asked()
    assert (still.spec, still.leg, still.t) == (walk.spec, 0, 0.25)


def test_why_there_is_no_picture_is_a_sentence(ask_for: Ask, hang: Hang) -> None:
    walk = hang()
    painter = Timer(0.2, paint, kwargs={"error": "Not even one frame fits."})
    painter.start()
    assert ask_for(walk.id) == (503, "Not even one frame fits.")
    painter.join()


def test_nobody_waits_for_ever(ask_for: Ask, hang: Hang, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "PATIENCE", 0.2)
    status, sentence = ask_for(hang().id)
    assert status == 503
    assert "has much to do" in sentence


@pytest.mark.parametrize("place", ["1/0.5", "0/1.5", "7/0", "0/x", "-1/0.5", "0/-0.5"])
def test_a_place_that_is_on_no_walk_is_not_asked_for(ask_for: Ask, hang: Hang, place: str) -> None:
    assert ask_for(hang().id, place)[0] == 404
    assert ask_for("nosuch")[0] == 404
    assert asked() == []


def test_of_a_foreign_film_nothing_is_asked(ask_for: Ask, foreign: Hang) -> None:
    assert ask_for(foreign().id)[0] == 404


def test_a_walk_is_looked_at_between_its_frames(visit: Visit, hang: Hang, keep: Keep) -> None:
    walk = hang("a moon", "a hill", "a sea")
    keep(walk, progress=[[0, "a" * 64], [2, "b" * 64], [1, "c" * 64, "rough"]])
    data = component(visit("create", walk=walk.id), "scrubber")
    assert data["legs"] == [["a moon", "a hill"], ["a hill", "a sea"]]
    assert data["frames"] == [
        [0.0, f"/pictures/frames/{'a' * 64}.png"],
        [1.0, f"/pictures/frames/{'b' * 64}.png"],
    ]
    assert data["exact"].startswith(f"/pictures/still/{walk.id}/")


def test_of_an_evenly_paced_walk_only_the_stops_places_are_known(hang: Hang) -> None:
    walk = hang(pacing="even")
    walk.progress = [[place, "a" * 64] for place in range(3)]
    assert [way for way, _ in between.known(walk, spec(pacing="even"))] == [0.0, 1.0]


@pytest.mark.parametrize(("seconds", "live"), [(14.0, True), (16.0, False)])
def test_a_slow_model_is_not_asked_while_somebody_waits(
    visit: Visit, hang: Hang, keep: Keep, seconds: float, live: bool
) -> None:
    walk = hang()
    walk.seconds = seconds  # for 3 frames
    keep(walk, progress=[[0, "a" * 64]])
    data: dict[str, Any] = component(visit("create", walk=walk.id), "scrubber")
    assert bool(data["exact"]) == live
    assert ("about" in data["said"]) != live


def test_without_frames_there_is_nothing_to_look_at(visit: Visit, hang: Hang) -> None:
    at = visit("create", walk=hang().id)
    assert "Look between the frames" not in [each.label for each in at.expander]
