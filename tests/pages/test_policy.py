"""What a visitor may do, in the core, on every page and on every route."""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import streamlit as st
from starlette.applications import Starlette
from streamlit.testing.v1 import AppTest

from db import curation, votes
from db.models import Walk
from db.session import reading, writing
from momalisa.settings import Settings, settings
from momalisa.storage import app_url
from momalisa.ui import history, policy, sign_in, submit
from momalisa.ui.http import live, media, stills
from momalisa.ui.policy import Action, NotAllowed, Visitor
from tests.support import asgi
from tests.support.pages import MakeWalk, Visit, all_walks, stored_walk, texts, type_prompts, widget
from tests.support.sign_in import cookie_of, write_secrets

A = Action
TAKES_PART = {A.VIEW, A.MAKE, A.VOTE}
MAY: dict[str, tuple[set[Action], set[Action]]] = {
    "none": (set(), set()),
    "view": ({A.VIEW}, {A.VIEW}),
    "make": (TAKES_PART, TAKES_PART | {A.ANNOTATE, A.DELETE}),
    "member": (TAKES_PART | {A.ANNOTATE}, TAKES_PART | {A.ANNOTATE, A.DELETE}),
    "all": (set(A), set(A)),
}
"""By role: what it may do to the walks of others, and to its own."""
MEMBER = {"iss": "https://id.test", "sub": "1", "email": "a@museum.test", "email_verified": True}
ANONYMOUS = {"is_logged_in": False}


@pytest.mark.parametrize("role", MAY)
def test_the_table_of_rights(role: str) -> None:
    others, own = MAY[role]
    visitor = Visitor(role, "me")
    for action in Action:
        assert policy.allows(visitor, action, "you") is (action in others)
        assert policy.allows(visitor, action, "me") is (action in own)
        assert policy.allows(visitor, action) is (action in others)


def test_walks_without_a_known_maker_belong_to_no_visitor() -> None:
    assert not policy.allows(Visitor("member", ""), A.DELETE, "")


@pytest.mark.parametrize(
    ("claims", "signs_in", "visitors", "role"),
    [
        (None, False, "", "all"),
        (None, True, "", "view"),
        (None, True, "none", "none"),
        (None, False, "make", "make"),
        (MEMBER, True, "none", "member"),
        ({**MEMBER, "sub": "admin"}, True, "", "all"),
    ],
)
def test_roles(claims: Mapping[str, Any] | None, signs_in: bool, visitors: Any, role: str) -> None:
    chosen = Settings(visitors=visitors, admins="https://id.test|admin")
    assert policy.role_of(claims, sign_in=signs_in, settings=chosen) == role


@pytest.mark.parametrize("email", ["kevin@strasse.test", "KEVIN@STRASSE.TEST"])
def test_an_admin_s_address_is_known_in_small_letters_and_capitals(email: str) -> None:
    assert policy.is_admin({**MEMBER, "email": email}, "Kevin@strasse.test")


@pytest.mark.parametrize("email", ["\u212aevin@strasse.test", "kevin@stra\u00dfe.test"])
def test_an_address_that_only_looks_like_an_admin_s_is_another(email: str) -> None:
    """Unicode folds the Kelvin sign to k and a sharp s to ss, in other people's addresses."""
    assert not policy.is_admin({**MEMBER, "email": email}, "kevin@strasse.test")


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sign-in is configured, and the visitor has not signed in."""
    write_secrets(monkeypatch)
    monkeypatch.setattr(st, "user", ANONYMOUS)


def labels(at: AppTest) -> set[str]:
    return {button.label for button in at.button}


def test_an_anonymous_visitor_can_look_only(
    guarded: None, visit: Visit, add_film: MakeWalk
) -> None:
    """Formerly sign-in was no gate: anybody could rename and submit walks."""
    film, other = add_film(), add_film("a moon", "a hill")
    assert "Walk" not in labels(visit("create"))
    assert not [label for label in labels(visit("home")) if label == "Square to sea"]
    at = visit("gallery", walk=film.id)
    assert not {"Remix", "Yes, delete it", "Use prompts"} & labels(at)
    for kind, label in (("text_input", "Title"), ("text_area", "Notes"), ("toggle", "Star")):
        assert widget(at, kind, label).disabled
    assert "Vote blind" not in labels(visit("compare", a=film.id, b=other.id))
    assert "Walk both ways" not in labels(visit("compare"))
    assert policy.REFUSED[A.MAKE] in texts(visit("create"))


def test_a_forged_press_changes_nothing(
    guarded: None, visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser can press what it was never shown, or what was shown before the rights ended."""
    film, other = add_film(), add_film("a moon", "a hill")
    with writing(settings().database) as session:
        curation.set_tags(session=session, walk_id=film.id, tags=["sea"])
    monkeypatch.setattr(st, "user", {"is_logged_in": True, **MEMBER})
    create = type_prompts(visit("create"), "a mask", "a sea")
    at = visit("gallery", walk=film.id)
    ballot = visit("compare", a=film.id, b=other.id, blind="yes")
    monkeypatch.setattr(st, "user", ANONYMOUS)
    for kind, label, value in (
        ("text_input", "Title", "Mine"),
        ("text_area", "Notes", "Mine"),
        ("toggle", "Star", True),
        ("multiselect", "Tags", []),
    ):
        widget(at, kind, label).set_value(value).run()
        assert policy.REFUSED[A.ANNOTATE] in [toast.value for toast in at.toast]
        at = signed_in(monkeypatch, lambda: visit("gallery", walk=film.id))
    widget(create, "button", "Walk").click().run()
    widget(ballot, "button", "First film").click().run()
    after = stored_walk(film.id)
    assert (after.title, after.notes, after.star) == (film.title, "", False)
    assert list(after.tags) == ["sea"]
    with reading(settings().database) as session:
        assert sum(votes.tally(session=session, one=film.id, other=other.id)) == 0
    with pytest.raises(NotAllowed, match="please sign in"):
        submit.submit_remix(film)
    assert len(all_walks()) == 2


