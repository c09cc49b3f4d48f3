"""Sign-in: who can cancel and delete a walk, checked on the server."""

from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from db.models import State, Walk
from momalisa.settings import settings
from momalisa.ui import sign_in, submit
from tests.support.pages import MakeWalk, UpdateWalk, Visit, all_text, press, stored_walk
from tests.support.waiting import PATIENCE

ISSUER = "https://id.test"


@pytest.fixture
def sign_in_configured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Configure sign-in, with admin@museum.test as an admin."""
    monkeypatch.setattr(sign_in, "is_configured", lambda: True)
    monkeypatch.setenv("MOMALISA_ADMINS", " admin@museum.test,other@museum.test ")
    settings.cache_clear()


def sign_in_as(monkeypatch: pytest.MonkeyPatch, email: str, **claims: Any) -> None:
    """Sign in as the account with this email."""
    account = {"is_logged_in": True, "iss": ISSUER, "sub": email, "email": email}
    monkeypatch.setattr(st, "user", {**account, "email_verified": True, **claims})


@pytest.fixture
def walk(
    enqueue_walk: MakeWalk,
    update_walk: UpdateWalk,
    sign_in_configured: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Walk:
    """A queued walk that maker@museum.test submitted."""
    sign_in_as(monkeypatch, "maker@museum.test")
    walk = enqueue_walk()
    update_walk(walk, maker=sign_in.maker_id())
    return stored_walk(walk.id)


def can_cancel(walk: Walk) -> bool:
    """Try to cancel the walk; whether that worked."""
    submit.cancel_walk(walk.id)
    return stored_walk(walk.id).state is State.CANCELLED


def test_the_maker_can_cancel(walk: Walk) -> None:
    assert can_cancel(walk)


def test_another_visitor_cannot_cancel(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    sign_in_as(monkeypatch, "stranger@museum.test")
    assert not can_cancel(walk)


def test_an_anonymous_visitor_has_no_cancel_button(
    visit: Visit, walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(st, "user", {"is_logged_in": False})
    at = visit("create", walk=walk.id)
    assert "Cancel" not in [button.label for button in at.button]


def test_the_same_subject_at_another_provider_is_another_account(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in_as(monkeypatch, "maker@museum.test", iss="https://elsewhere.test")
    assert not can_cancel(walk)


@pytest.mark.parametrize("claims", [{"email_verified": True}, {"email_verified": "true"}])
def test_an_admin_can_cancel(
    walk: Walk, monkeypatch: pytest.MonkeyPatch, claims: dict[str, Any]
) -> None:
    sign_in_as(monkeypatch, "Admin@museum.test", **claims)
    assert can_cancel(walk)


@pytest.mark.parametrize("verified", [False, "false", None, "", 0])
def test_an_unverified_email_is_no_admin(
    walk: Walk, monkeypatch: pytest.MonkeyPatch, verified: Any
) -> None:
    sign_in_as(monkeypatch, "admin@museum.test", email_verified=verified)
    assert not can_cancel(walk)


def test_an_admin_named_by_issuer_and_subject_needs_no_email(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOMALISA_ADMINS", f"other@museum.test, {ISSUER}|1234")
    settings.cache_clear()
    sign_in_as(monkeypatch, "", iss="https://elsewhere.test", sub="1234")
    assert not can_cancel(walk)
    sign_in_as(monkeypatch, "", sub="1234", email_verified=False)
    assert can_cancel(walk)


@pytest.mark.parametrize("admins", ["", " , "])
def test_an_account_without_email_is_no_admin(
    walk: Walk, monkeypatch: pytest.MonkeyPatch, admins: str
) -> None:
    monkeypatch.setenv("MOMALISA_ADMINS", admins)
    settings.cache_clear()
    sign_in_as(monkeypatch, "")
    assert not can_cancel(walk)


def test_without_sign_in_every_visitor_can_cancel(enqueue_walk: MakeWalk) -> None:
    assert not sign_in.is_configured()
    assert can_cancel(enqueue_walk())


def test_the_delete_button_is_for_admins_not_for_strangers(
    visit: Visit, add_film: MakeWalk, sign_in_configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk = add_film()
    sign_in_as(monkeypatch, "stranger@museum.test")
    assert "Yes, delete it" not in button_labels(visit, walk)
    sign_in_as(monkeypatch, "admin@museum.test")
    assert "Yes, delete it" in button_labels(visit, walk)


def test_a_forged_press_deletes_nothing(
    visit: Visit, add_film: MakeWalk, sign_in_configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser can press what it was never shown, or what was shown before the rights ended."""
    walk = add_film()
    sign_in_as(monkeypatch, "admin@museum.test")
    at = visit("gallery", walk=walk.id)
    sign_in_as(monkeypatch, "stranger@museum.test")
    press(at, "Yes, delete it")
    assert stored_walk(walk.id).state is State.DONE


def button_labels(visit: Visit, walk: Walk) -> list[str]:
    return [button.label for button in visit("gallery", walk=walk.id).button]


@pytest.mark.parametrize(
    ("secrets", "offered"),
    [("", False), ("[other]\nkey = 1", False), ("[auth]\nkey = 1", True), ("[auth", True)],
)
def test_sign_in_is_configured_by_auth_or_damaged_secrets(
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


def sign_in_script() -> None:
    """Run the page; the source of a script for AppTest."""
    from momalisa.ui import account

    account.show_page()


def test_incomplete_secrets_are_reported() -> None:
    at = press(AppTest.from_function(sign_in_script, default_timeout=PATIENCE).run(), "Sign in")
    assert "Nobody can sign in just now" in at.error[0].value


def test_the_page_states_the_visitors_rights(
    sign_in_configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for who, right in (("maker", "the walks you made"), ("admin", "every walk")):
        sign_in_as(monkeypatch, f"{who}@museum.test")
        at = AppTest.from_function(sign_in_script, default_timeout=PATIENCE).run()
        assert f"You are {who}@museum.test." in all_text(at)
        assert right in all_text(at)


def test_an_admin_s_page_says_how_the_app_is(
    sign_in_configured: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who runs a gallery had to sit at its machine for that."""
    for who, is_told in (("maker", False), ("admin", True)):
        sign_in_as(monkeypatch, f"{who}@museum.test")
        at = AppTest.from_function(sign_in_script, default_timeout=PATIENCE).run()
        shown = [*at.error, *at.text]
        for sentence in ("No worker is alive, so no film is made.", "The disks have room."):
            assert any(sentence in one.value for one in shown) == is_told
