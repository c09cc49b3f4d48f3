"""Laws of stills: a new request drops the older one, and equal requests share a still."""

from datetime import timedelta
from typing import Any

import pytest

from db import stills, worker_registry
from db.clock import utc_now
from db.models import State, Still
from db.queue_limits import QueueFull
from db.session import reading, writing
from db.stills import StillLimits
from tests.support.walks import SPEC


def request_still(url: str, t: float, maker: str = "ada", **settings: Any) -> str:
    with writing(url) as session:
        return stills.request(session=session, spec=SPEC | settings, leg=0, t=t, maker=maker)


def claim(url: str, owner: str = "one", model: str = "") -> str | None:
    with writing(url) as session:
        worker_registry.record_heartbeat(session=session, name=owner, pid=1, host="here")
        still = stills.claim(session=session, owner=owner, model=model)
        return still.id if still else None


def finish(url: str, still_id: str, owner: str = "one") -> bool:
    with writing(url) as session:
        return stills.finish(session=session, still_id=still_id, owner=owner, key="k" * 64)


def fail(url: str, still_id: str, owner: str = "one") -> bool:
    with writing(url) as session:
        return stills.fail(session=session, still_id=still_id, owner=owner, error="No memory.")


def read_still(url: str, still_id: str) -> Still | None:
    with reading(url) as session:
        return stills.get(session=session, still_id=still_id)


def age(url: str, still_id: str, span: timedelta) -> None:
    with writing(url) as session:
        still = session.get_one(Still, still_id)
        still.created_at = still.finished_at = utc_now() - span


def test_request_is_claimed_and_finished(url: str) -> None:
    still_id = request_still(url, 0.25)
    assert claim(url) == still_id
    assert claim(url) is None
    assert finish(url, still_id)
    done = read_still(url, still_id)
    assert done is not None
    assert (done.state, done.key, done.error) == (State.DONE, "k" * 64, "")
    assert (done.spec, done.leg, done.t) == (SPEC, 0, 0.25)


def test_new_request_of_a_maker_drops_the_older_one(url: str) -> None:
    older, other, newer = (
        request_still(url, 0.1),
        request_still(url, 0.2, "bob"),
        request_still(url, 0.3),
    )
    assert read_still(url, older) is None
    assert [claim(url), claim(url), claim(url)] == [other, newer, None]


def test_running_still_is_not_dropped(url: str) -> None:
    begun = request_still(url, 0.1)
    claim(url)
    request_still(url, 0.2)
    assert finish(url, begun)


def test_equal_requests_share_a_still(url: str) -> None:
    waiting = request_still(url, 0.1)
    assert request_still(url, 0.1) == waiting
    claim(url)
    assert request_still(url, 0.1, "bob") == waiting
    finish(url, waiting)
    assert request_still(url, 0.1, "bob") == waiting


@pytest.mark.parametrize("other", [{"t": 0.2}, {"t": 0.1, "steps": 20}])
def test_different_request_gets_another_still(url: str, other: dict[str, Any]) -> None:
    finished = request_still(url, 0.1)
    claim(url)
    finish(url, finished)
    assert request_still(url, **other) != finished


def test_queued_still_of_another_maker_is_not_shared_since_it_may_be_dropped(url: str) -> None:
    assert request_still(url, 0.1) != request_still(url, 0.1, "bob")


def test_failed_still_is_not_reused(url: str) -> None:
    failed = request_still(url, 0.1)
    claim(url)
    assert fail(url, failed)
    still = read_still(url, failed)
    assert still is not None
    assert (still.state, still.error) == (State.FAILED, "No memory.")
    assert request_still(url, 0.1) != failed


def test_old_still_is_not_reused(url: str) -> None:
    """The frame cache may have evicted the picture."""
    finished = request_still(url, 0.1)
    claim(url)
    finish(url, finished)
    age(url, finished, stills.REUSE_WINDOW + timedelta(minutes=1))
    assert request_still(url, 0.1) != finished
    assert read_still(url, finished) is not None


def test_stills_are_swept_out_after_a_day(url: str) -> None:
    finished = request_still(url, 0.1)
    claim(url)
    finish(url, finished)
    age(url, finished, timedelta(hours=25))
    request_still(url, 0.2)
    assert read_still(url, finished) is None


def stop_asking(url: str, *still_ids: str) -> None:
    """Let the last time at which these were asked for be long ago."""
    with writing(url) as session:
        for still_id in still_ids:
            session.get_one(Still, still_id).asked_at = utc_now() - stills.EXPIRY * 2