def signed_in(monkeypatch: pytest.MonkeyPatch, action: Callable[[], AppTest]) -> AppTest:
    """Do something as a member, and sign out."""
    monkeypatch.setattr(st, "user", {"is_logged_in": True, **MEMBER})
    at = action()
    monkeypatch.setattr(st, "user", ANONYMOUS)
    return at


def test_a_member_may_annotate_and_a_stranger_may_with_a_setting(
    guarded: None, visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = add_film()
    monkeypatch.setattr(st, "user", {"is_logged_in": True, **MEMBER})
    widget(visit("gallery", walk=film.id), "text_area", "Notes").set_value("Fine").run()
    assert stored_walk(film.id).notes == "Fine"
    monkeypatch.setattr(st, "user", ANONYMOUS)
    monkeypatch.setenv("MOMALISA_VISITORS", "make")
    settings.cache_clear()
    assert "Walk" in labels(visit("create"))
    assert widget(visit("gallery", walk=film.id), "text_area", "Notes").disabled


def test_a_members_only_gallery_shows_the_way_in(
    guarded: None, visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = add_film()
    monkeypatch.setenv("MOMALISA_VISITORS", "none")
    settings.cache_clear()
    for page in ("home", "gallery", "create", "compare", "insight", "exhibition"):
        at = visit(page, walk=film.id)
        assert policy.REFUSED[A.VIEW] in texts(at)
        assert labels(at) == {"Sign in"}
        assert film.title not in "\n".join(texts(at))


ROUTES: list[tuple[str, str, tuple[bytes, ...]]] = [
    ("/pictures/settings", "name=walk.json", (b"{}",)),
    ("/pictures/stops", "name=a.png", (b"no picture",)),
    ("/pictures/stops/work", "museum=louvre&id=1", (b"",)),
    ("/pictures/museums/search", "museum=louvre&q=sea", ()),
    ("/pictures/museums/thumbnail", "museum=louvre&id=1", ()),
    (stills.PATH, "", ()),
    (live.PATH, "", ()),
]
"""Paths, query strings and bodies of the routes that make something."""


def status(
    path: str, query: str = "", parts: tuple[bytes, ...] = (), cookie: str = ""
) -> tuple[int, str]:
    """The status of a request, and the cache rule of its answer."""
    app = Starlette(routes=[*media.ROUTES, *stills.ROUTES, *live.ROUTES])
    sent = asyncio.run(asgi.request(path, query, parts, app, {"cookie": cookie}))
    return sent[0], sent[1].get("cache-control", "")


def urls_of(walk: Walk) -> list[str]:
    """The routes that show a film."""
    frame = "/pictures/frames/" + 64 * "0" + ".png"
    table = "/pictures/films.csv"
    return [history.file_url(walk, "gif"), f"/pictures/walks/{walk.id}.webp", frame, table]


def test_routes_know_who_is_signed_in(
    guarded: None, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = add_film()
    cookie = cookie_of({"is_logged_in": True, **MEMBER})
    forged = cookie_of({"is_logged_in": True, **MEMBER}, secret="another secret of this length")
    for route in ROUTES:
        assert status(*route)[0] == status(*route, cookie=forged)[0] == 403
        assert status(*route, cookie="_streamlit_user=x; _streamlit_user_1=\xff")[0] == 403
        assert status(*route, cookie=cookie)[0] in (404, 422)
    assert all(status(url)[0] != 403 for url in urls_of(film))
    assert status(app_url(film.files["gif"]))[1].startswith("public")
    monkeypatch.setenv("MOMALISA_VISITORS", "none")
    settings.cache_clear()
    assert all(status(url)[0] == 403 for url in urls_of(film))
    assert status(app_url(film.files["gif"]), cookie=cookie) == (
        200,
        "private, max-age=31536000, immutable",
    )


def test_a_long_cookie_in_several_parts_is_read(guarded: None) -> None:
    cookie = cookie_of({"is_logged_in": True, **MEMBER, "picture": secrets.token_hex(9000)})
    assert "_streamlit_user_1" in cookie
    assert status(*ROUTES[0], cookie=cookie)[0] == 422


def test_without_sign_in_whoever_was_let_in_may_do_all(add_film: MakeWalk) -> None:
    assert not sign_in.is_configured()
    assert all(status(*route)[0] != 403 for route in ROUTES)
