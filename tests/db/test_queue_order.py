"""Laws of the queue's order: fair between makers, and short walks first within a round."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from db import queue, walks
from db.models import Walk
from db.session import reading, writing

EnqueueWalk = Callable[..., Walk]


def claim(url: str, owner: str = "one", lease_seconds: float = 60) -> Walk | None:
    with writing(url) as session:
        return queue.claim(session=session, owner=owner, lease_seconds=lease_seconds)


def lease(walk: Walk | None) -> dict[str, Any]:
    assert walk is not None
    return {"walk_id": walk.id, "owner": walk.owner, "attempt": walk.attempt}


def position(url: str, walk: Walk) -> int:
    with reading(url) as session:
        return walks.get_queue_position(session=session, walk_id=walk.id)


def test_first_come_first_served(url: str, enqueue_walk: EnqueueWalk) -> None:
    queued = [enqueue_walk().id for _ in range(5)]
    claimed = [lease(claim(url))["walk_id"] for _ in range(5)]
    assert claimed == queued
    assert claim(url) is None


def test_makers_are_served_in_turn(url: str, enqueue_walk: EnqueueWalk) -> None:
    for maker in ("ada", "ada", "ada", "bob", "bob", "cyd"):
        enqueue_walk(maker=maker)
    served = [walk.maker for _ in range(6) if (walk := claim(url))]
    assert served == ["ada", "bob", "cyd", "ada", "bob", "ada"]


def test_newcomer_waits_for_one_walk_of_each_at_most(url: str, enqueue_walk: EnqueueWalk) -> None:
    for _ in range(5):
        enqueue_walk(maker="ada")
    claim(url)
    enqueue_walk(maker="bob")
    enqueue_walk(maker="bob")
    served = [walk.maker for _ in range(4) if (walk := claim(url))]
    assert served == ["bob", "ada", "bob", "ada"]


def test_served_maker_does_not_push_in(url: str, enqueue_walk: EnqueueWalk) -> None:
    """Who asks for one at a time gets no more than who queued for all at once."""
    for _ in range(4):
        enqueue_walk(maker="ada")
    served = []
    for _ in range(6):
        walk = claim(url)
        served.append(walk.maker if walk else "")
        with writing(url) as session:
            queue.finish(session=session, **lease(walk), result={})
        enqueue_walk(maker="bob")
    assert served[1:] == ["ada", "bob", "ada", "bob", "ada"]


def test_short_walk_goes_first_in_its_round(url: str, enqueue_walk: EnqueueWalk) -> None:
    long, short = (
        enqueue_walk(maker="ada", frames_total=240),
        enqueue_walk(maker="bob", frames_total=24),
    )
    second = enqueue_walk(maker="bob", frames_total=2)
    assert [position(url, walk) for walk in (short, long, second)] == [1, 2, 3]
    served = [lease(claim(url))["walk_id"] for _ in range(3)]
    assert served == [short.id, long.id, second.id]


def test_long_walk_is_not_overtaken_for_ever(url: str, enqueue_walk: EnqueueWalk) -> None:
    """A later walk goes first only if it would finish before the earlier one, started at once."""
    long = enqueue_walk(maker="ada", frames_total=240)
    with writing(url) as session:
        session.get_one(Walk, long.id).due -= 217
    enqueue_walk(maker="bob", frames_total=24)
    assert lease(claim(url))["walk_id"] == long.id


def test_clock_put_back_does_not_change_the_order(
    url: str, enqueue_walk: EnqueueWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = enqueue_walk()
    monkeypatch.setattr("db.clock.utc_now", lambda: datetime(2020, 1, 1, tzinfo=UTC))
    second = enqueue_walk()
    assert [lease(claim(url))["walk_id"] for _ in range(2)] == [first.id, second.id]


def test_walk_from_before_the_clock_was_put_back_is_not_overtaken_for_ever(
    url: str, enqueue_walk: EnqueueWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that came later went first, until the clock had caught up with it."""
    early = enqueue_walk(maker="ada")
    with writing(url) as session:
        session.get_one(Walk, early.id).due += 10 * 365 * 86_400
    enqueue_walk(maker="bob")
    later = enqueue_walk(maker="cid")
    with writing(url) as session:
        session.get_one(Walk, later.id).due += 10
    assert [position(url, walk) for walk in (early, later)] == [1, 3]


def test_place_in_the_queue(url: str, enqueue_walk: EnqueueWalk) -> None:
    running, first, second = enqueue_walk(), enqueue_walk(), enqueue_walk()
    claim(url)
    with reading(url) as session:
        places = [
            walks.get_queue_position(session=session, walk_id=walk.id)
            for walk in (running, first, second)
        ]
        assert places == [0, 1, 2]
        assert walks.get_queue_position(session=session, walk_id="no such walk") == 0
        assert [walk.id for walk in walks.list_active(session=session)] == [
            running.id,
            first.id,
            second.id,
        ]