def test_abandoned_stills_do_not_stay_and_are_not_painted(url: str) -> None:
    """150 requests of browsers that were gone kept the worker busy."""
    abandoned = [request_still(url, 0.1, f"visitor {n}") for n in range(150)]
    waiting = request_still(url, 0.5)
    stop_asking(url, *abandoned)
    assert claim(url) == waiting
    assert not any(read_still(url, still_id) for still_id in abandoned)


def test_still_that_is_asked_for_again_stays(url: str) -> None:
    kept, abandoned = request_still(url, 0.1, "ada"), request_still(url, 0.1, "bob")
    stop_asking(url, kept, abandoned)
    with writing(url) as session:
        stills.ask_again(session=session, still_id=kept)
    assert [claim(url), claim(url)] == [kept, None]


def test_still_of_an_older_release_expires_by_its_age(url: str) -> None:
    old = request_still(url, 0.1)
    with writing(url) as session:
        still = session.get_one(Still, old)
        still.asked_at, still.created_at = None, utc_now() - stills.EXPIRY * 2
    assert claim(url) is None


def request_within(url: str, limits: StillLimits, maker: str) -> str:
    with writing(url) as session:
        return stills.request(session=session, spec=SPEC, leg=0, t=0.5, maker=maker, limits=limits)


def test_only_so_many_stills_wait(url: str) -> None:
    limits = StillLimits(each=1, local=2, total=2)
    first = request_within(url, limits, "ada")
    stop_asking(url, first)
    request_within(url, limits, "bob")
    request_within(url, limits, "eve")
    with pytest.raises(QueueFull):
        request_within(url, limits, "joe")


def test_only_so_many_stills_of_one_address_wait(url: str) -> None:
    """Sixteen requests of one address under sixteen names filled the queue of everybody."""
    limits = StillLimits(each=2, local=9, total=9)
    for name in ("ada", "bob"):
        request_within(url, limits, stills.maker_key("192.0.2.1", name))
    with pytest.raises(QueueFull):
        request_within(url, limits, stills.maker_key("192.0.2.1", "eve"))
    request_within(url, limits, stills.maker_key("192.0.2.1", "bob"))
    request_within(url, limits, stills.maker_key("192.0.2.2", "eve"))


def test_makers_of_unknown_address_share_a_part_of_the_queue(url: str) -> None:
    limits = StillLimits(each=2, local=3, total=9)
    for name in ("ada", "bob", "eve"):
        request_within(url, limits, stills.maker_key("", name))
    with pytest.raises(QueueFull):
        request_within(url, limits, stills.maker_key("", "joe"))
    request_within(url, limits, stills.maker_key("192.0.2.2", "joe"))


def test_addresses_are_served_in_turn(url: str) -> None:
    """A stream of requests of one address kept everybody else's waiting."""
    greedy = [
        request_still(url, n / 10, stills.maker_key("192.0.2.1", f"looker {n}")) for n in range(4)
    ]
    other = request_still(url, 0.5, stills.maker_key("192.0.2.2", "looker"))
    assert [claim(url) for _ in range(5)] == [greedy[0], other, *greedy[1:]]


def test_a_visitors_still_is_not_dropped_by_who_names_them_at_another_address(url: str) -> None:
    mine = request_still(url, 0.1, stills.maker_key("192.0.2.1", "ada"))
    request_still(url, 0.2, stills.maker_key("192.0.2.2", "ada"))
    assert claim(url) == mine


def test_claim_may_name_its_model(url: str) -> None:
    still_id = request_still(url, 0.1, model="other")
    assert claim(url, model="atelier") is None
    assert claim(url, model="other") == still_id


def test_only_the_claiming_worker_finishes_it_and_only_once(url: str) -> None:
    still_id = request_still(url, 0.1)
    assert not finish(url, still_id)
    claim(url)
    assert not finish(url, still_id, "two")
    assert finish(url, still_id)
    assert not fail(url, still_id)


def test_still_of_a_dead_worker_fails_and_that_of_a_living_one_does_not(url: str) -> None:
    orphan = request_still(url, 0.1)
    claim(url, "one")
    kept = request_still(url, 0.2)
    claim(url, "two")
    with writing(url) as session:
        worker_registry.mark_dead(session=session, name="one")
    assert claim(url, "three") is None
    failed, still = read_still(url, orphan), read_still(url, kept)
    assert failed is not None
    assert still is not None
    assert (failed.state, "ask for it again" in failed.error) == (State.FAILED, True)
    assert still.state is State.RUNNING
