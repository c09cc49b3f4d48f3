"""The status of queue, workers and films, on both databases."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from db import worker_registry
from db.clock import database_now
from db.models import Deletion, State, Walk, WorkerHeartbeat
from db.session import reading, writing
from db.status import HistoryStatus, list_failures, read_status
from tests.support.walks import claim_walk, enqueue_walk, finish_walk, lease_of


def status_of(url: str) -> HistoryStatus:
    with reading(url) as session:
        return read_status(session)


def test_an_empty_history_has_nothing_to_tell(url: str) -> None:
    status = status_of(url)
    assert set(status.walks.values()) == {0}
    assert set(status.walks) == set(State)
    assert status.oldest_queued_seconds == status.oldest_waiting_seconds == 0
    assert status.workers == []
    assert status.seconds_a_frame == 0
    assert status.open_deletions == status.records_to_write == status.films_waiting == 0


def test_walks_are_counted_by_state_and_the_oldest_queued_one_has_an_age(url: str) -> None:
    for _ in range(3):
        enqueue_walk(url)
    finished = claim_walk(url)
    assert finished is not None
    assert finish_walk(url, finished)
    with writing(url) as session:
        session.execute(update(Walk).values(due=Walk.due - 3600))
    status = status_of(url)
    assert status.walks[State.QUEUED] == 2
    assert status.walks[State.DONE] == 1
    assert 3600 <= status.oldest_queued_seconds < 7200


def test_seconds_a_frame_are_those_of_rendered_frames(url: str) -> None:
    for frames in (4, 0, 1):  # the last one's seconds are mostly those of making the film
        enqueue_walk(url)
        walk = claim_walk(url)
        assert walk is not None
        assert finish_walk(url, walk)
        with writing(url) as session:
            this = update(Walk).where(Walk.id == walk.id)
            session.execute(this.values(seconds=10.0, frames_computed=frames, frames_total=4))
    assert status_of(url).seconds_a_frame == 2.5


def test_workers_tell_their_silence_faults_and_pause(url: str) -> None:
    with writing(url) as session:
        worker_registry.record_heartbeat(session=session, name="w", pid=1, host="h")
        moment = database_now(session)
        session.execute(
            update(WorkerHeartbeat).values(
                seen_at=moment - timedelta(seconds=100),
                failures=3,
                problem="The card is gone.",
                paused_until=moment + timedelta(seconds=1000),
            )
        )
    [worker] = status_of(url).workers
    assert 100 <= worker.silent_seconds < 700
    assert not worker.is_alive
    assert (worker.failures, worker.problem) == (3, "The card is gone.")
    assert 0 < worker.paused_seconds <= 1000


def test_worker_that_was_seen_before_the_clock_was_put_back_is_not_alive(url: str) -> None:
    """It was dead, and `doctor`, /readyz and /metrics said for hours that films are made."""
    with writing(url) as session:
        worker_registry.record_heartbeat(session=session, name="w", pid=1, host="h")
        ahead = database_now(session) + timedelta(hours=5)
        session.execute(update(WorkerHeartbeat).values(seen_at=ahead))
    [worker] = status_of(url).workers
    assert not worker.is_alive


def test_waiting_films_open_deletions_and_outdated_records_are_counted(url: str) -> None:
    enqueue_walk(url)
    walk = claim_walk(url)
    assert walk is not None
    assert finish_walk(url, walk)
    with writing(url) as session:
        moment = database_now(session)
        session.execute(update(Walk).values(waiting=True, edited_at=moment))
        session.add(Deletion(walk_id="a", accession="ML.2026.0001", deleted_at=moment))
        session.add(Deletion(walk_id="b", accession="", deleted_at=moment, files_deleted_at=moment))
    status = status_of(url)
    assert (status.films_waiting, status.open_deletions, status.records_to_write) == (1, 1, 1)
    with writing(url) as session:
        session.execute(update(Walk).values(recorded_at=database_now(session)))
    assert status_of(url).records_to_write == 0


def test_the_clocks_of_one_machine_agree(url: str) -> None:
    assert status_of(url).clock_skew == pytest.approx(0, abs=60)


def test_failures_are_listed_with_their_reasons(url: str) -> None:
    from db import queue

    enqueue_walk(url)
    walk = claim_walk(url)
    assert walk is not None
    with writing(url) as session:
        queue.fail(session=session, **lease_of(walk), error="No such model.")
    with reading(url) as session:
        [(accession, reason)] = list_failures(session, within=timedelta(days=1))
        assert (accession, reason) == (walk.accession, "No such model.")
        assert list_failures(session, within=timedelta(0)) == []
