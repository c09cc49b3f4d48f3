"""Home, and the house around the pages."""

from pathlib import Path

import pytest

from db.errors import Locked
from momalisa.errors import BadInput
from momalisa.ui import lobby, mishaps
from momalisa.ui.presets import PRESETS

from .conftest import Visit, component, everything, labelled, picture, press, spec, texts


def test_home_has_a_sentence_and_two_doors(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lobby, "FILM", Path("nowhere.gif"))
    at = visit("home")
    assert at.title[0].value == "MOMA Lisa"
    assert [link.label for link in at.page_link] == ["Create a walk", "Browse the Gallery"]


def test_a_preset_on_home_begins_its_walk_with_one_click(visit: Visit) -> None:
    at = press(visit("home"), "Square to sea")
    (walk,) = everything()
    assert walk.prompts == list(PRESETS["Square to sea"])
    assert at.query_params["walk"] == walk.id
    assert "Next in the queue" in texts(at)
    assert labelled(at, "text_input", "To").value == walk.prompts[1]


def test_home_shows_the_example_film_and_its_label(
    visit: Visit, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "film.gif").write_bytes(picture("gif"))
    (tmp_path / "walk.json").write_text(spec("a moon", "a sea").model_dump_json())
    monkeypatch.setattr(lobby, "FILM", tmp_path / "film.gif")
    monkeypatch.setattr(lobby, "WALK", tmp_path / "walk.json")
    at = visit("home")
    assert component(at, "player")["films"][0]["url"] == "/pictures/example/film.gif"
    assert "a moon → a sea" in [text.value for text in at.text]


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (BadInput("Please do it so."), "Please do it so."),
        (Locked.at("momalisa.db"), "Another program keeps the history locked"),
        (ZeroDivisionError("secret detail"), "nobody foresaw"),
    ],
)
def test_errors_become_sentences(error: Exception, part: str) -> None:
    assert part in mishaps.sentence(error)
    assert "secret" not in mishaps.sentence(error)
