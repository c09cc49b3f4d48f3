"""Deaths: a walk that kills its workers fails, a machine that dies at every walk fails none."""

from collections.abc import Callable
from datetime import UTC, datetime

from db import queue, troubles
from db.deaths import MAX_DEATHS, MAX_DEATHS_AMONG_OTHERS
from db.models import State, Walk
from db.session import reading, writing
from tests.support.walks import claim_walk, finish_walk, lease_of

EnqueueWalk = Callable[..., Walk]


def die_at_the_next(url: str) -> str:
    """Claim the next walk and die; returns its id, empty if all of them wait."""
    walk = claim_walk(url)
    if walk is not None:
        with writing(url) as session:
            queue.reclaim_from(session=session, owner=str(walk.owner))
    return walk.id if walk is not None else ""


def read(url: str, *walks: Walk) -> list[Walk]:
    with reading(url) as session:
        return [session.get_one(Walk, walk.id) for walk in walks]


def end_waits(url: str, walks: list[Walk]) -> None:
    with writing(url) as session:
        for walk in walks:
            session.get_one(Walk, walk.id).not_before = None


def test_pictures_that_were_replaced_are_no_progress() -> None:
    """Each attempt lists those of the attempts before."""
    walk = Walk(troubles=[{"frames": 1, "pictures": 2}])
    progress = [[0, "a"], [1, "b", "rough"], [1, "c", "replaced"]]
    assert not troubles.has_advanced(walk, progress)
    assert troubles.has_advanced(walk, [*progress, [2, "d", "rough"]])


def test_machine_that_dies_at_every_walk_fails_none(url: str, enqueue_walk: EnqueueWalk) -> None:
    """5 of 5 failed with "The worker died 3 times"."""
    queued = [enqueue_walk() for _ in range(5)]
    while die_at_the_next(url):
        pass
    for _ in range(3):
        end_waits(url, queued)
        for _ in queued:
            die_at_the_next(url)
    rows = read(url, *queued)
    assert {row.state for row in rows} == {State.QUEUED}
    assert min(row.deaths for row in rows) > MAX_DEATHS


def test_others_go_first_before_the_last_try(url: str, enqueue_walk: EnqueueWalk) -> None:
    poison, sound = enqueue_walk(), enqueue_walk()
    assert [die_at_the_next(url) for _ in range(2)] == [poison.id] * 2
    done = claim_walk(url)
    assert done is not None
    assert done.id == sound.id
    finish_walk(url, done)
    assert claim_walk(url) is None
    end_waits(url, [poison])
    die_at_the_next(url)
    (row,) = read(url, poison)
    assert (row.state, row.deaths) == (State.FAILED, MAX_DEATHS)


def test_others_go_first_where_a_walk_dies_at_every_other_frame(
    url: str, enqueue_walk: EnqueueWalk
) -> None:
    """As for lack of memory: each death brings a frame, so it is tried for hours."""
    dying, sound = enqueue_walk(maker="ada"), enqueue_walk(maker="bob")
    with writing(url) as session:
        session.get_one(Walk, sound.id).due += 5
        session.get_one(Walk, dying.id).due -= 10
    for frames in (1, 2):
        walk = claim_walk(url)
        assert walk is not None
        assert walk.id == dying.id
        made = [[place, "a" * 64] for place in range(frames)]
        with writing(url) as session:
            queue.renew_lease(session=session, **lease_of(walk), lease_seconds=60, progress=made)
            queue.reclaim_from(session=session, owner=str(walk.owner))
    with writing(url) as session:
        session.get_one(Walk, sound.id).due -= 10
    assert die_at_the_next(url) == sound.id


def test_success_since_tells_that_the_machine_is_sound(url: str, enqueue_walk: EnqueueWalk) -> None:
    poison, unlucky, sound = enqueue_walk(), enqueue_walk(), enqueue_walk()
    for victim in (poison, poison, unlucky, unlucky):
        assert die_at_the_next(url) == victim.id
    done = claim_walk(url)
    assert done is not None
    assert done.id == sound.id
    finish_walk(url, done)
    end_waits(url, [poison])
    die_at_the_next(url)
    assert [row.state for row in read(url, poison, unlucky)] == [State.FAILED, State.QUEUED]


def test_walks_that_all_kill_their_workers_end_some_day(
    url: str, enqueue_walk: EnqueueWalk
) -> None:
    queued = [enqueue_walk() for _ in range(2)]
    for _ in range(MAX_DEATHS_AMONG_OTHERS):
        end_waits(url, queued)
        for _ in queued:
            die_at_the_next(url)
    for walk in read(url, *queued):
        assert walk.state is State.FAILED
        assert MAX_DEATHS <= walk.deaths <= MAX_DEATHS_AMONG_OTHERS


def test_waits_grow(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk, other = enqueue_walk(), enqueue_walk()
    waits = []
    for _ in range(8):
        end_waits(url, [walk])
        before = datetime.now(UTC)
        die_at_the_next(url)
        (row,) = read(url, walk)
        waits.append(round((row.not_before - before).total_seconds() / 60) if row.not_before else 0)
        if row.deaths == 2:
            assert die_at_the_next(url) == other.id
    assert waits == [0, 2, 4, 8, 16, 32, 60, 60]
