"""Every page says in a sentence that no films are made, while all machines have faults."""

from datetime import UTC, datetime, timedelta

import pytest
import streamlit as st

from db import worker_registry
from db.session import writing
from momalisa.settings import settings
from momalisa.ui import machine_notice
from tests.support.pages import MakeWalk, UpdateWalk, Visit, texts
from tests.support.sign_in import write_secrets

PROBLEM = "The worker's disk is full. Please make some room."


def register(name: str, problem: str = "", pause_seconds: float = 0.0) -> None:
    with writing(settings().database) as session:
        worker_registry.record_heartbeat(session=session, name=name, pid=1, host="h")
        worker_registry.record_problem(
            session=session, name=name, failures=3, problem=problem, pause_seconds=pause_seconds
        )


@pytest.mark.parametrize("page", ["home", "create", "gallery", "compare", "insight"])
def test_every_page_tells_of_a_machine_that_is_not_well(visit: Visit, page: str) -> None:
    register("one", PROBLEM, 60)
    warnings = [warning.value for warning in visit(page).warning]
    assert len(warnings) == 1
    assert PROBLEM in warnings[0]
    assert "tried again in about" in warnings[0]
    assert "keep their place" in warnings[0]


@pytest.mark.parametrize(("account", "is_told"), [("", False), ("1", False), ("admin", True)])
def test_only_an_admin_is_told_what_a_machine_s_fault_is(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, account: str, is_told: bool
) -> None:
    """The sentence may name folders and buckets, and every visitor read it."""
    write_secrets(monkeypatch)
    monkeypatch.setenv("MOMALISA_ADMINS", "https://id.test|admin")
    settings.cache_clear()
    claims = {"iss": "https://id.test", "sub": account, "is_logged_in": bool(account)}
    monkeypatch.setattr(st, "user", claims)
    register("one", PROBLEM, 60)
    [warning] = visit("gallery").warning
    assert (PROBLEM in warning.value) == is_told
    assert "tried again in about" in warning.value


def test_museums_wall_does_not_tell_of_it(visit: Visit) -> None:
    register("one", PROBLEM, 60)
    assert not visit("exhibition").warning


def test_nothing_is_told_while_one_worker_is_well(visit: Visit) -> None:
    register("one", PROBLEM, 60)
    register("two")
    assert not visit("gallery").warning


def test_nothing_is_told_without_workers() -> None:
    assert machine_notice.find() == ""


def test_walk_says_when_it_is_tried_again(
    visit: Visit, enqueue_walk: MakeWalk, update_walk: UpdateWalk
) -> None:
    walk = enqueue_walk()
    update_walk(walk, not_before=datetime.now(UTC) + timedelta(seconds=300))
    shown = texts(visit("create", walk=walk.id))
    assert any("not your walk: it goes on in about 5 min" in text for text in shown)
