"""Laws of claims and leases: no walk is lost or claimed twice, and lost leases write nothing."""

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from db import queue, walks, worker_registry
from db.models import State, Walk
from db.queue import LeaseStatus
from db.session import reading, writing

ROOT = Path(__file__).resolve().parents[2]
EnqueueWalk = Callable[..., Walk]

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


def renew(url: str, walk: Walk | None, **values: Any) -> LeaseStatus:
    with writing(url) as session:
        return queue.renew_lease(session=session, **lease(walk), lease_seconds=60, **values)


def read_row(url: str, walk: Walk) -> Walk:
    with reading(url) as session:
        row = walks.get(session=session, walk_id=walk.id)
    assert row is not None
    return row


def test_lease_given_by_a_clock_far_ahead_runs_out_now(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    claim(url, "dead", lease_seconds=400 * 24 * 3600)
    assert lease(claim(url, "heir")) == {"walk_id": walk.id, "owner": "heir", "attempt": 2}


def test_reasons_of_retries_are_kept(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    claim(url, "one", lease_seconds=-1)
    claim(url, "two")
    with writing(url) as session:
        worker_registry.mark_dead(session=session, name="two")
    troubles = read_row(url, walk).troubles
    assert [(one["attempt"], one["reason"]) for one in troubles] == [
        (1, "Worker one was not heard of any more"),
        (2, "Worker two died"),
    ]
    assert all(datetime.fromisoformat(one["at"]).tzinfo for one in troubles)


def test_processes_never_claim_the_same_walk(url: str, enqueue_walk: EnqueueWalk) -> None:
    queued = {enqueue_walk().id for _ in range(60)}
    claimers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM_ALL, url, name], cwd=ROOT, stdout=subprocess.PIPE
        )
        for name in ("one", "two", "three")
    ]
    claimed = [line for claimer in claimers for line in claimer.communicate()[0].decode().split()]
    assert len(claimed) == len(queued)
    assert set(claimed) == queued


def test_claimed_walk_runs_under_its_lease(url: str, enqueue_walk: EnqueueWalk) -> None:
    enqueue_walk()
    walk = claim(url, "me")
    assert walk is not None
    assert (walk.state, walk.owner, walk.attempt) == (State.RUNNING, "me", 1)
    assert walk.lease_until is not None
    assert walk.started_at is not None
    assert (walk.lease_until - walk.started_at).total_seconds() == 60


