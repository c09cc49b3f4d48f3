"""Stills between a walk's frames: requested over HTTP, computed by a worker."""

import asyncio
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from db import stills
from db.models import Still
from db.session import reading, writing
from momalisa.engine.frame_cache import frame_key
from momalisa.settings import settings
from momalisa.spec import Place, WalkSpec
from momalisa.ui.create import scrub
from momalisa.ui.create.current_walk import EMPTY_WALL
from momalisa.ui.http import stills as door
from momalisa.ui.submit import spec_of
from tests.support.asgi import request
from tests.support.pages import (
    MakeWalk,
    UpdateWalk,
    Visit,
    component_data,
    spec,
    texts,
    type_prompts,
    widget,
)
from tests.support.waiting import wait_until

KEY = "ab" + "0" * 62
WALK = spec()
AskPicture = Callable[..., tuple[int, str]]


@pytest.fixture
def ask_for() -> Iterator[AskPicture]:
    """Request the still at a leg and `t`; returns the status and the redirect or the error."""
    with TestClient(Starlette(routes=door.ROUTES), follow_redirects=False) as client:

        def _ask(leg: object = 0, t: object = 0.25, **headers: str) -> tuple[int, str]:
            address = f"{door.still_url(WALK, 'me')}&leg={leg}&t={t}"
            answer = client.get(address, headers=headers)
            return answer.status_code, answer.headers.get("location") or answer.text

        yield _ask


def asked() -> list[Still]:
    with reading(settings().database) as session:
        return list(session.query(Still))


def paint(**end: str) -> None:
    """Claim the next still as a worker, once there is one, and finish it."""
    wait_until(asked)
    with writing(settings().database) as session:
        still = stills.claim(session=session, owner="test")
        assert still is not None
        finish = stills.finish if "key" in end else stills.fail
        finish(session=session, still_id=still.id, owner="test", **end)


def test_a_requested_picture_is_served_from_the_frame_cache(ask_for: AskPicture) -> None:
    painter = Thread(target=paint, kwargs={"key": KEY})
    painter.start()
    assert ask_for() == (307, f"/pictures/frames/{KEY}.png")
    painter.join()
    (still,) = asked()
    assert (still.spec, still.leg, still.t) == (WALK.model_dump(mode="json"), 0, 0.25)


def test_a_failed_picture_responds_with_its_error(ask_for: AskPicture) -> None:
    painter = Thread(target=paint, kwargs={"error": "Not even one frame fits."})
    painter.start()
    assert ask_for() == (503, "Not even one frame fits.")
    painter.join()


def test_a_request_times_out(ask_for: AskPicture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "TIMEOUT", 0.2)
    status, sentence = ask_for()
    assert status == 503
    assert "has much to do" in sentence


@pytest.mark.parametrize(
    ("leg", "t"), [(1, 0.5), (0, 1.5), (7, 0), (0, "x"), (-1, 0.5), (0, -0.5), (0, "nan"), ("", 0)]
)
def test_an_invalid_place_is_rejected(ask_for: AskPicture, leg: object, t: object) -> None:
    assert ask_for(leg, t)[0] == 404
    assert asked() == []


@pytest.mark.parametrize(
    "question",
    [
        "",
        "leg=0&t=0",
        "spec=&leg=0&t=0",
        "spec=%7B%7D&leg=0&t=0",
        "spec=%5B" + "9" * 9999,
        f"spec={spec(model='nosuch').model_dump_json()}&leg=0&t=0",
    ],
)
def test_an_invalid_spec_is_rejected(question: str) -> None:
    with TestClient(Starlette(routes=door.ROUTES)) as client:
        assert client.get(f"{door.PATH}?{question}").status_code == 404
    assert asked() == []


def test_a_picture_that_is_much_work_is_refused() -> None:
    """Pictures of 1024 pixels in 100 steps kept the worker busy for minutes each."""
    with TestClient(Starlette(routes=door.ROUTES)) as client:
        address = door.still_url(spec(size=1024, steps=100), "me")
        refused = client.get(f"{address}&leg=0&t=0.5")
    assert (refused.status_code, "fewer steps" in refused.text) == (422, True)
    assert asked() == []


