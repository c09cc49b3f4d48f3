"""Gallery: posters, search, the label with every parameter, and the end of a film."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from db import curation, walks
from db.models import State
from db.session import writing
from momalisa.errors import StorageError
from momalisa.settings import settings
from momalisa.spec import WalkSpec
from momalisa.storage import LocalStorage, open_storage
from momalisa.storage.outbox import open_outbox
from momalisa.ui import example_film, film_detail
from momalisa.ui.gallery import poster_grid, table_export
from tests.support.pages import (
    MakeWalk,
    UpdateWalk,
    Visit,
    all_text,
    all_walks,
    component_data,
    press,
    stored_walk,
    texts,
    widget,
)


def test_bare_walls_show_the_film_that_ships_and_the_way_to_the_first_own(visit: Visit) -> None:
    at = visit("gallery")
    assert "The walls are still bare." in texts(at)
    assert component_data(at, "player")["films"][0]["url"].startswith("/pictures/example/film.gif?")
    assert [link.label for link in at.page_link] == ["Create a walk"]
    press(at, "Use its settings")
    shipped = WalkSpec.model_validate_json(example_film.WALK_PATH.read_text())
    assert at_easel(at) == shipped.stops[0].prompt


def at_easel(at: AppTest) -> str:
    """The first prompt on Create."""
    assert [title.value for title in at.title] == ["Create"]
    prompt: str = widget(at, "text_input", "From").value
    return prompt


def test_posters_hang_newest_first_and_films_are_only_named(
    visit: Visit, add_film: MakeWalk
) -> None:
    old, new = add_film("a moon", "a sea"), add_film("a mask", "a skyline", pacing="ease")
    cards = component_data(visit("gallery"), "grid")["cards"]
    assert [card["id"] for card in cards] == [new.id, old.id]
    assert cards[0]["poster"] == f"/pictures/store/{new.files['poster']}"
    assert cards[0]["title"] == "a mask → a skyline"
    assert new.accession in cards[0]["meta"]


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({"q": "MASK"}, ["a mask → a skyline"]),
        ({"by_pacing": "linear"}, ["a moon → a sea"]),
        ({"by_pacing": "nonsense"}, ["a mask → a skyline", "a moon → a sea"]),
    ],
)
def test_search_and_filters_come_from_the_url(
    visit: Visit, add_film: MakeWalk, query: dict[str, str], titles: list[str]
) -> None:
    add_film("a moon", "a sea")
    add_film("a mask", "a skyline", pacing="ease")
    cards = component_data(visit("gallery", **query), "grid")["cards"]
    assert [card["title"] for card in cards] == titles


@pytest.mark.parametrize(
    ("query", "told", "titles"),
    [
        ({"tag": "foyer"}, "foyer", ["a mask → a skyline"]),
        ({"tag": "nosuch"}, "", ["a mask → a skyline", "a moon → a sea"]),
        ({"starred": "true"}, "starred", ["a mask → a skyline"]),
        ({"since": "2025-01-02"}, "from 02 January 2025", ["a mask → a skyline"]),
        ({"until": "2025-01-01"}, "to 01 January 2025", ["a moon → a sea"]),
        ({"since": "long ago"}, "", ["a mask → a skyline", "a moon → a sea"]),
        ({"since": "2025-01-02", "until": "2025-01-01"}, "", []),
        ({"q": "foyer", "by_pacing": "linear"}, "“foyer”, linear", ["a mask → a skyline"]),
    ],
)
def test_tags_stars_and_dates_narrow_the_choice(
    visit: Visit,
    add_film: MakeWalk,
    update_walk: UpdateWalk,
    query: dict[str, str],
    told: str,
    titles: list[str],
) -> None:
    update_walk(add_film("a moon", "a sea"), finished_at=datetime(2025, 1, 1, 23, 59, tzinfo=UTC))
    chosen = add_film("a mask", "a skyline")
    update_walk(chosen, finished_at=datetime(2025, 1, 2, tzinfo=UTC), star=True)
    with writing(settings().database) as session:
        curation.set_tags(session=session, walk_id=chosen.id, tags=["foyer"])
    at = visit("gallery", **query)
    cards = component_data(at, "grid")["cards"] if titles else []
    assert (f"1 film: {told}" in texts(at)) == bool(told)
    assert [card["title"] for card in cards] == titles
    assert ("Nothing here goes by that description." in texts(at)) == (not titles)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("newest", "cba"),
        ("oldest", "abc"),
        ("title", "abc"),
        ("longest", "bca"),
        ("evenness", "acb"),
        ("nonsense", "cba"),
    ],
)
def test_the_url_says_the_order(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk, sort: str, order: str
) -> None:
    for name, frames, evenness in (("a", 2, 0.9), ("b", 9, None), ("c", 5, 0.4)):
        update_walk(add_film(name, "z", frames=frames), evenness=evenness)
    cards = component_data(visit("gallery", sort=sort), "grid")["cards"]
    assert "".join(card["title"][0] for card in cards) == order


def test_behind_a_film_that_is_gone_is_the_first_page(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film()
    at = visit("gallery", before="nosuch")
    assert [card["id"] for card in component_data(at, "grid")["cards"]] == [walk.id]
    assert "before" not in at.query_params


def test_another_order_begins_at_its_first_page(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poster_grid, "PAGE_SIZE", 2)
    for n in range(3):
        add_film(f"moon {n}", "a sea")
    at = press(visit("gallery"), "Next")
    widget(at, "selectbox", "Sort").select("oldest").run()
    assert "before" not in at.query_params
    assert [card["title"][:6] for card in component_data(at, "grid")["cards"]] == [
        "moon 0",
        "moon 1",
    ]


def test_films_that_wait_for_the_storage_are_told(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    first, second = add_film("a moon", "a sea"), add_film("a mask", "a hill")
    assert "waits for the storage" not in all_text(visit("gallery"))
    update_walk(first, waiting=True)
    assert "1 film waits for the storage; nothing is lost." in texts(visit("gallery"))
    assert "Waiting for storage" in texts(visit("gallery", walk=first.id))
    assert "Waiting for storage" not in texts(visit("gallery", walk=second.id))


def test_the_films_found_go_along_as_a_table(add_film: MakeWalk) -> None:
    one, _ = add_film("a moon, full", "a sea"), add_film("a mask", "a hill", pacing="ease")
    for table in (
        pd.read_csv(BytesIO(table_export.to_csv({"pacing": "linear"}))),
        pd.read_json(BytesIO(table_export.to_json({"pacing": "linear"}))),
    ):
        assert list(table["id"]) == [one.id]
        assert list(table["prompts"]) == ["a moon, full → a sea"]


@pytest.mark.parametrize("prompt", ["=1+1", "@moon", "- a moon", "'twas a moon", "a = moon"])
def test_no_prompt_is_a_formula_in_a_spreadsheet(add_film: MakeWalk, prompt: str) -> None:
    add_film(prompt, "a sea")
    (told,) = pd.read_csv(BytesIO(table_export.to_csv({})))["prompts"]
    assert not told.startswith(("=", "@", "-"))
    assert told.removeprefix("'") == f"{prompt} → a sea"


def test_no_table_is_made_before_it_is_asked_for(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_film()
    asked: list[Any] = []
    monkeypatch.setattr(table_export, "to_csv", asked.append)
    at = visit("gallery")
    assert [button.proto.label for button in at.get("download_button")] == ["CSV", "JSON"]
    assert asked == []


def test_a_search_that_finds_nothing_says_so(visit: Visit, add_film: MakeWalk) -> None:
    add_film("a moon", "a sea")
    assert "Nothing here goes by that description." in texts(visit("gallery", q="giraffe"))


def test_pages_turn_both_ways(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poster_grid, "PAGE_SIZE", 2)
    walks = [add_film(f"moon {n}", "a sea") for n in range(5)][::-1]
    at = visit("gallery")

    def shown() -> list[str]:
        return [card["id"] for card in component_data(at, "grid")["cards"]]

    ids = [walk.id for walk in walks]
    assert shown() == ids[:2]
    press(at, "Next")
    press(at, "Next")
    assert shown() == ids[4:]
    press(at, "Previous")
    assert shown() == ids[2:4]
    press(at, "Previous")
    assert shown() == ids[:2]
    assert "before" not in at.query_params


def test_previous_turns_a_page_also_after_the_browsers_own_way_back(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poster_grid, "PAGE_SIZE", 2)
    for number in range(5):
        add_film(f"moon {number}", "a sea")
    at = press(visit("gallery"), "Next")
    second = at.query_params["before"]
    press(at, "Next")
    at.query_params["before"] = second
    press(at.run(), "Previous")
    assert "before" not in at.query_params


def test_a_card_opens_film_label_and_every_parameter(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film("a moon", "a sea", pacing="dense-middle", negative="people", steps=9)
    at = visit("gallery", walk=walk.id)
    assert component_data(at, "player")["films"][0]["url"].endswith(walk.files["gif"])
    shown = texts(at)
    for part in (
        "a moon → a sea, ",
        "a moon (seed 7)",
        "dense-middle, strength 0.8",
        "people",
        "9",
    ):
        assert any(text.startswith(part) for text in shown), part


def test_walks_that_are_no_films_are_not_on_the_wall(visit: Visit, enqueue_walk: MakeWalk) -> None:
    walk = enqueue_walk()
    assert "The walls are still bare." in texts(visit("gallery"))
    assert "This walk is no film yet." in texts(visit("gallery", walk=walk.id))
    with writing(settings().database) as session:
        walks.cancel(session=session, walk_id=walk.id)
    assert "This walk did not become a film." in texts(visit("gallery", walk=walk.id))


@pytest.mark.parametrize("nonsense", ["nosuch", "../../etc/passwd", "x" * 5000])
def test_a_link_to_nothing_says_so(visit: Visit, nonsense: str) -> None:
    assert "There is no film under this link" in all_text(visit("gallery", walk=nonsense))


def test_star_and_notes_are_kept(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film()
    at = visit("gallery", walk=walk.id)
    at.toggle[0].set_value(True).run()
    widget(at, "text_area", "Notes").set_value("for the foyer").run()
    kept = stored_walk(walk.id)
    assert kept.star
    assert kept.notes == "for the foyer"


def test_what_others_keep_meanwhile_is_shown_and_never_lost(
    visit: Visit, add_film: MakeWalk, update_walk: UpdateWalk
) -> None:
    walk = add_film()
    at = visit("gallery", walk=walk.id)
    update_walk(walk, star=True, notes="theirs")
    widget(at, "text_area", "Notes").set_value("mine").run()
    assert stored_walk(walk.id).notes == "theirs\nmine"
    assert at.toast[0].value == "Somebody else wrote a note here meanwhile. Both are kept."
    assert at.toggle[0].value
    assert widget(at, "text_area", "Notes").value == "theirs\nmine"
    widget(at, "text_area", "Notes").set_value("mine alone").run()
    assert stored_walk(walk.id).notes == "mine alone"


def test_tags_are_kept_as_they_are_shown(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film()
    at = visit("gallery", walk=walk.id)
    widget(at, "multiselect", "Tags").set_value(["For  the Foyer", "2026"]).run()
    assert not at.exception
    assert stored_walk(walk.id).tags == ["2026", "for the foyer"]
    assert widget(at, "multiselect", "Tags").value == ["2026", "for the foyer"]
    widget(at, "multiselect", "Tags").unselect("2026").run()
    assert stored_walk(walk.id).tags == ["for the foyer"]


def test_a_film_of_another_program_shows_what_is_known_of_it(
    visit: Visit, add_foreign_film: MakeWalk
) -> None:
    walk = add_foreign_film()
    (card,) = component_data(visit("gallery"), "grid")["cards"]
    assert (card["title"], card["meta"]) == ("Waves", f"2024, {walk.accession}")
    at = visit("gallery", walk=walk.id)
    assert "Film of another program, 5 frames" in texts(at)
    assert component_data(at, "player")["films"][0]["alt"] == "Waves"
    # Nobody knows how it was made, so nobody can make it again.
    assert [link.label for link in at.page_link] == ["Compare with another film"]
    assert [button.label for button in at.button if not button.disabled] == [
        "All films",
        "Yes, delete it",
    ]
    for page in ("create", "compare"):
        visit(page, walk=walk.id, use=walk.id, a=walk.id, b=walk.id)


def test_a_title_is_changed_and_found(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film("a moon", "a sea")
    at = visit("gallery", walk=walk.id)
    widget(at, "text_input", "Title").set_value("  Nuit\u202e  étoilée ").run()
    assert stored_walk(walk.id).title == "Nuit étoilée"
    assert f"Nuit étoilée, {walk.created_at.year}" in texts(at)
    widget(at, "text_input", "Title").set_value(" ").run()
    assert widget(at, "text_input", "Title").value == "Nuit étoilée"
    for search, titles in (("etoilee", ["Nuit étoilée"]), ("moon", ["Nuit étoilée"])):
        cards = component_data(visit("gallery", q=search), "grid")["cards"]
        assert [card["title"] for card in cards] == titles


def test_prompts_go_to_create_without_the_settings(visit: Visit, add_film: MakeWalk) -> None:
    at = visit("gallery", walk=add_film("a moon", "a sea", guidance=9).id)
    press(at, "Use prompts")
    assert at_easel(at) == "a moon"
    assert at.session_state.starts[f"walk_guidance_{at.session_state.versions['guidance']}"] != 9


def test_a_film_leads_to_the_ones_made_before_and_after_it(
    visit: Visit, add_film: MakeWalk
) -> None:
    first, _, third = (add_film(name, "z") for name in ("a moon", "a mask", "a moon at night"))
    at = visit("gallery", walk=first.id, q="moon")
    assert widget(at, "button", "Older").disabled
    press(at, "Newer")
    assert at.query_params["walk"] == third.id
    assert widget(at, "button", "Newer").disabled
    press(at, "Older")
    assert at.query_params["walk"] == first.id


def test_delete_is_asked_twice_and_takes_row_and_files(visit: Visit, add_film: MakeWalk) -> None:
    walk = add_film()
    storage = open_storage(settings().store_root)
    at = visit("gallery", walk=walk.id)
    assert stored_walk(walk.id).state is State.DONE
    press(at, "Yes, delete it")
    assert all_walks() == []
    assert list(storage.list()) == []
    assert "The walls are still bare." in texts(at)


def test_a_film_found_by_a_search_is_deleted_and_the_search_stays(
    visit: Visit, add_film: MakeWalk
) -> None:
    walk, other = add_film("a moon", "a sea"), add_film("a moon", "a hill")
    at = visit("gallery", q="moon", sort="oldest")
    at.query_params["walk"] = walk.id
    press(at.run(), "Yes, delete it")
    assert [each.id for each in all_walks()] == [other.id]
    assert [card["id"] for card in component_data(at, "grid")["cards"]] == [other.id]
    assert widget(at, "text_input", "Search").value == "moon"


def test_a_film_is_deleted_also_while_its_storage_is_away(
    visit: Visit, add_film: MakeWalk, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away(LocalStorage):
        def delete(self, key: str) -> None:
            raise StorageError(f"{key} is out of reach.")

    walk = add_film()
    away = Away(Path(settings().store_root))
    monkeypatch.setattr(film_detail, "open_storage", lambda *_root, **_how: away)
    press(visit("gallery", walk=walk.id), "Yes, delete it")
    assert all_walks() == []
    assert open_outbox(settings()).removals() == {walk.id}


def test_back_to_the_posters(visit: Visit, add_film: MakeWalk) -> None:
    at = press(visit("gallery", walk=add_film().id), "All films")
    assert len(component_data(at, "grid")["cards"]) == 1
