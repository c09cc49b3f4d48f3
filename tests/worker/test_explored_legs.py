"""Questions ahead of a drag: a worker explores a leg, and paints, while it is idle."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from momalisa.engine.frame_cache import Frame
from momalisa.settings import Settings
from momalisa.spec import Place
from momalisa.worker import live_server
from momalisa.worker.live_server import WAITING_EACH, LiveServer
from momalisa.worker.live_socket import AnswerHead, Question
from tests.support.stub_worker import render_live, running_worker
from tests.support.waiting import wait_until
from tests.support.walks import walk_spec
from tests.worker.test_live import ask, send, wait_for_socket

MIDDLE = (Place(0, 0.5),)
AHEAD = Question(walk_spec(), MIDDLE, "a" * 64, rough=True, ahead=True, explores=True)
PICTURE = [np.zeros((8, 8, 3), np.uint8)]


def submit(
    threads: ThreadPoolExecutor, server: LiveServer, question: Question
) -> "Future[AnswerHead]":
    """Let a question wait; returns the head of the answer to come."""

    def answer() -> AnswerHead:
        return AnswerHead.decode(server.answer(question.encode()).partition(b"\n")[0])

    answered = threads.submit(answer)
    wait_until(lambda: answered.done() or question.maker in server._waiting)
    return answered


def test_a_question_ahead_of_a_drag_comes_last_and_interrupts_no_walk(settings: Settings) -> None:
    server = LiveServer(settings, lambda: "atelier")
    with ThreadPoolExecutor() as threads:
        ahead = submit(threads, server, AHEAD)
        assert server.take("atelier") is None
        real = submit(threads, server, Question(walk_spec(), MIDDLE, "b" * 64))
        for maker, answered in (("b", real), ("a", ahead)):
            waiting = server.take()
            assert waiting is not None
            assert waiting.question.maker == maker * 64
            waiting.pictures.set_result(PICTURE)
            assert answered.result(10).size


def test_it_takes_the_place_of_no_other_of_its_maker(settings: Settings) -> None:
    server = LiveServer(settings, lambda: "atelier")
    with ThreadPoolExecutor() as threads:
        real = submit(threads, server, Question(walk_spec(), MIDDLE, AHEAD.maker))
        assert submit(threads, server, AHEAD).result(10).error == live_server.SUPERSEDED
        waiting = server.take()
        assert waiting is not None
        waiting.pictures.set_result(PICTURE)
        assert real.result(10).size


def test_it_gives_way_to_all_but_a_drag_along_its_own_leg(settings: Settings) -> None:
    server = LiveServer(settings, lambda: "atelier")
    other_leg = walk_spec("a", "b", "c")
    with ThreadPoolExecutor() as threads:
        for question, gives_way in (
            (Question(AHEAD.spec, (Place(0, 0.2),), "b" * 64), False),
            (Question(walk_spec(steps=7), MIDDLE, "b" * 64), True),
        ):
            submit(threads, server, question)
            assert server.must_give_way(AHEAD) is gives_way
            assert not server.must_give_way(question)
        along = Question(other_leg, (Place(1, 0.5),), "b" * 64)
        submit(threads, server, along)
        ahead = replace(AHEAD, spec=other_leg)
        assert server.must_give_way(ahead)
        server.close()


def test_a_picture_ahead_of_a_drag_gives_way_to_that_drag_too(settings: Settings) -> None:
    server = LiveServer(settings, lambda: "atelier")
    painted = replace(AHEAD, explores=False)
    with ThreadPoolExecutor() as threads:
        submit(threads, server, replace(painted, maker="b" * 64))
        assert not server.must_give_way(painted)
        submit(threads, server, Question(AHEAD.spec, (Place(0, 0.2),), "c" * 64))
        assert server.must_give_way(painted)
        server.close()


def test_questions_ahead_of_drags_cost_nobody_a_turn_or_a_place(settings: Settings) -> None:
    server = LiveServer(settings, lambda: "atelier")
    makers = [f"{'a' * 32}{number:032}" for number in range(WAITING_EACH + 1)]
    with ThreadPoolExecutor(len(makers) + 2) as threads:
        for maker in makers[1:]:
            submit(threads, server, replace(AHEAD, maker=maker))
        waiting = server.take()
        assert waiting is not None
        assert waiting.question.ahead
        waiting.pictures.set_result(PICTURE)
        for maker in (makers[0], "b" * 64):
            submit(threads, server, Question(walk_spec(), MIDDLE, maker))
        taken = [server.take(), server.take()]
        assert [one.question.maker for one in taken if one] == [makers[0], "b" * 64]
        for one in taken:
            assert one is not None
            one.pictures.set_result(PICTURE)
        server.close()


def test_a_worker_leaves_a_leg_half_explored_for_another_picture(settings: Settings) -> None:
    model, begun = SimpleNamespace(on_step=None, device="cpu"), threading.Event()

    def paint(spec: Any, places: Any, runner: Any, cache: Any, rough: bool) -> list[Frame]:
        while rough:
            begun.set()
            runner.on_step()
        return render_live(spec, places, runner, cache)

    with running_worker(settings, load=lambda *_: model, render_live=paint):
        wait_for_socket(settings)
        with ThreadPoolExecutor() as threads:
            painted = partial(ask, settings, 0.1, maker="c" * 64)
            wait_until(lambda: painted()[0].size)
            ahead = threads.submit(send, settings, AHEAD.encode())
            assert begun.wait(60)
            assert ask(settings, 0.3, maker="b" * 64, steps=7)[0].size
            assert ahead.result(60)[0].error
