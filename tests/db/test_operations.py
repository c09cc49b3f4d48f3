"""Listing the queue and trying walks again, on both databases."""

from sqlalchemy import update

from db import operations, queue
from db.models import State, Walk
from db.session import reading, writing
from tests.support.walks import claim_walk, enqueue_walk, finish_walk, lease_of, read_walk


def fail_next(url: str) -> Walk:
    """Claim the next walk and fail it."""
    walk = claim_walk(url)
    assert walk is not None
    with writing(url) as session:
        assert queue.fail(session=session, **lease_of(walk), error="No memory.")
    return walk


def test_the_queue_is_listed_in_its_order_behind_what_runs(url: str) -> None:
    walks = [enqueue_walk(url, maker=maker) for maker in ("a", "a", "b")]
    claim_walk(url)
    with reading(url) as session:
        found = [walk.id for walk in operations.list_queue(session=session)]
    assert found == [walks[0].id, walks[2].id, walks[1].id]


def test_a_failed_walk_is_new_again(url: str) -> None:
    enqueue_walk(url)
    walk = fail_next(url)
    with writing(url) as session:
        session.execute(
            update(Walk).values(deaths=2, machine_failures=3, troubles=[{}], cancel_requested=True)
        )
        assert operations.retry(session=session, walk_id=walk.id)
    row = read_walk(url, walk)
    assert (row.state, row.error, row.finished_at) == (State.QUEUED, "", None)
    assert (row.deaths, row.machine_failures, row.troubles) == (0, 0, [])
    again = claim_walk(url)
    assert again is not None
    assert finish_walk(url, again)


def test_a_walk_that_is_tried_again_goes_behind_its_makers_others(url: str) -> None:
    enqueue_walk(url, maker="a")
    failed = fail_next(url)
    own, other = enqueue_walk(url, maker="a"), enqueue_walk(url, maker="b")
    with writing(url) as session:
        assert operations.retry(session=session, walk_id=failed.id)
    order = [walk.id for walk in iter(lambda: claim_walk(url), None) if walk is not None]
    assert order.index(own.id) < order.index(failed.id)
    assert order.index(other.id) < order.index(failed.id)


def test_only_walks_that_were_given_up_are_tried_again(url: str) -> None:
    queued = enqueue_walk(url)
    with writing(url) as session:
        assert not operations.retry(session=session, walk_id=queued.id)
        assert not operations.retry(session=session, walk_id="unknown")
    walk = claim_walk(url)
    assert walk is not None
    assert finish_walk(url, walk)
    with writing(url) as session:
        assert not operations.retry(session=session, walk_id=walk.id)


def test_walks_are_found_by_number_and_by_id(url: str) -> None:
    walk = enqueue_walk(url)
    with reading(url) as session:
        for reference in (walk.id, walk.accession, walk.accession.lower()):
            found = operations.find(session=session, reference=reference)
            assert found is not None
            assert found.id == walk.id
        assert operations.find(session=session, reference="ML.1999.0001") is None


def test_walks_that_were_given_up_are_listed_by_maker(url: str) -> None:
    for maker in ("anna", "ben", "a_na"):
        enqueue_walk(url, maker=maker)
        fail_next(url)
    with reading(url) as session:
        assert len(operations.list_given_up(session=session, limit=2)) == 2
        found = operations.list_given_up(session=session, limit=9, maker="a_")
        assert [walk.maker for walk in found] == ["a_na"]
