"""Gallery: posters, search, the label with every parameter, and the end of a film."""

import pytest

from db.models import State
from momalisa.settings import settings
from momalisa.storage import open_storage
from momalisa.ui import wall

from .conftest import Hang, Visit, component, everything, found, labelled, press, sentences, texts


def test_bare_walls_show_the_way_to_the_first_film(visit: Visit) -> None:
    at = visit("gallery")
    assert "The walls are still bare." in texts(at)
    assert [link.label for link in at.page_link] == ["Create a walk"]


def test_posters_hang_newest_first_and_films_are_only_named(visit: Visit, hang: Hang) -> None:
    old, new = hang("a moon", "a sea"), hang("a mask", "a skyline", pacing="ease")
    cards = component(visit("gallery"), "grid")["cards"]
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
    visit: Visit, hang: Hang, query: dict[str, str], titles: list[str]
) -> None:
    hang("a moon", "a sea")
    hang("a mask", "a skyline", pacing="ease")
    cards = component(visit("gallery", **query), "grid")["cards"]
    assert [card["title"] for card in cards] == titles


def test_a_search_that_finds_nothing_says_so(visit: Visit, hang: Hang) -> None:
    hang("a moon", "a sea")
    assert "Nothing here goes by that description." in texts(visit("gallery", q="giraffe"))


def test_pages_turn_both_ways(visit: Visit, hang: Hang, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wall, "PAGE", 2)
    walks = [hang(f"moon {n}", "a sea") for n in range(5)][::-1]
    at = visit("gallery")

    def shown() -> list[str]:
        return [card["id"] for card in component(at, "grid")["cards"]]

    ids = [walk.id for walk in walks]
    assert shown() == ids[:2]
    press(at, "Older")
    press(at, "Older")
    assert shown() == ids[4:]
    press(at, "Newer")
    assert shown() == ids[2:4]
    press(at, "Newer")
    assert shown() == ids[:2]
    assert "before" not in at.query_params


def test_a_card_opens_film_label_and_every_parameter(visit: Visit, hang: Hang) -> None:
    walk = hang("a moon", "a sea", pacing="dense-middle", negative="people", steps=9)
    at = visit("gallery", walk=walk.id)
    assert component(at, "player")["films"][0]["url"].endswith(walk.files["gif"])
    shown = texts(at)
    for part in (
        "a moon → a sea, ",
        "a moon (seed 7)",
        "dense-middle, strength 0.8",
        "people",
        "9",
    ):
        assert any(text.startswith(part) for text in shown), part


def test_walks_that_are_no_films_are_not_on_the_wall(visit: Visit, ask: Hang) -> None:
    walk = ask()
    assert "The walls are still bare." in texts(visit("gallery"))
    assert "This walk is no film yet." in texts(visit("gallery", walk=walk.id))


@pytest.mark.parametrize("nonsense", ["nosuch", "../../etc/passwd", "x" * 5000])
def test_a_link_to_nothing_says_so(visit: Visit, nonsense: str) -> None:
    assert "There is no film under this link" in sentences(visit("gallery", walk=nonsense))


def test_star_and_notes_are_kept(visit: Visit, hang: Hang) -> None:
    walk = hang()
    at = visit("gallery", walk=walk.id)
    at.toggle[0].set_value(True).run()
    labelled(at, "text_area", "Notes").set_value("for the foyer").run()
    kept = found(walk.id)
    assert kept.star
    assert kept.notes == "for the foyer"


def test_delete_is_asked_twice_and_takes_row_and_files(visit: Visit, hang: Hang) -> None:
    walk = hang()
    storage = open_storage(settings().store_root)
    at = visit("gallery", walk=walk.id)
    assert found(walk.id).state is State.DONE
    press(at, "Yes, delete it")
    assert everything() == []
    assert list(storage.list()) == []
    assert "The walls are still bare." in texts(at)


def test_back_to_the_posters(visit: Visit, hang: Hang) -> None:
    at = press(visit("gallery", walk=hang().id), "All films")
    assert len(component(at, "grid")["cards"]) == 1
