"""The queue under any order of events, against a model of a few lines."""

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

from db import queue, walks, worker_registry
from db.models import State, Walk
from db.queue import LeaseStatus
from db.session import get_engine, reading, writing
from tests.support.databases import Databases
from tests.support.walks import SPEC

WORKERS = st.sampled_from(["one", "two", "three"])


class Queue(RuleBasedStateMachine):
    """Three workers that claim, beat, finish, leave and die; people who ask and call off."""

    databases: Databases

    def __init__(self) -> None:
        super().__init__()
        self.url = self.databases.fresh()
        self.asked: list[str] = []
        self.state: dict[str, State] = {}
        self.hands: dict[str, dict[str, Any]] = {}
        self.late: list[dict[str, Any]] = []

    def teardown(self) -> None:
        get_engine(self.url).dispose()

    @rule()
    def ask(self) -> None:
        with writing(self.url) as session:
            walk = walks.enqueue(
                session=session, spec=SPEC, digest="d", title="a → b", frames_total=24
            )
        self.asked.append(walk.id)
        self.state[walk.id] = State.QUEUED

    @rule(worker=WORKERS)
    def claim(self, worker: str) -> None:
        if worker in self.hands:
            return
        with writing(self.url) as session:
            walk = queue.claim(session=session, owner=worker, lease_seconds=60)
        waiting = [one for one in self.asked if self.state[one] is State.QUEUED]
        assert (walk and walk.id) == (waiting[0] if waiting else None)
        if walk is not None:
            self.state[walk.id] = State.RUNNING
            self.hands[worker] = {
                "walk_id": walk.id,
                "owner": worker,
                "attempt": walk.attempt,
            }

    @precondition(lambda self: self.hands)
    @rule(data=st.data(), word=st.sampled_from(["finish", "fail", "give_back", "die"]))
    def end(self, data: st.DataObject, word: str) -> None:
        hand = self.hands.pop(data.draw(st.sampled_from(sorted(self.hands))))
        with writing(self.url) as session:
            match word:
                case "finish":
                    assert queue.finish(session=session, **hand, result={})
                case "fail":
                    assert queue.fail(session=session, **hand, error="no")
                case "give_back":
                    assert queue.give_back(session=session, **hand)
                case "die":
                    worker_registry.mark_dead(session=session, name=hand["owner"])
            row = session.get_one(Walk, hand["walk_id"])
        ends = {"finish": {State.DONE}, "fail": {State.FAILED}}
        free = {State.QUEUED, State.CANCELLED}
        over = free | {State.FAILED} if row.deaths == queue.MAX_DEATHS else free
        assert row.state in ends.get(word, over)
        self.state[row.id] = row.state
        self.late.append(hand)

    @precondition(lambda self: self.late)
    @rule(data=st.data())
    def speak_late(self, data: st.DataObject) -> None:
        hand = data.draw(st.sampled_from(self.late))
        with writing(self.url) as session:
            assert not queue.finish(session=session, **hand, result={})
            beat = queue.renew_lease(session=session, **hand, lease_seconds=60)
        assert beat is LeaseStatus.LOST

    @precondition(lambda self: self.asked)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        walk_id = data.draw(st.sampled_from(self.asked))
        with writing(self.url) as session:
            done = walks.cancel(session=session, walk_id=walk_id)
        assert done is (not self.state[walk_id].is_final)
        if self.state[walk_id] is State.QUEUED:
            self.state[walk_id] = State.CANCELLED

    @invariant()
    def rows_agree(self) -> None:
        with reading(self.url) as session:
            rows = {one: session.get_one(Walk, one) for one in self.asked}
        assert {one: row.state for one, row in rows.items()} == self.state
        owners = {row.owner: one for one, row in rows.items() if row.owner}
        assert owners == {name: hand["walk_id"] for name, hand in self.hands.items()}
        assert len({row.accession for row in rows.values()}) == len(rows)


def test_queue_keeps_its_word_in_any_order_of_events(databases: Databases) -> None:
    Queue.databases = databases
    run_state_machine_as_test(
        Queue, settings=settings(max_examples=8, stateful_step_count=25, deadline=None)
    )
