"""Signing in: who may call off and delete a walk, whatever the browser sends."""

from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from db.models import State, Walk
from momalisa.settings import settings
from momalisa.ui import sign_in, submit
from tests.support.pages import MakeWalk, UpdateWalk, Visit, all_text, press, stored_walk

ISSUER = "https://id.test"


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A house where one can sign in; admin@museum.test is an admin."""
    monkeypatch.setattr(sign_in, "is_configured", lambda: True)
    monkeypatch.setenv("MOMALISA_ADMINS", " admin@museum.test,other@museum.test ")
    settings.cache_clear()


def be(monkeypatch: pytest.MonkeyPatch, email: str, **claims: Any) -> None:
    """Sign in."""
    account = {"is_logged_in": True, "iss": ISSUER, "sub": email, "email": email}
    monkeypatch.setattr(st, "user", account | claims)


@pytest.fixture
def walk(
    enqueue_walk: MakeWalk, update_walk: UpdateWalk, guarded: None, monkeypatch: pytest.MonkeyPatch
) -> Walk:
    """A walk in the queue that maker@museum.test asked for."""
    be(monkeypatch, "maker@museum.test")
    walk = enqueue_walk()
    update_walk(walk, maker=submit.maker_id())
    return stored_walk(walk.id)


def may_call_off(walk: Walk) -> bool:
    submit.cancel_walk(walk.id)
    return stored_walk(walk.id).state is State.CANCELLED


def test_its_maker_may(walk: Walk) -> None:
    assert may_call_off(walk)


def test_a_stranger_may_not(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    be(monkeypatch, "stranger@museum.test")
    assert not may_call_off(walk)


def test_who_has_not_signed_in_may_not(
    visit: Visit, walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "user", {"is_logged_in": False})
    at = visit("create", walk=walk.id)
    assert "Cancel" not in [button.label for button in at.button]


def test_the_same_name_at_another_provider_is_somebody_else(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    be(monkeypatch, "maker@museum.test", iss="https://elsewhere.test")
    assert not may_call_off(walk)


@pytest.mark.parametrize("claims", [{}, {"email_verified": True}, {"email_verified": "true"}])
def test_an_admin_may(walk: Walk, monkeypatch: pytest.MonkeyPatch, claims: dict[str, Any]) -> None:
    be(monkeypatch, "Admin@museum.test", **claims)
    assert may_call_off(walk)


def test_an_address_that_is_called_unverified_makes_no_admin(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    be(monkeypatch, "admin@museum.test", email_verified=False)
    assert not may_call_off(walk)


@pytest.mark.parametrize("admins", ["", " , "])
def test_an_account_without_address_is_no_admin(
    walk: Walk, monkeypatch: pytest.MonkeyPatch, admins: str
) -> None:
    monkeypatch.setenv("MOMALISA_ADMINS", admins)
    settings.cache_clear()
    be(monkeypatch, "")
    assert not may_call_off(walk)


def test_where_nobody_can_sign_in_everybody_may(enqueue_walk: MakeWalk) -> None:
    assert not sign_in.is_configured()
    assert may_call_off(enqueue_walk())


def test_a_film_is_not_offered_to_strangers_for_deletion(
    visit: Visit, add_film: MakeWalk, guarded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = add_film()
    be(monkeypatch, "stranger@museum.test")
    assert "Yes, delete it" not in labels(visit, walk)
    be(monkeypatch, "admin@museum.test")
    assert "Yes, delete it" in labels(visit, walk)


def labels(visit: Visit, walk: Walk) -> list[str]:
    return [button.label for button in visit("gallery", walk=walk.id).button]


@pytest.mark.parametrize(
    ("secrets", "offered"),
    [("", False), ("[other]\nkey = 1", False), ("[auth]\nkey = 1", True), ("[auth", True)],
)
def test_one_can_sign_in_where_auth_stands_in_the_secrets_or_they_are_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, secrets: str, offered: bool
) -> None:
    path = tmp_path / "secrets.toml"
    path.write_text(secrets)
    option = st.get_option

    def files(name: str) -> Any:
        return [str(path)] if name == "secrets.files" else option(name)

    monkeypatch.setattr(st, "secrets", type(st.secrets)())
    monkeypatch.setattr(st, "get_option", files)
    monkeypatch.setattr("streamlit.config.get_option", files)
    assert sign_in.is_configured() == offered


def desk() -> None:
    """The page as a script."""
    from momalisa.ui import sign_in

    sign_in.show_page()


def test_secrets_that_are_not_whole_get_a_sentence() -> None:
    at = press(AppTest.from_function(desk).run(), "Sign in")
    assert "Nobody can sign in just now" in at.error[0].value


def test_an_admin_is_told_so(guarded: None, monkeypatch: pytest.MonkeyPatch) -> None:
    for who, right in (("maker", "the walks you made"), ("admin", "every walk")):
        be(monkeypatch, f"{who}@museum.test")
        at = AppTest.from_function(desk).run()
        assert f"You are {who}@museum.test." in all_text(at)
        assert right in all_text(at)