def test_lost_lease_brings_the_walk_back(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    dead = claim(url, "dead", lease_seconds=-1)
    again = claim(url, "heir")
    assert lease(again) == {"walk_id": walk.id, "owner": "heir", "attempt": 2}
    assert dead is not None


def test_heartbeat_keeps_the_lease(url: str, enqueue_walk: EnqueueWalk) -> None:
    enqueue_walk()
    mine = claim(url, "me", lease_seconds=-1)
    assert renew(url, mine) is LeaseStatus.HELD
    assert claim(url, "thief") is None


def test_heartbeat_carries_the_progress(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    mine = claim(url)
    renew(url, mine, stage="frames", progress=[[0, "k0"], [23, "k23"]])
    renew(url, mine)
    row = read_row(url, walk)
    assert (row.stage, row.progress) == ("frames", [[0, "k0"], [23, "k23"]])


def test_third_death_fails_the_walk_with_the_reason(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    for _ in range(3):
        assert claim(url, "dead", lease_seconds=-1) is not None
    assert claim(url, "heir") is None
    row = read_row(url, walk)
    assert row.state is State.FAILED
    assert "3 times" in row.error
    assert row.finished_at is not None


def test_giving_back_does_not_count_as_a_death(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    for _ in range(5):
        mine = claim(url)
        with writing(url) as session:
            assert queue.give_back(session=session, **lease(mine))
    row = read_row(url, walk)
    assert (row.state, row.deaths, row.owner, row.stage) == (State.QUEUED, 0, None, "")


@pytest.mark.parametrize("word", ["renew_lease", "finish", "fail", "confirm_cancel", "give_back"])
def test_lost_lease_changes_nothing(url: str, enqueue_walk: EnqueueWalk, word: str) -> None:
    walk = enqueue_walk()
    late = claim(url, "late", lease_seconds=-1)
    claim(url, "heir")
    before = read_row(url, walk)
    words: dict[str, dict[str, Any]] = {
        "renew_lease": {"lease_seconds": 60, "progress": [[9, "late"]]},
        "finish": {"result": {"sha256": "late"}},
        "fail": {"error": "late"},
    }
    with writing(url) as session:
        answer = getattr(queue, word)(session=session, **lease(late), **words.get(word, {}))
    assert answer in (False, LeaseStatus.LOST)
    after = read_row(url, walk)
    assert (after.state, after.owner, after.attempt) == (State.RUNNING, "heir", 2)
    assert (after.progress, after.sha256, after.error) == (before.progress, "", "")


def test_own_earlier_attempt_is_a_lost_lease(url: str, enqueue_walk: EnqueueWalk) -> None:
    enqueue_walk()
    first = claim(url, "me", lease_seconds=-1)
    claim(url, "me")
    assert renew(url, first) is LeaseStatus.LOST


def test_lease_of_another_owner_is_refused(url: str, enqueue_walk: EnqueueWalk) -> None:
    enqueue_walk()
    others = lease(claim(url, "me")) | {"owner": "you"}
    with writing(url) as session:
        assert not queue.finish(session=session, **others, result={})


def test_deleted_under_the_worker_is_lost(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    mine = claim(url)
    with writing(url) as session:
        session.delete(session.get_one(Walk, walk.id))
    assert renew(url, mine) is LeaseStatus.LOST


def test_cancel_of_a_waiting_walk_is_immediate(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    with writing(url) as session:
        assert walks.cancel(session=session, walk_id=walk.id)
    assert read_row(url, walk).state is State.CANCELLED
    assert claim(url) is None


def test_cancel_of_a_running_walk_asks_its_worker(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    mine = claim(url)
    assert renew(url, mine) is LeaseStatus.HELD
    with writing(url) as session:
        assert walks.cancel(session=session, walk_id=walk.id)
    assert read_row(url, walk).state is State.RUNNING
    assert renew(url, mine) is LeaseStatus.CANCEL_REQUESTED
    with writing(url) as session:
        assert queue.confirm_cancel(session=session, **lease(mine))
    assert read_row(url, walk).state is State.CANCELLED


def test_nothing_to_cancel_once_it_is_over(url: str, add_film: EnqueueWalk) -> None:
    walk = add_film()
    with writing(url) as session:
        assert not walks.cancel(session=session, walk_id=walk.id)
        assert not walks.cancel(session=session, walk_id="no such walk")
    assert read_row(url, walk).state is State.DONE


@pytest.mark.parametrize("end", ["dies", "leaves"])
def test_called_off_walk_does_not_come_back(url: str, enqueue_walk: EnqueueWalk, end: str) -> None:
    walk = enqueue_walk()
    mine = claim(url, "me")
    with writing(url) as session:
        walks.cancel(session=session, walk_id=walk.id)
        if end == "dies":
            worker_registry.mark_dead(session=session, name="me")
        else:
            queue.give_back(session=session, **lease(mine))
    assert read_row(url, walk).state is State.CANCELLED


def test_result_is_written_with_the_state(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    result = {"seconds": 1.5, "distances": [0.1, 0.2], "files": {"gif": "a.gif"}, "bytes": 2**40}
    mine = claim(url)
    with writing(url) as session:
        assert queue.finish(session=session, **lease(mine), result=result)
    row = read_row(url, walk)
    assert row.state is State.DONE
    assert {name: getattr(row, name) for name in result} == result
    assert (row.owner, row.lease_until) == (None, None)


def test_result_may_not_touch_other_columns(url: str, enqueue_walk: EnqueueWalk) -> None:
    enqueue_walk()
    mine = claim(url)
    with writing(url) as session, pytest.raises(ValueError, match="accession"):
        queue.finish(session=session, **lease(mine), result={"accession": "ML.1"})
