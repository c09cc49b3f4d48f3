"""Home, error messages, and redirects from unknown pages."""

import logging
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from streamlit.web.server.starlette.starlette_static_routes import (
    create_streamlit_static_assets_routes,
)

from db.error_messages import Locked
from momalisa.errors import BadInput
from momalisa.settings import settings
from momalisa.ui import error_display, example_film, sign_in
from momalisa.ui.create.presets import PRESETS
from momalisa.ui.http import media, not_found
from momalisa.ui.policy import NotAllowed
from tests.support.asgi import get
from tests.support.pages import (
    Visit,
    all_walks,
    component_data,
    picture_bytes,
    press,
    spec,
    texts,
    widget,
)


def test_home_links_to_create_and_gallery(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(example_film, "FILM_PATH", Path("nowhere.gif"))
    at = visit("home")
    assert at.title[0].value == "MOMA Lisa"
    assert [link.label for link in at.page_link] == ["Create a walk", "Browse the Gallery"]


def test_a_preset_on_home_submits_its_walk_with_one_click(visit: Visit) -> None:
    at = press(visit("home"), "Square to sea")
    (walk,) = all_walks()
    assert walk.prompts == list(PRESETS["Square to sea"])
    assert at.query_params["walk"] == walk.id
    assert "Next in the queue" in texts(at)
    assert widget(at, "text_input", "To").value == walk.prompts[1]


def test_home_shows_the_example_film_and_its_label(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "film.gif").write_bytes(picture_bytes("gif"))
    (tmp_path / "walk.json").write_text(spec("a moon", "a sea").model_dump_json())
    monkeypatch.setattr(example_film, "FILM_PATH", tmp_path / "film.gif")
    monkeypatch.setattr(example_film, "WALK_PATH", tmp_path / "walk.json")
    at = visit("home")
    assert component_data(at, "player")["films"][0]["url"].startswith("/pictures/example/film.gif?")
    assert "a moon → a sea" in [text.value for text in at.text]


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (BadInput("Please do it so."), "Please do it so."),
        (Locked.at("momalisa.db"), "Another program keeps the history locked"),
        (ZeroDivisionError("secret detail"), "nobody foresaw"),
    ],
)
def test_errors_are_shown_as_sentences_without_details(error: Exception, part: str) -> None:
    assert part in error_display.error_message(error)
    assert "secret" not in error_display.error_message(error)


@pytest.mark.parametrize("error", [BadInput("Too large:\nforged line."), NotAllowed("Sign in.")])
def test_a_refusal_is_one_line_of_the_log(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    @error_display.toast_errors
    def callback() -> None:
        raise error

    with caplog.at_level(logging.INFO):
        callback()
        error_display.show_error(error)
    records = [record for record in caplog.records if record.name == error_display.__name__]
    assert len(records) == 2
    for record in records:
        assert record.exc_info is None
        assert "\n" not in record.getMessage()


def test_an_unforeseen_error_is_logged_with_its_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    @error_display.toast_errors
    def callback() -> None:
        raise ZeroDivisionError

    with caplog.at_level(logging.INFO):
        callback()
    assert any(record.exc_info for record in caplog.records)


def test_a_refused_preset_opens_the_form_with_its_prompts(
    visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOMALISA_WALKS_TOTAL", "1")
    settings.cache_clear()
    press(visit("home"), "Square to sea")
    at = visit("home")
    (walk,) = all_walks()
    at.session_state["current_walk"] = walk.id
    other = next(name for name in PRESETS if name != "Square to sea")
    at = press(at, other)
    assert "walk" not in at.query_params
    assert widget(at, "text_input", "From").value == PRESETS[other][0]


def redirect_from(path: str, base: str = "") -> str | None:
    """The target of a redirect, with the app's routes and Streamlit's; None if there is none."""
    routes = [*media.ROUTES, *create_streamlit_static_assets_routes(base)]
    app = Starlette(routes=routes, middleware=[Middleware(not_found.redirect_unknown_pages)])
    return get(path, app=app)[1].get("location")


@pytest.mark.parametrize("base", ["", "/museum"])
@pytest.mark.parametrize(
    "path", ["/nosuch", "/nosuch/deeper", "/gallery/deeper", "/home", "/sign-in"]
)
def test_an_unknown_page_redirects_to_home(base: str, path: str) -> None:
    assert redirect_from(base + path, base) == f"{base}/?lost=yes"


@pytest.mark.parametrize("base", ["", "/museum"])
@pytest.mark.parametrize("path", ["/", "/create", "/exhibition", "/favicon.png"])
def test_known_paths_are_not_redirected(base: str, path: str) -> None:
    assert redirect_from(base + path, base) is None


def test_a_missing_file_is_not_redirected() -> None:
    assert redirect_from("/pictures/walks/nosuch.mp4") is None


def test_the_sign_in_page_is_known_if_sign_in_is_configured(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sign_in, "is_configured", lambda: True)
    assert redirect_from("/sign-in") is None


def test_home_shows_a_notice_after_a_redirect_once(visit: Visit) -> None:
    at = visit("home", lost="yes")
    assert "There is no such page here; this is the entrance." in texts(at)
    assert not_found.NOT_FOUND_PARAM not in at.query_params
