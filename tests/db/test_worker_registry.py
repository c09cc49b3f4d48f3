"""Laws of the worker registry: heartbeats, clean shutdown and death."""

from collections.abc import Callable
from datetime import timedelta

from db import queue, worker_registry
from db.models import State, Walk, WorkerHeartbeat
from db.session import reading, writing

EnqueueWalk = Callable[..., Walk]


def test_worker_heard_of_in_the_future_is_not_alive(url: str) -> None:
    with writing(url) as session:
        worker_registry.record_heartbeat(session=session, name="a", pid=1, host="h")
        row = session.get_one(WorkerHeartbeat, "a")
        row.seen_at += timedelta(days=1)
        session.flush()
        assert worker_registry.list_alive(session=session, within_seconds=60) == []


def test_known_death_frees_at_once(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    with writing(url) as session:
        worker_registry.record_heartbeat(session=session, name="me", pid=1, host="h")
    with writing(url) as session:
        queue.claim(session=session, owner="me", lease_seconds=60)
    with writing(url) as session:
        worker_registry.mark_dead(session=session, name="me")
        assert worker_registry.list_alive(session=session) == []
    with reading(url) as session:
        row = session.get_one(Walk, walk.id)
    assert (row.state, row.deaths) == (State.QUEUED, 1)


def test_workers_are_seen_and_go(url: str) -> None:
    with writing(url) as session:
        worker_registry.record_heartbeat(session=session, name="a", pid=1, host="h", device="cpu")
        worker_registry.record_heartbeat(session=session, name="b", pid=2, host="h")
        worker_registry.record_heartbeat(session=session, name="a", pid=1, host="h", device="cuda")
        worker_registry.remove(session=session, name="b")
    with reading(url) as session:
        alive = worker_registry.list_alive(session=session, within_seconds=60)
        assert [(worker.name, worker.device) for worker in alive] == [("a", "cuda")]
        assert worker_registry.list_alive(session=session, within_seconds=-1) == []
