"""Pictures that are asked for directly, over the socket in the home, without the history."""

import os
import socket
import stat
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from db.models import State
from momalisa.engine.frame_cache import Frame
from momalisa.errors import OutOfMemory
from momalisa.settings import Settings
from momalisa.spec import Place
from momalisa.worker import live_server
from momalisa.worker.live_server import LiveServer
from momalisa.worker.live_socket import (
    LOADING,
    MOST_BYTES,
    AnswerHead,
    Question,
    short_name,
    socket_path,
)
from momalisa.worker.timing import Timing
from tests.support.still_times import StillTimes
from tests.support.stub_worker import (
    LOG,
    QUICK,
    StubRenderer,
    render_live,
    rendered_keys,
    running_worker,
)
from tests.support.waiting import wait_until
from tests.support.walks import enqueue_walk, read_walk, walk_spec


def send(settings: Settings, line: bytes) -> tuple[AnswerHead, bytes]:
    """Send a line to the worker's socket, as the web process does, and read the answer."""
    with closing(socket.socket(socket.AF_UNIX)) as connection:
        connection.settimeout(60)
        with short_name(socket_path(settings)) as name:
            connection.connect(name)
        connection.sendall(line)
        with connection.makefile("rb") as file:
            head = AnswerHead.decode(file.readline())
            return head, file.read()


def ask(
    settings: Settings, *t: float, maker: str = "a" * 64, **fields: Any
) -> tuple[AnswerHead, bytes]:
    places = tuple(Place(0, each) for each in t)
    return send(settings, Question(walk_spec(**fields), places, maker).encode())