def test_the_setting_says_how_many_pictures_wait(
    ask_for: AskPicture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOMALISA_STILLS", "0")
    settings.cache_clear()
    assert ask_for() == (
        503,
        "Many pictures are being asked for just now. Please try again in a while.",
    )


def test_only_so_many_requests_of_one_address_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal requests share a picture; each one's wait is a connection and polls of its own."""
    monkeypatch.setattr(door, "TIMEOUT", 1.0)
    monkeypatch.setattr(door, "WAITING_EACH", 3)
    query = door.still_url(WALK, "me").partition("?")[2] + "&leg=0&t=0.5"

    async def scene() -> list[bytes]:
        app = Starlette(routes=door.ROUTES)
        asked = [request(door.PATH, query, app=app, client="192.0.2.1") for _ in range(5)]
        return [answer[2] for answer in await asyncio.gather(*asked)]

    assert [answer.startswith(b"Many pictures") for answer in asyncio.run(scene())] == [
        *(False, False, False),
        *(True, True),
    ]


def test_an_address_has_few_pictures_under_however_many_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(door, "TIMEOUT", 1.0)

    def send(host: str, name: str, t: float) -> Any:
        query = door.still_url(WALK, name).partition("?")[2] + f"&leg=0&t={t}"
        return request(door.PATH, query, app=Starlette(routes=door.ROUTES), client=host)

    async def scene() -> tuple[list[bytes], bytes]:
        names = [f"name {n}" for n in range(door.QUEUED_EACH + 1)]
        first = [asyncio.create_task(send("192.0.2.1", name, 0.5)) for name in names]
        await asyncio.gather(*first)
        other = await send("192.0.2.2", "name 0", 0.5)
        return [each.result()[2] for each in first], other[2]

    first, other = asyncio.run(scene())
    assert sum(answer.startswith(b"Many pictures") for answer in first) == 1
    assert other.startswith(b"The worker has much to do")
    makers = [still.maker for still in asked()]
    assert len(set(makers)) == len(makers) == door.QUEUED_EACH + 1
    assert not any("192.0.2" in maker or "name" in maker for maker in makers)


def test_cross_site_requests_are_rejected(ask_for: AskPicture) -> None:
    assert ask_for(**{"sec-fetch-site": "cross-site"})[0] == 403
    assert asked() == []


def test_the_scrubber_gets_the_frames_and_the_url_of_stills(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    walk = add_film("a moon", "a hill", "a sea")
    update_walk(walk, progress=[[0, "a" * 64], [2, "b" * 64], [1, "c" * 64, "rough"]])
    data = component_data(visit("create", walk=walk.id), "scrubber")
    assert data["legs"] == [["a moon", "a hill"], ["a hill", "a sea"]]
    assert data["frames"] == [
        [0.0, f"/pictures/frames/{'a' * 64}.png"],
        [1.0, f"/pictures/frames/{'b' * 64}.png"],
    ]
    question = parse_qs(urlsplit(data["still_url"]).query)
    asked, made = WalkSpec.model_validate_json(question["spec"][0]), spec_of(walk)
    assert frame_key(asked, Place(1, 0.5), "model") == frame_key(made, Place(1, 0.5), "model")


def test_with_even_pacing_only_the_frames_at_stops_are_located(add_film: MakeWalk) -> None:
    walk = add_film(pacing="even")
    walk.progress = [[place, "a" * 64] for place in range(3)]
    assert [way for way, _ in scrub.located_frames(walk, spec(pacing="even"))] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("seconds", "live", "direct"),
    [(2.0, True, True), (4.0, True, False), (14.0, True, False), (16.0, False, False)],
)
def test_stills_are_requested_only_from_a_fast_model(
    visit: Visit,
    add_film: MakeWalk,
    update_walk: UpdateWalk,
    seconds: float,
    live: bool,
    direct: bool,
) -> None:
    """And as one drags only from a faster one."""
    walk = add_film()
    walk.seconds = seconds  # for 3 frames
    update_walk(walk, progress=[[0, "a" * 64]])
    data: dict[str, Any] = component_data(visit("create", walk=walk.id), "scrubber")
    assert (bool(data["still_url"]), bool(data["live_url"])) == (live, direct)
    assert ("about" in data["hint"]) != live


def test_the_probes_of_a_short_film_do_not_count_as_pictures(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    """A film of few frames by attention seemed too slow to be dragged over."""
    walk = add_film(interpolation="attention")
    walk.seconds = 6.0  # for 3 frames and 31 probes
    update_walk(walk, progress=[[0, "a" * 64]])
    assert component_data(visit("create", walk=walk.id), "scrubber")["live_url"]


@pytest.mark.parametrize("painted", [0, 1])
@pytest.mark.parametrize(("others", "direct"), [(0.0, True), (2.0, True), (4.0, False)])
def test_a_film_whose_frames_were_there_before_tells_nothing_of_speed(
    visit: Visit,
    add_film: MakeWalk,
    update_walk: UpdateWalk,
    painted: int,
    others: float,
    direct: bool,
) -> None:
    """After a draft had rested, making its film counted as one picture: too slow to drag."""
    if others:
        other = add_film()
        other.seconds = others  # for 3 frames
        update_walk(other)
    walk = add_film()
    walk.seconds, walk.frames_computed = 2.0, painted
    update_walk(walk, progress=[[0, "a" * 64]])
    data: dict[str, Any] = component_data(visit("create", walk=walk.id), "scrubber")
    assert (bool(data["still_url"]), bool(data["live_url"])) == (True, direct)


def test_without_frames_there_is_no_scrubber(visit: Visit, add_film: MakeWalk) -> None:
    at = visit("create", walk=add_film().id)
    assert "Look between the frames" not in [each.label for each in at.expander]


@pytest.mark.parametrize(
    ("seconds", "live", "direct"),
    [(0.0, True, True), (2.0, True, True), (9.0, True, False), (600.0, False, False)],
)
def test_a_draft_hangs_on_the_wall_if_the_model_is_fast(
    visit: Visit,
    add_film: MakeWalk,
    update_walk: UpdateWalk,
    seconds: float,
    live: bool,
    direct: bool,
) -> None:
    """A distilled one is before the first film says so."""
    if seconds:
        walk = add_film(size=256)
        walk.seconds = seconds  # for 3 frames
        update_walk(walk)
    at = visit("create")
    widget(at, "text_input", "From").input("a moon")
    widget(at, "text_input", "To").input("a lake")
    at.run()
    if not live:
        assert EMPTY_WALL in texts(at)
        return
    data = component_data(at, "scrubber")
    assert (data["legs"], data["frames"]) == ([["a moon", "a lake"]], [])
    assert (bool(data["still_url"]), bool(data["live_url"])) == (True, direct)
    assert [(stop["prompt"], stop["seed"]) for stop in data["stops"]] == [
        ("a moon", 7),
        ("a lake", 8),
    ]


def test_the_first_prompt_is_painted_before_there_is_a_walk(visit: Visit) -> None:
    at = visit("create")
    widget(at, "text_input", "From").input("a moon")
    at.run()
    data = component_data(at, "scrubber")
    assert (data["legs"], data["empty"]) == ([], EMPTY_WALL)
    assert [stop["prompt"] for stop in data["stops"]] == ["a moon", ""]
    question = parse_qs(urlsplit(data["live_url"]).query)
    assert WalkSpec.model_validate_json(question["spec"][0]).size == 256


def test_the_pictures_of_a_draft_stay_when_its_pacing_changes(visit: Visit) -> None:
    at = type_prompts(visit("create"), "a moon", "a lake").run()
    before = component_data(at, "scrubber")
    widget(at, "button_group", "Pacing").set_value("ease").run()
    after = component_data(at, "scrubber")
    assert after["live_url"] == before["live_url"]
    assert after["ahead"] != before["ahead"]


def test_the_frames_of_a_draft_are_to_be_painted_ahead(visit: Visit) -> None:
    at = type_prompts(visit("create"), "a moon", "a lake").run()
    frames = widget(at, "number_input", "Frames a leg").value
    places = WALK.model_copy(update={"frames": frames}).places()
    assert component_data(at, "scrubber")["ahead"] == [[place.leg, place.t] for place in places]


def test_wrong_settings_paint_nothing(visit: Visit) -> None:
    at = visit("create")
    widget(at, "number_input", "Steps").set_value(0).run()
    assert EMPTY_WALL in texts(at)


def test_the_current_walk_has_one_scrubber(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    walk = add_film(size=256)
    walk.seconds = 3.0
    update_walk(walk, progress=[[0, "a" * 64]])
    labels = [each.label for each in visit("create", walk=walk.id).expander]
    assert "Look between the frames" in labels
    assert "Look along the way" not in labels
