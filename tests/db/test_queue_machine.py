"""Stateful property test of the queue: any order of events, compared with a simple model."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from db import deaths, queue, walks, worker_registry
from db.models import State, Walk
from db.queue import LeaseStatus
from db.session import get_engine, reading, writing
from tests.support.databases import Databases
from tests.support.walks import SPEC

WORKERS = st.sampled_from(["one", "two", "three"])


class Queue(RuleBasedStateMachine):
    """Three workers that claim, status, finish, leave and die; curators who enqueue and cancel."""

    databases: Databases

    def __init__(self) -> None:
        super().__init__()
        self.url = self.databases.reuse()
        self.walk_ids: list[str] = []
        self.state: dict[str, State] = {}
        self.leases: dict[str, dict[str, Any]] = {}
        self.lost_leases: list[dict[str, Any]] = []

    def teardown(self) -> None:
        get_engine(self.url).dispose()

    @rule()
    def enqueue(self) -> None:
        with writing(self.url) as session:
            walk = walks.enqueue(
                session=session, spec=SPEC, digest="d", title="a → b", frames_total=24
            )
        self.walk_ids.append(walk.id)
        self.state[walk.id] = State.QUEUED

    @rule(worker=WORKERS)
    def claim(self, worker: str) -> None:
        if worker in self.leases:
            return
        with writing(self.url) as session:
            walk = queue.claim(session=session, owner=worker, lease_seconds=60)
        waiting = [one for one in self.walk_ids if self.state[one] is State.QUEUED]
        with reading(self.url) as session:
            held = {one for one in waiting if session.get_one(Walk, one).not_before}
        waiting = [one for one in waiting if one not in held]
        assert (walk and walk.id) == (waiting[0] if waiting else None)
        if walk is not None:
            self.state[walk.id] = State.RUNNING
            self.leases[worker] = {
                "walk_id": walk.id,
                "owner": worker,
                "attempt": walk.attempt,
            }

    @precondition(lambda self: self.leases)
    @rule(data=st.data(), ending=st.sampled_from(["finish", "fail", "give_back", "die"]))
    def end(self, data: st.DataObject, ending: str) -> None:
        lease = self.leases.pop(data.draw(st.sampled_from(sorted(self.leases))))
        with writing(self.url) as session:
            match ending:
                case "finish":
                    assert queue.finish(session=session, **lease, result={})
                case "fail":
                    assert queue.fail(session=session, **lease, error="no")
                case "give_back":
                    assert queue.give_back(session=session, **lease)
                case "die":
                    worker_registry.mark_dead(session=session, name=lease["owner"])
            row = session.get_one(Walk, lease["walk_id"])
        ends = {"finish": {State.DONE}, "fail": {State.FAILED}}
        free = {State.QUEUED, State.CANCELLED}
        over = free | {State.FAILED} if row.deaths >= deaths.MAX_DEATHS else free
        assert row.state in ends.get(ending, over)
        self.state[row.id] = row.state
        self.lost_leases.append(lease)

    @precondition(lambda self: self.lost_leases)
    @rule(data=st.data())
    def use_lost_lease(self, data: st.DataObject) -> None:
        lease = data.draw(st.sampled_from(self.lost_leases))
        with writing(self.url) as session:
            assert not queue.finish(session=session, **lease, result={})
            status = queue.renew_lease(session=session, **lease, lease_seconds=60)
        assert status is LeaseStatus.LOST

    @precondition(lambda self: self.walk_ids)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        walk_id = data.draw(st.sampled_from(self.walk_ids))
        with writing(self.url) as session:
            done = walks.cancel(session=session, walk_id=walk_id)
        assert done is (not self.state[walk_id].is_final)
        if self.state[walk_id] is State.QUEUED:
            self.state[walk_id] = State.CANCELLED

    @invariant()
    def rows_agree(self) -> None:
        with reading(self.url) as session:
            rows = {one: session.get_one(Walk, one) for one in self.walk_ids}
        assert {one: row.state for one, row in rows.items()} == self.state
        owners = {row.owner: one for one, row in rows.items() if row.owner}
        assert owners == {name: lease["walk_id"] for name, lease in self.leases.items()}
        assert len({row.accession for row in rows.values()}) == len(rows)


def test_queue_agrees_with_the_model_in_any_order_of_events(databases: Databases) -> None:
    Queue.databases = databases
    run_state_machine_as_test(
        Queue, settings=settings(max_examples=8, stateful_step_count=25, deadline=None)
    )
