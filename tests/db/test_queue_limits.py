"""Limits of the queue: a maker's, an address's and all walks', also for tabs at the same time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select

from db import walks
from db.models import Walk
from db.queue_limits import QueueFull, QueueLimits
from db.session import reading, writing
from momalisa.settings import settings
from momalisa.ui import sign_in, submit
from tests.support.walks import claim_walk, enqueue_walk_in, finish_walk, walk_spec

FEW = QueueLimits(each=3, address=4, total=5)


def enqueue(url: str, maker: str, **fields: Any) -> Walk:
    with writing(url) as session:
        return enqueue_walk_in(session, maker=maker, **{"limits": FEW} | fields)


def count(url: str) -> int:
    with reading(url) as session:
        return len(walks.list_active(session=session))


def test_one_maker_has_only_so_many_walks_in_the_queue(url: str) -> None:
    """3,000 walks of one maker were taken."""
    for _ in range(FEW.each):
        enqueue(url, "ada")
    with pytest.raises(QueueFull, match="You have as many"):
        enqueue(url, "ada")
    enqueue(url, "bob")


def test_a_finished_walk_makes_room(url: str) -> None:
    for _ in range(FEW.each):
        enqueue(url, "ada")
    walk = claim_walk(url)
    assert walk is not None
    with pytest.raises(QueueFull):
        enqueue(url, "ada")
    finish_walk(url, walk)
    enqueue(url, "ada")


def test_new_sessions_from_one_address_share_a_limit(url: str) -> None:
    for maker in "abcd":
        enqueue(url, maker, origin="here")
    with pytest.raises(QueueFull, match="from your address"):
        enqueue(url, "e", origin="here")
    enqueue(url, "e", origin="there")


def test_all_makers_together_have_a_limit(url: str) -> None:
    for maker in "abcde":
        enqueue(url, maker)
    with pytest.raises(QueueFull, match="are waiting"):
        enqueue(url, "f")


def test_a_refused_walk_takes_no_accession_number(url: str) -> None:
    last = [enqueue(url, "ada") for _ in range(FEW.each)][-1]
    with pytest.raises(QueueFull):
        enqueue(url, "ada")
    assert int(enqueue(url, "bob").accession[-4:]) == int(last.accession[-4:]) + 1


def test_without_limits_there_are_none(url: str) -> None:
    for _ in range(10):
        enqueue(url, "the command line", limits=None)


def test_tabs_at_the_same_time_do_not_slip_through(url: str) -> None:
    def press(_: int) -> bool:
        try:
            enqueue(url, "ada")
        except QueueFull:
            return False
        return True

    with ThreadPoolExecutor(8) as tabs:
        assert sum(tabs.map(press, range(16))) == FEW.each
    assert count(url) == FEW.each


def test_a_walk_that_is_submitted_in_several_tabs_at_once_is_queued_once(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL each tab queued one of its own: the film was made and stored so often."""
    monkeypatch.setenv("MOMALISA_DATABASE_URL", url)
    settings.cache_clear()
    monkeypatch.setattr(sign_in, "maker_id", lambda: "ada")
    tabs, spec = 4, walk_spec("a moon", "a lake")
    together = Barrier(tabs)

    def press_walk(_tab: int) -> str:
        together.wait()
        return submit.submit_walk(spec)

    with ThreadPoolExecutor(tabs) as threads:
        ids = set(threads.map(press_walk, range(tabs)))
    settings.cache_clear()
    with reading(url) as session:
        assert {walk.id for walk in session.scalars(select(Walk))} == ids
    assert len(ids) == 1
