"""What is submitted is checked where it is queued, whatever the form let pass."""

import socket
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import streamlit as st

from momalisa.errors import BadInput, ModelNotFound
from momalisa.settings import settings
from momalisa.ui import sign_in, submit
from momalisa.worker.live_server import LiveServer
from momalisa.worker.live_socket import short_name, socket_path
from tests.support.pages import MakeWalk, all_walks, spec
from tests.support.pipelines import PipelineMaker


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ("WALKS_EACH", "as one visitor may: 2"),
        ("WALKS_ADDRESS", "from your address are on the way as one may have: 2"),
        ("WALKS_TOTAL", "as this gallery takes at a time: 2"),
    ],
)
def test_the_settings_say_how_many_walks_are_taken(
    setting: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "context", SimpleNamespace(ip_address="192.0.2.1"))
    monkeypatch.setenv(f"MOMALISA_{setting}", "2")
    settings.cache_clear()
    for number in range(3):
        maker = "one" if setting == "WALKS_EACH" else f"maker {number}"
        monkeypatch.setattr(sign_in, "maker_id", lambda maker=maker: maker)
        if number == 2:
            with pytest.raises(BadInput, match=sentence):
                submit.submit_walk(spec(fps=10 + number))
        else:
            submit.submit_walk(spec(fps=10 + number))
    assert len(all_walks()) == 2


def test_a_walk_that_is_too_large_is_not_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOMALISA_LARGEST_WALK", "0.001")
    settings.cache_clear()
    with pytest.raises(BadInput, match="more than is painted here"):
        submit.submit_walk(spec())
    assert all_walks() == []


def test_a_visitor_walks_no_folder_by_its_path(make_pipeline: PipelineMaker) -> None:
    folder: Path = make_pipeline()
    with pytest.raises(ModelNotFound, match="A folder is chosen by its name"):
        submit.submit_walk(spec(model=str(folder)))
    assert all_walks() == []


def test_a_film_with_another_credit_line_is_another_film(add_film: MakeWalk) -> None:
    def stops(**credit: str) -> list[dict[str, Any]]:
        image = {"digest": "0a" * 32, "credit": credit or None}
        return [{"image": image}, {"prompt": "sea"}]

    film = add_film(stops=stops(title="Lilies"))
    credited = spec(stops=stops(title="Lilies", artist="Claude Monet"))
    waiting = submit.submit_walk(credited)
    assert submit.submit_walk(credited) == waiting
    assert submit.submit_walk(spec(stops=stops(title="Lilies"))) == film.id
    assert submit.submit_walk(spec(stops=stops())) not in (waiting, film.id)


def test_a_worker_that_is_idle_is_woken_by_a_new_walk() -> None:
    server = LiveServer(settings(), lambda: "atelier")
    server.open()
    try:
        submit.submit_walk(spec())
        assert server.wait(30)
        assert server.take_wake()
        assert not server.wait(0)
    finally:
        server.close()


def test_a_walk_is_submitted_where_a_worker_left_its_socket() -> None:
    path = socket_path(settings())
    path.parent.mkdir(parents=True)
    with closing(socket.socket(socket.AF_UNIX)) as left, short_name(path) as name:
        left.bind(name)
    submit.submit_walk(spec())
    assert len(all_walks()) == 1