def greys(data: bytes) -> list[int]:
    """The grey level of each of the pictures, which stand one below the other."""
    picture = np.asarray(Image.open(BytesIO(data)))
    return [int(part[0, 0, 0]) for part in np.split(picture, len(picture) // 8)]


def wait_for_socket(settings: Settings) -> None:
    wait_until(lambda: is_listening(socket_path(settings)))


def is_listening(path: Path) -> bool:
    return path.exists() and stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let questions wait longer than visitors do: a busy machine is no law."""
    monkeypatch.setattr(live_server, "ANSWER_SECONDS", 30.0)


@pytest.fixture
def worker(settings: Settings) -> Iterator[Settings]:
    """The settings of a worker that runs and listens."""
    with running_worker(settings):
        wait_for_socket(settings)
        yield settings


def ask_once_loaded(settings: Settings, *t: float) -> tuple[AnswerHead, bytes]:
    """The first answer of a worker that has the model in memory."""
    answers: list[tuple[AnswerHead, bytes]] = []

    def is_loaded() -> bool:
        answers.append(ask(settings, *t))
        return answers[-1][0].error not in (LOADING, live_server.OTHER_MODEL)

    wait_until(is_loaded)
    return answers[-1]


def test_an_idle_worker_paints_at_once_what_it_is_asked_directly(worker: Settings) -> None:
    head, data = ask_once_loaded(worker, 0.3, 0.5)
    assert (head.error, head.size, greys(data)) == ("", len(data), [30, 50])


def test_only_the_owner_may_ask_and_a_worker_that_ends_leaves_no_socket(
    settings: Settings,
) -> None:
    path = socket_path(settings)
    with running_worker(settings):
        wait_for_socket(settings)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == []


def test_a_socket_that_a_killed_worker_left_is_replaced(settings: Settings) -> None:
    path = socket_path(settings)
    path.parent.mkdir(parents=True)
    with closing(socket.socket(socket.AF_UNIX)) as left, short_name(path) as name:
        left.bind(name)
    with running_worker(settings):
        wait_until(lambda: answers(settings))


def answers(settings: Settings) -> bool:
    try:
        return not ask(settings, 0.3)[0].error
    except OSError:
        return False


def test_a_home_with_a_long_path_has_a_socket_as_well(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / ("long" * 30))
    server = LiveServer(settings, lambda: "atelier")
    server.open()
    try:
        assert "another model" in ask(settings, 0.3, model="sdxl")[0].error
    finally:
        server.close()


NO_QUESTIONS = (
    b"",
    b"\n",
    b"null\n",
    b"{}\n",
    b"[" * 100_000 + b"\n",
    b"x" * (MOST_BYTES + 1),
    Question(walk_spec(), (), "").encode(),
    Question(walk_spec(), (Place(0, 0.1),) * 9, "").encode(),
    *(Question(walk_spec(), (Place(0, t),), "").encode() for t in (-0.1, 1.5, float("nan"))),
    *(Question(walk_spec(), (Place(leg, 0.5),), "").encode() for leg in (-1, 1)),
    b'{"spec": {}, "places": [[0, 0.5]], "maker": ""}\n',
    b'{"spec": 1, "places": [["x", 0.5]], "maker": ""}\n',
    b'{"spec": {}, "places": 7, "maker": []}\n',
)


def test_what_is_no_question_is_refused(worker: Settings) -> None:
    for line in NO_QUESTIONS:
        with closing(socket.socket(socket.AF_UNIX)) as connection:
            connection.settimeout(30)
            with short_name(socket_path(worker)) as name:
                connection.connect(name)
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as file:
                assert AnswerHead.decode(file.readline()).error, line[:100]
    assert ask_once_loaded(worker, 0.3)[0].error == ""


def test_another_model_than_the_one_in_memory_is_refused_at_once(worker: Settings) -> None:
    """Loading takes seconds: the history's way waits for that."""
    assert "another model" in ask(worker, 0.3, model="sdxl")[0].error


def test_while_the_model_is_loaded_the_answer_says_so(settings: Settings) -> None:
    """It said that there was another model in memory."""
    may_go_on = threading.Event()

    def load_slowly(name: str, _device: str) -> str:
        may_go_on.wait(60)
        return name

    with running_worker(settings, load=load_slowly):
        wait_for_socket(settings)
        try:
            wait_until(lambda: ask(settings, 0.3)[0].error == LOADING)
            assert ask(settings, 0.3, model="sdxl")[0].error == live_server.OTHER_MODEL
        finally:
            may_go_on.set()
        wait_until(lambda: answers(settings))


def test_an_error_is_told_and_the_worker_goes_on(settings: Settings) -> None:
    errors = [OutOfMemory("Not even one.")]

    def fail_once(*what: Any) -> list[Frame]:
        if errors:
            raise errors.pop()
        return render_live(*what)

    with running_worker(settings, render_live=fail_once):
        wait_for_socket(settings)
        assert ask_once_loaded(settings, 0.3)[0].error == "Not even one."
        wait_until(lambda: answers(settings))


def test_of_one_visitor_only_the_newest_question_waits(settings: Settings) -> None:
    server = LiveServer(settings, lambda: "atelier")
    lines = [Question(walk_spec(), (Place(0, t),), "a" * 64).encode() for t in (0.1, 0.2)]
    with ThreadPoolExecutor() as threads:
        first = threads.submit(server.answer, lines[0])
        assert server.wait(10)
        second = threads.submit(server.answer, lines[1])
        assert AnswerHead.decode(first.result(10)).error == live_server.SUPERSEDED
        waiting = server.take()
        assert waiting is not None
        assert waiting.question.places == (Place(0, 0.2),)
        waiting.pictures.set_result([np.zeros((8, 8, 3), np.uint8)])
        assert AnswerHead.decode(second.result(10).partition(b"\n")[0]).size
        assert server.take() is None


def test_those_who_asked_less_come_first(settings: Settings) -> None:
    """A visitor who drags all the time, under many names, leaves others their turns."""
    server = LiveServer(settings, lambda: "atelier")
    served: list[str] = []
    busy, quiet = [f"{'b' * 32}{n:032}" for n in range(3)], "q" * 64
    with ThreadPoolExecutor() as threads:
        for maker in (*busy, quiet):
            line = Question(walk_spec(), (Place(0, 0.5),), maker).encode()
            threads.submit(server.answer, line)
            wait_until(partial(server._waiting.__contains__, maker))
        while waiting := server.take():
            served.append(waiting.question.maker[0])
            waiting.pictures.set_result([np.zeros((8, 8, 3), np.uint8)])
    assert served == ["b", "q", "b", "b"]


def test_an_address_has_few_questions_under_however_many_names(settings: Settings) -> None:
    server = LiveServer(settings, lambda: "atelier")
    makers = [f"{'b' * 32}{n:032}" for n in range(live_server.WAITING_EACH + 3)]
    lines = [Question(walk_spec(), (Place(0, 0.5),), maker).encode() for maker in makers]
    with ThreadPoolExecutor(len(lines)) as threads, closing(server):
        answers = [threads.submit(server.answer, line) for line in lines]
        wait_until(lambda: sum(answer.done() for answer in answers) == 3)
        refused = [AnswerHead.decode(answer.result()).error for answer in answers if answer.done()]
        assert refused == [live_server.TOO_MANY] * 3


def test_a_question_waits_no_longer_than_it_may(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_server, "ANSWER_SECONDS", 0.1)
    server = LiveServer(settings, lambda: "atelier")
    line = Question(walk_spec(), (Place(0, 0.5),), "a" * 64).encode()
    assert AnswerHead.decode(server.answer(line)).error == live_server.BUSY
    assert server.take() is None


def test_a_stream_of_questions_takes_at_most_half_of_a_walks_time(settings: Settings) -> None:
    clock = StillTimes()

    def paint(*what: Any) -> list[Frame]:
        with clock.painting_still():
            time.sleep(0.2)
            return render_live(*what)

    def drag() -> None:
        while not has_ended.is_set():
            ask(settings, 0.3)

    has_ended = threading.Event()
    walk = clock.watch(StubRenderer(settings.home / LOG, 0.02))
    with running_worker(
        settings, render=walk, render_live=paint, timing=Timing(**QUICK | {"poll": 0.0})
    ):
        wait_for_socket(settings)
        visitor = threading.Thread(target=drag)
        visitor.start()
        try:
            done = enqueue_walk(settings.database, frames=40)
            wait_until(lambda: read_walk(settings.database, done).state is State.DONE)
        finally:
            has_ended.set()
            visitor.join()
    clock.check_shares()


def test_a_walk_of_the_same_model_is_interrupted(settings: Settings) -> None:
    walk = enqueue_walk(settings.database, frames=200)
    with running_worker(settings, render=StubRenderer(settings.home / LOG, 0.1)):
        wait_until(lambda: rendered_keys(settings))
        assert ask(settings, 0.3)[0].error == ""
        assert read_walk(settings.database, walk).state is State.RUNNING


def test_many_questions_leave_no_files_open(worker: Settings) -> None:
    ask(worker, 0.3)
    folder = Path("/proc/self/fd")
    if not folder.exists():
        pytest.skip("the system does not list open files")
    before = len(os.listdir(folder))
    for number in range(40):
        ask(worker, number / 100)
    wait_until(lambda: len(os.listdir(folder)) <= before + 5)


def test_more_connections_than_may_wait_are_closed(worker: Settings) -> None:
    """Each has a thread: one that never sends its question must not cost all."""
    silent = [socket.socket(socket.AF_UNIX) for _ in range(worker.stills + 60)]
    try:
        for connection in silent:
            connection.settimeout(30)
            wait_until(partial(has_connected, worker, connection))
        wait_until(lambda: silent[-1].recv(1) == b"")
    finally:
        for connection in silent:
            connection.close()
    wait_until(lambda: answers(worker))


def has_connected(settings: Settings, connection: socket.socket) -> bool:
    with short_name(socket_path(settings)) as name, suppress(BlockingIOError):
        connection.connect(name)
        return True
    return False
