"""What curators write on a film while the history cannot be written."""

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from db import walks
from db.session import sqlite_file, writing
from momalisa.settings import settings
from momalisa.ui import unsaved
from tests.support.pages import MakeWalk, Visit, stored_walk, widget

WRITTEN: dict[tuple[str, str], Any] = {
    ("text_area", "Notes"): "a long thought",
    ("text_input", "Title"): "Dusk",
    ("multiselect", "Tags"): ["foyer"],
    ("toggle", "Star"): True,
}


def test_what_is_written_over_an_outage_is_stored_after_it(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The toast told to try again, and a title went back; where the page failed, all was lost."""
    monkeypatch.setattr("db.session.BUSY_SECONDS", 0.05)
    monkeypatch.setattr(unsaved, "RETRY_SECONDS", 0.0)
    walk = add_film("a moon", "a sea")
    at = visit("gallery", walk=walk.id)
    with closing(sqlite3.connect(str(sqlite_file(settings().database)))) as other:
        other.execute("BEGIN IMMEDIATE")
        for field, value in WRITTEN.items():
            widget(at, *field).set_value(value).run()
            assert "keeps the history locked" in at.toast[0].value
            assert [warning.value for warning in at.warning] == [unsaved.TOLD]
    at.run()
    for (kind, label), value in WRITTEN.items():
        assert getattr(stored_walk(walk.id), label.lower()) == value
        assert widget(at, kind, label).value == value
    assert not at.warning


def test_a_note_on_a_film_that_another_curator_deleted_is_given_back(
    visit: Visit, add_film: MakeWalk
) -> None:
    walk = add_film("a moon", "a sea")
    at = visit("gallery", walk=walk.id)
    with writing(settings().database) as session:
        walks.delete(session=session, walk_id=walk.id)
    widget(at, "text_area", "Notes").set_value("a long thought").run()
    assert [toast.value for toast in at.toast] == [
        "This film was deleted meanwhile, so nothing was stored. You wrote: a long thought"
    ]
