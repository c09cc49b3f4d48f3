"""Laws of retries: progress forgives deaths, and faults of a machine fail no walk in a hurry."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from db import queue, walks
from db.models import State, Walk
from db.queue import LeaseStatus
from db.session import reading, writing
from tests.support.walks import lease_of

EnqueueWalk = Callable[..., Walk]
FINISHED = [[place, f"k{place}"] for place in range(24)]
ROUGH = [[place, f"r{place}", "rough"] for place in range(24)]


def claim(url: str, *, lease_seconds: float = 60) -> Walk:
    with writing(url) as session:
        walk = queue.claim(session=session, owner="me", lease_seconds=lease_seconds)
    assert walk is not None
    return walk


def nothing_is_due(url: str) -> bool:
    with writing(url) as session:
        return queue.claim(session=session, owner="other", lease_seconds=60) is None


def die(url: str, progress: list[Any] | None = None) -> None:
    """Claim the next walk, report progress, and stop without a word."""
    walk = claim(url)
    with writing(url) as session:
        status = queue.renew_lease(
            session=session, **lease_of(walk), lease_seconds=-1, progress=progress
        )
    assert status is LeaseStatus.HELD


def put_back(url: str, walk: Walk, **changes: Any) -> bool:
    options: dict[str, Any] = {"reason": "CUDA error", "pause": (0.0, 0.0)}
    with writing(url) as session:
        return queue.put_back(session=session, **lease_of(walk), **options | changes)


def read_row(url: str, walk: Walk) -> Walk:
    with reading(url) as session:
        return session.get_one(Walk, walk.id)


def test_deaths_of_a_walk_that_advanced_each_time_do_not_fail_it(
    url: str, enqueue_walk: EnqueueWalk
) -> None:
    """It failed with "The worker died 3 times" at 180 of 240 frames."""
    walk = enqueue_walk()
    for count in (6, 12, 18, 20, 22):
        die(url, FINISHED[:count])
    again = claim(url)
    assert (again.id, again.deaths) == (walk.id, 1)
    assert [one["frames"] for one in again.troubles] == [6, 12, 18, 20, 22]


def test_pictures_of_a_survey_are_progress(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    for count in (2, 4, 6, 8):
        die(url, ROUGH[:count])
    assert claim(url).id == walk.id


def test_third_death_at_the_same_frame_fails(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    for _ in range(3):
        die(url, FINISHED[:6])
    assert nothing_is_due(url)
    assert read_row(url, walk).state is State.FAILED


def test_frames_read_again_from_the_cache_are_no_progress(
    url: str, enqueue_walk: EnqueueWalk
) -> None:
    walk = enqueue_walk()
    for count in (6, 3, 5):
        die(url, FINISHED[:count])
    assert nothing_is_due(url)
    assert read_row(url, walk).state is State.FAILED


def test_walk_put_back_keeps_its_turn_and_its_frames(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk, later = enqueue_walk(), enqueue_walk()
    mine = claim(url)
    with writing(url) as session:
        queue.renew_lease(
            session=session, **lease_of(mine), lease_seconds=60, progress=FINISHED[:5]
        )
    assert put_back(url, mine)
    row = read_row(url, walk)
    assert (row.state, row.owner, row.stage, row.deaths) == (State.QUEUED, None, "", 0)
    assert (row.turn, row.due, row.progress) == (walk.turn, walk.due, FINISHED[:5])
    assert (row.machine_failures, row.troubles[-1]["reason"]) == (1, "CUDA error")
    assert [claim(url).id, claim(url).id] == [walk.id, later.id]


def test_walk_put_back_waits_longer_each_time_and_lets_others_pass(
    url: str, enqueue_walk: EnqueueWalk
) -> None:
    walk = enqueue_walk()
    pauses = []
    for _ in range(4):
        mine = claim(url)
        before = datetime.now(UTC)
        assert put_back(url, mine, pause=(100.0, 700.0))
        row = read_row(url, walk)
        assert row.not_before is not None
        pauses.append(round((row.not_before - before).total_seconds() / 100))
        assert nothing_is_due(url)
        with writing(url) as session:
            session.get_one(Walk, walk.id).not_before = before
    assert pauses == [1, 4, 7, 7]
    other = enqueue_walk()
    put_back(url, claim(url), pause=(100.0, 100.0))
    assert claim(url).id == other.id


def test_pause_after_a_thousand_faults_is_the_longest(url: str, enqueue_walk: EnqueueWalk) -> None:
    """After 513 tries, some days of an outage, the pause could not be computed."""
    walk = enqueue_walk()
    with writing(url) as session:
        session.get_one(Walk, walk.id).machine_failures = 1000
    assert put_back(url, claim(url), pause=(5.0, 600.0))
    assert nothing_is_due(url)


def test_faults_of_another_kind_do_not_count(url: str, enqueue_walk: EnqueueWalk) -> None:
    """A walk that had outlasted an outage failed at the first fault of a device."""
    walk = enqueue_walk()
    for _ in range(6):
        put_back(url, claim(url), kind="passing")
    for _ in range(2):
        put_back(url, claim(url), kind="device", most_tries=3)
        assert read_row(url, walk).state is State.QUEUED
    put_back(url, claim(url), kind="passing", most_tries=8)
    put_back(url, claim(url), kind="device", most_tries=3)
    assert read_row(url, walk).state is State.FAILED


def test_pause_far_ahead_is_over_after_the_clock_was_put_back(
    url: str, enqueue_walk: EnqueueWalk
) -> None:
    walk = enqueue_walk()
    with writing(url) as session:
        session.get_one(Walk, walk.id).not_before = datetime.now(UTC) + timedelta(days=400)
    assert claim(url).id == walk.id


def test_last_try_fails_with_the_sentence(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    for number in range(3):
        assert put_back(url, claim(url), most_tries=3, error="Too bad.")
        assert read_row(url, walk).state is (State.FAILED if number == 2 else State.QUEUED)
    row = read_row(url, walk)
    assert (row.error, row.machine_failures) == ("Too bad.", 3)
    assert row.finished_at is not None


def test_new_frames_give_a_walk_all_its_tries_again(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    for count in range(1, 9):
        mine = claim(url)
        with writing(url) as session:
            queue.renew_lease(
                session=session, **lease_of(mine), lease_seconds=60, progress=FINISHED[:count]
            )
        put_back(url, mine, most_tries=2, error="Too bad.")
    row = read_row(url, walk)
    assert (row.state, row.machine_failures) == (State.QUEUED, 1)


def test_without_a_limit_a_walk_is_tried_for_ever(url: str, enqueue_walk: EnqueueWalk) -> None:
    walk = enqueue_walk()
    for _ in range(12):
        put_back(url, claim(url))
    assert read_row(url, walk).state is State.QUEUED


def test_walk_put_back_is_cancelled_if_that_was_requested(
    url: str, enqueue_walk: EnqueueWalk
) -> None:
    walk = enqueue_walk()
    mine = claim(url)
    with writing(url) as session:
        walks.cancel(session=session, walk_id=walk.id)
    assert put_back(url, mine)
    assert read_row(url, walk).state is State.CANCELLED


def test_lost_lease_puts_nothing_back(url: str, enqueue_walk: EnqueueWalk) -> None:
    enqueue_walk()
    late = claim(url, lease_seconds=-1)
    heir = claim(url)
    assert not put_back(url, late)
    assert read_row(url, heir).owner == "me"


def test_next_retry_is_told(url: str, enqueue_walk: EnqueueWalk) -> None:
    with reading(url) as session:
        assert queue.seconds_to_retry(session=session) is None
    enqueue_walk()
    put_back(url, claim(url), pause=(100.0, 100.0))
    with reading(url) as session:
        seconds = queue.seconds_to_retry(session=session)
    assert seconds is not None
    assert 50 < seconds <= 100
