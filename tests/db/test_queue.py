"""Laws of the queue: no walk is lost, none is made twice, and late words do not count."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from db import queue, walks, worker_registry
from db.models import State, Walk, WorkerHeartbeat
from db.queue import LeaseStatus
from db.session import reading, writing

ROOT = Path(__file__).resolve().parents[2]
Ask = Callable[..., Walk]

CLAIM_ALL = """
import sys
from db import queue
from db.session import writing
while True:
    with writing(sys.argv[1]) as session:
        walk = queue.claim(session=session, owner=sys.argv[2], lease_seconds=60)
    if walk is None:
        break
    print(walk.id)
"""


def claim(url: str, owner: str = "one", lease_seconds: float = 60) -> Walk | None:
    with writing(url) as session:
        return queue.claim(session=session, owner=owner, lease_seconds=lease_seconds)


def lease(walk: Walk | None) -> dict[str, Any]:
    assert walk is not None
    return {"walk_id": walk.id, "owner": walk.owner, "attempt": walk.attempt}


def beat(url: str, walk: Walk | None, **news: Any) -> LeaseStatus:
    with writing(url) as session:
        return queue.renew_lease(session=session, **lease(walk), lease_seconds=60, **news)


def place(url: str, walk: Walk) -> int:
    with reading(url) as session:
        return walks.get_queue_position(session=session, walk_id=walk.id)


def now_of(url: str, walk: Walk) -> Walk:
    with reading(url) as session:
        row = walks.get(session=session, walk_id=walk.id)
    assert row is not None
    return row


def test_first_come_first_served(url: str, ask: Ask) -> None:
    asked = [ask().id for _ in range(5)]
    claimed = [lease(claim(url))["walk_id"] for _ in range(5)]
    assert claimed == asked
    assert claim(url) is None


def test_makers_are_served_in_turn(url: str, ask: Ask) -> None:
    for maker in ("ada", "ada", "ada", "bob", "bob", "cyd"):
        ask(maker=maker)
    served = [walk.maker for _ in range(6) if (walk := claim(url))]
    assert served == ["ada", "bob", "cyd", "ada", "bob", "ada"]


def test_newcomer_waits_for_one_walk_of_each_at_most(url: str, ask: Ask) -> None:
    for _ in range(5):
        ask(maker="ada")
    claim(url)
    ask(maker="bob")
    ask(maker="bob")
    served = [walk.maker for _ in range(4) if (walk := claim(url))]
    assert served == ["bob", "ada", "bob", "ada"]


def test_served_maker_does_not_push_in(url: str, ask: Ask) -> None:
    """Who asks for one at a time gets no more than who asked for all at once."""
    for _ in range(4):
        ask(maker="ada")
    served = []
    for _ in range(6):
        walk = claim(url)
        served.append(walk.maker if walk else "")
        with writing(url) as session:
            queue.finish(session=session, **lease(walk), result={})
        ask(maker="bob")
    assert served[1:] == ["ada", "bob", "ada", "bob", "ada"]


def test_short_walk_goes_first_in_its_round(url: str, ask: Ask) -> None:
    long, short = ask(maker="ada", frames_total=240), ask(maker="bob", frames_total=24)
    second = ask(maker="bob", frames_total=2)
    assert [place(url, walk) for walk in (short, long, second)] == [1, 2, 3]
    served = [lease(claim(url))["walk_id"] for _ in range(3)]
    assert served == [short.id, long.id, second.id]


def test_long_walk_is_not_overtaken_for_ever(url: str, ask: Ask) -> None:
    """Of walks that come after it, those go first that would be over before it had it begun."""
    long = ask(maker="ada", frames_total=240)
    with writing(url) as session:
        session.get_one(Walk, long.id).due -= 217
    ask(maker="bob", frames_total=24)
    assert lease(claim(url))["walk_id"] == long.id


def test_clock_put_back_changes_nobodys_turn(
    url: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask()
    monkeypatch.setattr("db.clock.utc_now", lambda: datetime(2020, 1, 1, tzinfo=UTC))
    second = ask()
    assert [lease(claim(url))["walk_id"] for _ in range(2)] == [first.id, second.id]


def test_lease_given_by_a_clock_far_ahead_runs_out_now(url: str, ask: Ask) -> None:
    walk = ask()
    claim(url, "dead", lease_seconds=400 * 24 * 3600)
    assert lease(claim(url, "heir")) == {"walk_id": walk.id, "owner": "heir", "attempt": 2}


def test_worker_heard_of_in_the_future_is_not_alive(url: str) -> None:
    with writing(url) as session:
        worker_registry.record_heartbeat(session=session, name="a", pid=1, host="h")
        row = session.get_one(WorkerHeartbeat, "a")
        row.seen_at += timedelta(days=1)
        session.flush()
        assert worker_registry.list_alive(session=session, within_seconds=60) == []


def test_reasons_of_retries_are_kept(url: str, ask: Ask) -> None:
    walk = ask()
    claim(url, "one", lease_seconds=-1)
    claim(url, "two")
    with writing(url) as session:
        worker_registry.mark_dead(session=session, name="two")
    troubles = now_of(url, walk).troubles
    assert [(one["attempt"], one["reason"]) for one in troubles] == [
        (1, "Worker one was not heard of any more"),
        (2, "Worker two died"),
    ]
    assert all(datetime.fromisoformat(one["at"]).tzinfo for one in troubles)


def test_processes_never_claim_the_same_walk(url: str, ask: Ask) -> None:
    asked = {ask().id for _ in range(60)}
    claimers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM_ALL, url, name], cwd=ROOT, stdout=subprocess.PIPE
        )
        for name in ("one", "two", "three")
    ]
    claimed = [line for claimer in claimers for line in claimer.communicate()[0].decode().split()]
    assert len(claimed) == len(asked)
    assert set(claimed) == asked


def test_claimed_walk_runs_under_its_lease(url: str, ask: Ask) -> None:
    ask()
    walk = claim(url, "me")
    assert walk is not None
    assert (walk.state, walk.owner, walk.attempt) == (State.RUNNING, "me", 1)
    assert walk.lease_until is not None
    assert walk.started_at is not None
    assert (walk.lease_until - walk.started_at).total_seconds() == 60


def test_lost_lease_brings_the_walk_back(url: str, ask: Ask) -> None:
    walk = ask()
    dead = claim(url, "dead", lease_seconds=-1)
    again = claim(url, "heir")
    assert lease(again) == {"walk_id": walk.id, "owner": "heir", "attempt": 2}
    assert dead is not None


def test_heartbeat_keeps_the_lease(url: str, ask: Ask) -> None:
    ask()
    mine = claim(url, "me", lease_seconds=-1)
    assert beat(url, mine) is LeaseStatus.HELD
    assert claim(url, "thief") is None


def test_heartbeat_carries_the_progress(url: str, ask: Ask) -> None:
    walk = ask()
    mine = claim(url)
    beat(url, mine, stage="frames", progress=[[0, "k0"], [23, "k23"]])
    beat(url, mine)
    row = now_of(url, walk)
    assert (row.stage, row.progress) == ("frames", [[0, "k0"], [23, "k23"]])


def test_third_death_fails_the_walk_with_the_reason(url: str, ask: Ask) -> None:
    walk = ask()
    for _ in range(3):
        assert claim(url, "dead", lease_seconds=-1) is not None
    assert claim(url, "heir") is None
    row = now_of(url, walk)
    assert row.state is State.FAILED
    assert "3 times" in row.error
    assert row.finished_at is not None


def test_giving_back_is_no_death(url: str, ask: Ask) -> None:
    walk = ask()
    for _ in range(5):
        mine = claim(url)
        with writing(url) as session:
            assert queue.give_back(session=session, **lease(mine))
    row = now_of(url, walk)
    assert (row.state, row.deaths, row.owner, row.stage) == (State.QUEUED, 0, None, "")


@pytest.mark.parametrize("word", ["renew_lease", "finish", "fail", "confirm_cancel", "give_back"])
def test_late_worker_changes_nothing(url: str, ask: Ask, word: str) -> None:
    walk = ask()
    late = claim(url, "late", lease_seconds=-1)
    claim(url, "heir")
    before = now_of(url, walk)
    words: dict[str, dict[str, Any]] = {
        "renew_lease": {"lease_seconds": 60, "progress": [[9, "late"]]},
        "finish": {"result": {"sha256": "late"}},
        "fail": {"error": "late"},
    }
    with writing(url) as session:
        answer = getattr(queue, word)(session=session, **lease(late), **words.get(word, {}))
    assert answer in (False, LeaseStatus.LOST)
    after = now_of(url, walk)
    assert (after.state, after.owner, after.attempt) == (State.RUNNING, "heir", 2)
    assert (after.progress, after.sha256, after.error) == (before.progress, "", "")


def test_own_earlier_attempt_counts_as_late(url: str, ask: Ask) -> None:
    ask()
    first = claim(url, "me", lease_seconds=-1)
    claim(url, "me")
    assert beat(url, first) is LeaseStatus.LOST


def test_lease_is_not_anothers(url: str, ask: Ask) -> None:
    ask()
    others = lease(claim(url, "me")) | {"owner": "you"}
    with writing(url) as session:
        assert not queue.finish(session=session, **others, result={})


def test_deleted_under_the_worker_is_lost(url: str, ask: Ask) -> None:
    walk = ask()
    mine = claim(url)
    with writing(url) as session:
        session.delete(session.get_one(Walk, walk.id))
    assert beat(url, mine) is LeaseStatus.LOST


def test_cancel_of_a_waiting_walk_is_immediate(url: str, ask: Ask) -> None:
    walk = ask()
    with writing(url) as session:
        assert walks.cancel(session=session, walk_id=walk.id)
    assert now_of(url, walk).state is State.CANCELLED
    assert claim(url) is None


def test_cancel_of_a_running_walk_asks_its_worker(url: str, ask: Ask) -> None:
    walk = ask()
    mine = claim(url)
    assert beat(url, mine) is LeaseStatus.HELD
    with writing(url) as session:
        assert walks.cancel(session=session, walk_id=walk.id)
    assert now_of(url, walk).state is State.RUNNING
    assert beat(url, mine) is LeaseStatus.CANCEL_REQUESTED
    with writing(url) as session:
        assert queue.confirm_cancel(session=session, **lease(mine))
    assert now_of(url, walk).state is State.CANCELLED


def test_nothing_to_cancel_once_it_is_over(url: str, hang: Ask) -> None:
    walk = hang()
    with writing(url) as session:
        assert not walks.cancel(session=session, walk_id=walk.id)
        assert not walks.cancel(session=session, walk_id="nobody")
    assert now_of(url, walk).state is State.DONE


@pytest.mark.parametrize("end", ["dies", "leaves"])
def test_called_off_walk_does_not_come_back(url: str, ask: Ask, end: str) -> None:
    walk = ask()
    mine = claim(url, "me")
    with writing(url) as session:
        walks.cancel(session=session, walk_id=walk.id)
        if end == "dies":
            worker_registry.mark_dead(session=session, name="me")
        else:
            queue.give_back(session=session, **lease(mine))
    assert now_of(url, walk).state is State.CANCELLED


def test_result_is_written_with_the_state(url: str, ask: Ask) -> None:
    walk = ask()
    result = {"seconds": 1.5, "distances": [0.1, 0.2], "files": {"gif": "a.gif"}, "bytes": 2**40}
    mine = claim(url)
    with writing(url) as session:
        assert queue.finish(session=session, **lease(mine), result=result)
    row = now_of(url, walk)
    assert row.state is State.DONE
    assert {name: getattr(row, name) for name in result} == result
    assert (row.owner, row.lease_until) == (None, None)


def test_result_may_not_touch_other_columns(url: str, ask: Ask) -> None:
    ask()
    mine = claim(url)
    with writing(url) as session, pytest.raises(ValueError, match="accession"):
        queue.finish(session=session, **lease(mine), result={"accession": "ML.1"})


def test_known_death_frees_at_once(url: str, ask: Ask) -> None:
    walk = ask()
    with writing(url) as session:
        worker_registry.record_heartbeat(session=session, name="me", pid=1, host="h")
    claim(url, "me")
    with writing(url) as session:
        worker_registry.mark_dead(session=session, name="me")
        assert worker_registry.list_alive(session=session) == []
    row = now_of(url, walk)
    assert (row.state, row.deaths) == (State.QUEUED, 1)


def test_place_in_the_queue(url: str, ask: Ask) -> None:
    running, first, second = ask(), ask(), ask()
    claim(url)
    with reading(url) as session:
        places = [
            walks.get_queue_position(session=session, walk_id=walk.id)
            for walk in (running, first, second)
        ]
        assert places == [0, 1, 2]
        assert walks.get_queue_position(session=session, walk_id="nobody") == 0
        assert [walk.id for walk in walks.list_active(session=session)] == [
            running.id,
            first.id,
            second.id,
        ]


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
