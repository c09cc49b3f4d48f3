"""Laws of stills: who asks anew waits for no older question, and what is known is not asked."""

from datetime import timedelta
from typing import Any

import pytest

from db import stills, worker_registry
from db.clock import utc_now
from db.models import State, Still
from db.session import reading, writing
from tests.support.walks import SPEC


def ask(url: str, t: float, maker: str = "ada", **settings: Any) -> str:
    with writing(url) as session:
        return stills.request(session=session, spec=SPEC | settings, leg=0, t=t, maker=maker)


def claim(url: str, owner: str = "one", model: str = "") -> str | None:
    with writing(url) as session:
        worker_registry.record_heartbeat(session=session, name=owner, pid=1, host="here")
        still = stills.claim(session=session, owner=owner, model=model)
        return still.id if still else None


def answer(url: str, still_id: str, owner: str = "one") -> bool:
    with writing(url) as session:
        return stills.finish(session=session, still_id=still_id, owner=owner, key="k" * 64)


def fail(url: str, still_id: str, owner: str = "one") -> bool:
    with writing(url) as session:
        return stills.fail(session=session, still_id=still_id, owner=owner, error="No memory.")


def now_of(url: str, still_id: str) -> Still | None:
    with reading(url) as session:
        return stills.get(session=session, still_id=still_id)


def age(url: str, still_id: str, span: timedelta) -> None:
    with writing(url) as session:
        still = session.get_one(Still, still_id)
        still.created_at = still.finished_at = utc_now() - span


def test_question_is_claimed_and_answered(url: str) -> None:
    still_id = ask(url, 0.25)
    assert claim(url) == still_id
    assert claim(url) is None
    assert answer(url, still_id)
    done = now_of(url, still_id)
    assert done is not None
    assert (done.state, done.key, done.error) == (State.DONE, "k" * 64, "")
    assert (done.spec, done.leg, done.t) == (SPEC, 0, 0.25)


def test_who_asks_anew_waits_for_no_older_question(url: str) -> None:
    older, other, newer = ask(url, 0.1), ask(url, 0.2, "bob"), ask(url, 0.3)
    assert now_of(url, older) is None
    assert [claim(url), claim(url), claim(url)] == [other, newer, None]


def test_question_that_is_being_answered_is_not_dropped(url: str) -> None:
    begun = ask(url, 0.1)
    claim(url)
    ask(url, 0.2)
    assert answer(url, begun)


def test_same_question_gives_the_same_still(url: str) -> None:
    waiting = ask(url, 0.1)
    assert ask(url, 0.1) == waiting
    claim(url)
    assert ask(url, 0.1, "bob") == waiting
    answer(url, waiting)
    assert ask(url, 0.1, "bob") == waiting


@pytest.mark.parametrize("other", [{"t": 0.2}, {"t": 0.1, "steps": 20}])
def test_another_question_gives_another_still(url: str, other: dict[str, Any]) -> None:
    answered = ask(url, 0.1)
    claim(url)
    answer(url, answered)
    assert ask(url, **other) != answered


def test_question_of_another_maker_is_asked_again_since_it_may_be_dropped(url: str) -> None:
    assert ask(url, 0.1) != ask(url, 0.1, "bob")


def test_failure_is_no_answer(url: str) -> None:
    failed = ask(url, 0.1)
    claim(url)
    assert fail(url, failed)
    still = now_of(url, failed)
    assert still is not None
    assert (still.state, still.error) == (State.FAILED, "No memory.")
    assert ask(url, 0.1) != failed


def test_old_answer_is_not_given_again(url: str) -> None:
    """The frame cache may have dropped the picture."""
    answered = ask(url, 0.1)
    claim(url)
    answer(url, answered)
    age(url, answered, stills.REUSE_WINDOW + timedelta(minutes=1))
    assert ask(url, 0.1) != answered
    assert now_of(url, answered) is not None


def test_stills_are_swept_out_after_a_day(url: str) -> None:
    answered = ask(url, 0.1)
    claim(url)
    answer(url, answered)
    age(url, answered, timedelta(hours=25))
    ask(url, 0.2)
    assert now_of(url, answered) is None


def test_claim_may_name_its_model(url: str) -> None:
    still_id = ask(url, 0.1, model="other")
    assert claim(url, model="atelier") is None
    assert claim(url, model="other") == still_id


def test_only_who_claimed_it_answers_and_only_once(url: str) -> None:
    still_id = ask(url, 0.1)
    assert not answer(url, still_id)
    claim(url)
    assert not answer(url, still_id, "two")
    assert answer(url, still_id)
    assert not fail(url, still_id)


def test_still_of_a_dead_worker_fails_and_that_of_a_living_one_does_not(url: str) -> None:
    orphan = ask(url, 0.1)
    claim(url, "one")
    kept = ask(url, 0.2)
    claim(url, "two")
    with writing(url) as session:
        worker_registry.mark_dead(session=session, name="one")
    assert claim(url, "three") is None
    failed, still = now_of(url, orphan), now_of(url, kept)
    assert failed is not None
    assert still is not None
    assert (failed.state, "ask for it again" in failed.error) == (State.FAILED, True)
    assert still.state is State.RUNNING
