"""Pictures as a visitor drags or types: the route asks the worker of the same home directly."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, replace
from functools import partial
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from db import worker_registry
from db.models import Still
from db.session import reading
from momalisa.engine.frame_cache import Frame
from momalisa.settings import settings
from momalisa.spec import Place, WalkSpec
from momalisa.ui import history
from momalisa.ui.http import live, stills
from momalisa.ui.http.worker_state import NO_WORKER, STARTING
from momalisa.worker.identity import ProcessIdentity, identify
from momalisa.worker.live_server import LiveServer
from momalisa.worker.live_socket import LOADING, short_name, socket_path
from tests.support.asgi import request
from tests.support.pages import spec
from tests.support.stub_worker import render_live, running_worker
from tests.support.waiting import wait_until

WALK = spec("a moon", "a hill", "a sea")
PATIENCE = 60.0
"""Seconds that the worker has for an answer here: a busy machine is no law."""
Answer = Any
Ask = Callable[..., Answer]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("momalisa.worker.live_server.ANSWER_SECONDS", PATIENCE / 2)
    monkeypatch.setattr(live, "SECONDS", PATIENCE)


@pytest.fixture
def ask() -> Iterator[Ask]:
    """Ask for pictures of the walk, with these further parameters."""
    with TestClient(Starlette(routes=live.ROUTES)) as client:

        def _ask(walk: WalkSpec = WALK, *, headers: Any = None, **params: str) -> Answer:
            address = f"{live.live_url(walk, 'me')}&{urlencode(params)}"
            return client.get(address, headers=headers)

        yield _ask


def is_painted(ask: Ask, **params: Any) -> bool:
    return bool(ask(**params).status_code == 200)


def greys(answer: Answer) -> list[int]:
    assert answer.status_code == 200, answer.text
    picture = np.asarray(Image.open(BytesIO(answer.content)))
    return [int(part[0, 0, 0]) for part in np.split(picture, len(picture) // 8)]


def test_the_worker_paints_some_places_without_the_history(ask: Ask) -> None:
    with running_worker(settings()):
        wait_until(partial(is_painted, ask, at="0:0.25"))
        answer = ask(at="0:0.25,1:0.5,1:1")
        assert greys(answer) == [25, 150, 200]
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["cache-control"] == "no-store"
    with reading(settings().database) as session:
        assert session.query(Still).count() == 0


def test_a_frame_of_the_walk_is_painted_ahead_where_the_walk_has_it(ask: Ask) -> None:
    """Places were rounded to hundredths, so that the walk found few of its frames painted."""
    places: list[Place] = []

    def paint(spec: WalkSpec, at: Sequence[Place], runner: str, cache: Any, _: bool) -> list[Frame]:
        places.extend(at)
        return render_live(spec, at, runner, cache)

    frames = WALK.places()
    with running_worker(settings(), render_live=paint):
        asked = [f"{place.leg}:{place.t!r}" for place in frames[1:4]]
        wait_until(partial(is_painted, ask, at=",".join(asked), ahead="1"))
    assert tuple(places) == frames[1:4]


def test_what_is_being_typed_is_painted_as_a_stop_of_its_own(ask: Ask) -> None:
    asked: list[WalkSpec] = []

    def paint(spec: WalkSpec, *what: Any) -> list[Frame]:
        asked.append(spec)
        return render_live(spec, *what)

    with running_worker(settings(), render_live=paint):
        # Beside the stop there is some other, of which nothing is seen.
        weighing = WALK.model_copy(update={"prompt_weights": True})
        for prompt in ("a fox", "A Red Square", "(a red square)1"):
            walk = weighing if "(" in prompt else WALK
            wait_until(partial(is_painted, ask, walk=walk, prompt=prompt, seed="9"))
            assert asked[-1].stops[0].model_dump() == {"prompt": prompt, "seed": 9}
    assert asked[-1].size == WALK.size


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"at": ""},
        {"at": "0"},
        {"at": "2:0.5"},
        {"at": "-1:0.5"},
        {"at": "0:1.5"},
        {"at": "0:nan"},
        {"at": "0:0.1," * 3},
        {"at": "0:0,0:0.1,0:0.2,0:0.3,0:0.4"},
        {"at": "0:" + "9" * 5000},
    ],
)
def test_an_invalid_place_is_rejected(ask: Ask, params: dict[str, str]) -> None:
    assert ask(**params).status_code == 404


@pytest.mark.parametrize(
    ("prompt", "seed"),
    [
        *(("a fox", ""), ("", "7"), ("a fox", "-1"), ("x" * 501, "7"), ("<script>", "7")),
        *(("\0", "7"), ("a (red", "7")),
    ],
)
def test_what_is_no_prompt_yet_has_no_picture(ask: Ask, prompt: str, seed: str) -> None:
    """It is still typed: the form says what is wrong with it once it is left."""
    answer = ask(WALK.model_copy(update={"prompt_weights": True}), prompt=prompt, seed=seed)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["x-reason"].endswith(".")
    assert "x-prompt" in answer.headers  # so that the worker is asked again for the next one
    assert "No worker" not in answer.headers["x-reason"]


@pytest.mark.parametrize("walk", ["", "{}", "[" * 9999, spec(model="nosuch").model_dump_json()])
def test_an_invalid_spec_is_rejected(walk: str) -> None:
    with TestClient(Starlette(routes=live.ROUTES)) as client:
        query = urlencode({"spec": walk, "at": "0:0.5"})
        assert client.get(f"{live.PATH}?{query}").status_code == 404


def test_a_picture_that_is_much_work_is_refused(ask: Ask) -> None:
    refused = ask(spec(size=1024, steps=100), at="0:0.5")
    assert (refused.status_code, "fewer steps" in refused.text) == (422, True)


def test_cross_site_requests_are_rejected(ask: Ask) -> None:
    assert ask(headers={"sec-fetch-site": "cross-site"}, at="0:0.5").status_code == 403


def test_without_a_worker_here_the_answer_comes_at_once(ask: Ask) -> None:
    """Browsers then ask through the history."""
    assert ask(at="0:0.5").status_code == 204
    # A worker that was killed left its socket.
    path = socket_path(settings())
    path.parent.mkdir(parents=True)
    with closing(socket.socket(socket.AF_UNIX)) as left, short_name(path) as name:
        left.bind(name)
    assert ask(at="0:0.5").status_code == 204


@pytest.mark.parametrize(
    ("who", "worker", "says"),
    [
        ("local", None, STARTING),
        ("local", identify(), live.ELSEWHERE),
        ("local", replace(identify(), process_start=1), STARTING),
        ("external", None, NO_WORKER),
        ("external", identify(), live.ELSEWHERE),
        ("external", replace(identify(), process_start=1), NO_WORKER),
    ],
)
def test_without_an_answer_the_reason_says_how_the_worker_is(
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
    who: str,
    worker: ProcessIdentity | None,
    says: str,
) -> None:
    """It said that none paints at once, also where one was waking or there was none."""
    monkeypatch.setenv("MOMALISA_WORKER", who)
    settings.cache_clear()
    if worker is not None:
        with history.writing() as session:
            worker_registry.record_heartbeat(session=session, name="one", **asdict(worker))
    answer = ask(at="0:0.5")
    assert answer.headers["x-reason"] == says
    assert ("x-worker" in answer.headers) == (says != live.ELSEWHERE)


@pytest.mark.parametrize("problem", ["", "Its disk is full."])
def test_a_slow_picture_that_nobody_can_paint_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, problem: str
) -> None:
    """It was said to be painted for 30 seconds, and then that the worker has much to do."""
    monkeypatch.setenv("MOMALISA_WORKER", "external")
    settings.cache_clear()
    monkeypatch.setattr(stills, "POLLS_TO_ASK", 2)
    if problem:
        with history.writing() as session:
            who: Any = {"session": session, "name": "one"}
            worker_registry.record_heartbeat(**who, **asdict(identify()))
            worker_registry.record_problem(**who, failures=3, problem=problem, pause_seconds=600.0)
    with TestClient(Starlette(routes=stills.ROUTES)) as client:
        answer = client.get(f"{stills.still_url(WALK, 'me')}&leg=0&t=0.5")
    said = "the machine that paints has a fault" if problem else NO_WORKER
    assert (answer.status_code, said in answer.text) == (503, True)


def test_a_worker_that_loads_its_model_is_away(ask: Ask) -> None:
    server = LiveServer(settings(), lambda: "", lambda: WALK.model)
    server.open()
    try:
        answer = ask(at="0:0.5")
    finally:
        server.close()
    assert (answer.headers["x-reason"], answer.headers["x-worker"]) == (LOADING, "away")


def test_a_worker_that_hangs_does_not_hang_a_page(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SECONDS", 0.5)
    path = socket_path(settings())
    path.parent.mkdir(parents=True)
    with closing(socket.socket(socket.AF_UNIX)) as hung, short_name(path) as name:
        hung.bind(name)
        hung.listen()
        answer = ask(at="0:0.5")
    assert (answer.status_code, "does not answer" in answer.headers["x-reason"]) == (204, True)


@pytest.mark.parametrize("said", [b"", b"nonsense\n", b'{"size": -1}\n', b'{"size": 9}\nhalf'])
def test_an_answer_that_cannot_be_read_is_none(ask: Ask, said: bytes) -> None:
    """A worker that ends while it answers, or that is another version."""
    path = socket_path(settings())
    path.parent.mkdir(parents=True)
    with closing(socket.socket(socket.AF_UNIX)) as worker, short_name(path) as name:
        worker.bind(name)
        worker.listen()

        def speak() -> None:
            connection, _ = worker.accept()
            with connection:
                connection.recv(1 << 16)
                connection.sendall(said)

        speaker = threading.Thread(target=speak)
        speaker.start()
        assert ask(at="0:0.5").status_code == 204
        speaker.join()


@pytest.mark.parametrize(
    ("ahead", "most"), [("", stills.WAITING_EACH), ("&ahead=1", live.WAITING_AHEAD)]
)
def test_an_address_waits_for_few_pictures_at_a_time(
    monkeypatch: pytest.MonkeyPatch, ahead: str, most: int
) -> None:
    monkeypatch.setattr("momalisa.worker.live_server.ANSWER_SECONDS", 0.5)
    server = LiveServer(settings(), lambda: "atelier")
    server.open()
    query = live.live_url(WALK, "me").partition("?")[2] + "&at=0:0.5" + ahead
    app = Starlette(routes=live.ROUTES)

    async def scene() -> list[str]:
        asked = [request(live.PATH, query, app=app) for _ in range(most + 3)]
        return [headers["x-reason"] for _, headers, _ in await asyncio.gather(*asked)]

    try:
        answers = asyncio.run(scene())
    finally:
        server.close()
    assert (
        sum(answer.startswith("Many pictures are being asked for just now.") for answer in answers)
        == 3
    )
    assert live._WAITING == {}
